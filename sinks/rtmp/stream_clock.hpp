// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace ringcast::sink {

/// From ticks of a stream to the milliseconds of one RTMP connection, which begins near 0 whatever came before.
/// Each time is computed from the ticks alone, so nothing adds up; it is 64 bits wide and cut to 32 only for the wire,
/// where RTMP's own wrap-around takes over after 49.7 days. Thread safety: none.
class StreamClock {
public:
    struct Times {
        std::uint32_t dts_ms = 0;   ///< as on the wire; rises strictly within a track
        std::int32_t shift_ms = 0;  ///< presentation minus decoding time
    };

    /// The first packet sets where the connection begins.
    Times times(const ringcast_sink_packet& packet, const ringcast_sink_stream& stream) {
        const std::int64_t dts = milliseconds(packet.dts, stream);
        if (!begin_) begin_ = dts - kLead;
        std::int64_t& last = last_[track_of(stream)];
        const std::int64_t sent = std::max({dts - *begin_, last + 1, std::int64_t{0}});
        last = sent;
        const std::int64_t shift = milliseconds(packet.pts, stream) - *begin_ - sent;
        return {static_cast<std::uint32_t>(sent),
                static_cast<std::int32_t>(std::clamp<std::int64_t>(shift, 0, kMostShift))};
    }

    /// The newest time sent on the track: where headers that change in the middle take effect.
    [[nodiscard]] std::uint32_t newest_ms(const ringcast_sink_stream& stream) const {
        return static_cast<std::uint32_t>(std::max<std::int64_t>(last_[track_of(stream)], 0));
    }

private:
    // The sound of the first picture may come a little after it and begin before it (encoder padding).
    static constexpr std::int64_t kLead = 100;
    static constexpr std::int64_t kMostShift = 0x7FFFFF;

    static std::size_t track_of(const ringcast_sink_stream& stream) {
        return stream.media == RINGCAST_SINK_VIDEO ? 0 : 1;
    }

    /// To the nearest millisecond, exact for any number of ticks: whole timebases first, so that nothing overflows.
    static std::int64_t milliseconds(std::int64_t ticks, const ringcast_sink_stream& stream) {
        const std::int64_t den = stream.timebase_den;
        const std::int64_t scale = std::int64_t{1000} * stream.timebase_num;
        const std::int64_t whole = ticks / den - (ticks % den < 0 ? 1 : 0);
        return whole * scale + ((ticks - whole * den) * scale + den / 2) / den;
    }

    std::optional<std::int64_t> begin_;
    std::array<std::int64_t, 2> last_{-1, -1};
};

}  // namespace ringcast::sink
