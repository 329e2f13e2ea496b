// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "mux/muxer.hpp"

namespace ringcast::sink {

inline constexpr std::size_t kTsPacketBytes = 188;

/// Seven TS packets that every receiver throws away.
[[nodiscard]] std::span<const std::uint8_t> ts_null_message() noexcept;

/// MPEG-TS in messages of seven TS packets, the size every SRT receiver takes. A keyframe begins a message, with PAT
/// and PMT right before it: there a receiver can begin. What the message before lacks is filled with null packets.
/// Thread safety: none.
class TsMessages {
public:
    static constexpr std::size_t kMessageBytes = 7 * kTsPacketBytes;

    /// `start`: decoding can begin with this message.
    using Deliver = std::function<void(std::span<const std::uint8_t> message, bool start)>;

    /// Throws SinkError(E_UNSUPPORTED) for what MPEG-TS cannot carry.
    TsMessages(std::span<const ringcast_sink_stream* const> streams, Deliver deliver);

    void packet(const ringcast_sink_packet& packet);
    /// Delivers the message that is not full yet.
    void flush();

private:
    /// Cuts the muxer's bytes.
    class Cutter final : public ByteSink {
    public:
        explicit Cutter(Deliver deliver) : deliver_(std::move(deliver)) { buffer_.reserve(kMessageBytes); }
        void write(std::span<const std::uint8_t> bytes) override;
        void seek(std::int64_t position) override;
        void pad();
        void begin_start() { start_ = true; }

    private:
        void deliver();

        Deliver deliver_;
        std::vector<std::uint8_t> buffer_;
        bool start_ = false;  ///< the message in the buffer begins with tables and keyframe
    };

    [[nodiscard]] bool is_start(const ringcast_sink_packet& packet);

    Cutter cutter_;
    const std::uint32_t lead_stream_;
    const bool has_video_;
    unsigned since_start_ = 0;  ///< packets, without video
    Muxer muxer_;
};

}  // namespace ringcast::sink
