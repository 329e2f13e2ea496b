// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "hls/hls_folder.hpp"
#include "hls/playlist.hpp"
#include "mux/muxer.hpp"
#include "mux/seam.hpp"

namespace ringcast::sink {

/// Cuts one encoding into segments: one muxer over all of it, whose output changes at keyframes. A segment of MPEG-TS
/// begins with PAT and PMT, fMP4 has its tables once in an initialisation of its own; then comes a keyframe. The sound
/// that begins before the cut is in the segment before it, and counters and time stamps go on, so segments joined end
/// to end are one gapless stream. Packets of nothing but the audio encoder's priming are left out: the first segment
/// is as long as it says. Life cycle: packet()*, then end() or, after an error, nothing more. Thread safety:
/// none.
class Segmenter {
public:
    using Publish = std::function<void(Segment)>;

    /// `publish` is called after each segment has its final name; an initialisation has it before, with the number of
    /// the first segment. Throws SinkError(E_UNSUPPORTED).
    Segmenter(std::span<const ringcast_sink_stream* const> streams, const PlaylistForm& form, SegmentWriter& writer,
              std::uint64_t first_number, Publish publish);

    void packet(const ringcast_sink_packet& packet);

    /// Publishes what is left as the last segment.
    void end();

    [[nodiscard]] std::uint64_t next_number() const noexcept { return number_; }

private:
    [[nodiscard]] std::int64_t micros(const ringcast_sink_packet& packet, std::int64_t ticks) const;
    bool is_priming(const ringcast_sink_packet& packet);
    void write(const ringcast_sink_packet& packet);
    bool seam_is_complete(const ringcast_sink_packet& packet) const;
    [[nodiscard]] std::int64_t shift_for(std::int64_t first_us) const;
    void publish_init();
    void cut();
    void begin_segment();
    void publish_segment(std::int64_t end_us);

    SegmentType type_;
    std::int64_t segment_us_;
    SegmentWriter& writer_;
    Publish publish_;
    std::vector<AVRational> timebases_;
    std::int64_t priming_ = 0;                 ///< what the audio encoder put in front, in ticks of its stream
    std::optional<std::int64_t> priming_end_;  ///< known with the first packet of sound
    std::uint32_t lead_stream_ = 0;            ///< decides the cuts: video when there is one
    bool has_other_ = false;
    Muxer muxer_;
    std::uint64_t number_;
    bool has_init_ = false;
    std::optional<std::int64_t> shift_us_;   ///< of the container's timeline against ours
    std::optional<std::int64_t> start_us_;   ///< of the open segment
    std::int64_t lead_end_us_ = 0;           ///< where the newest packet of the lead stream ends
    std::int64_t other_end_us_ = INT64_MIN;  ///< the same of the other stream
    // A cut waits here for the sound that belongs before it.
    std::optional<std::int64_t> cut_us_;
    std::vector<HeldPacket> held_;
};

}  // namespace ringcast::sink
