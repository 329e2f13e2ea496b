// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "srt/srt_socket.hpp"

namespace ringcast::sink {

/// One connection that is sent to. A peer that does not keep up loses everything from one message on up to the next
/// start, so that at most the picture which is being sent then lacks its end; it never holds anybody up. libsrt itself
/// would drop what has waited for a second (or the latency, if that is longer), picture after picture; this stops
/// before. Thread safety: none.
class SrtPeer {
public:
    enum class Sent {
        taken,
        skipped,  ///< waits for a start, or is jammed
        jammed,   ///< the first message of a jam, lost like those to come
        lost      ///< the connection is over
    };

    explicit SrtPeer(srt::SrtSocket socket);

    /// `start`: decoding can begin with this message.
    Sent send(std::span<const std::uint8_t> message, bool start);
    /// To be called again and again while nothing is sent and it is not drained: libsrt's receiver asks for what got
    /// lost when something newer comes, and its sender never repeats anything unasked.
    void probe();

    [[nodiscard]] SRTSOCKET socket() const noexcept { return socket_.get(); }
    [[nodiscard]] bool is_connected() const noexcept { return socket_.is_connected(); }
    /// It has been sent something.
    [[nodiscard]] bool has_begun() const noexcept { return begun_; }
    [[nodiscard]] bool is_jammed() const noexcept { return jammed_; }
    /// For how long it has been jammed without a break.
    [[nodiscard]] std::chrono::steady_clock::duration jammed_for() const;
    [[nodiscard]] std::chrono::steady_clock::duration age() const;
    /// How long the other end holds what it got before it hands it out.
    [[nodiscard]] std::chrono::milliseconds latency() const noexcept { return latency_; }
    /// Everything has arrived at the other end.
    [[nodiscard]] bool is_drained() const { return srt::send_buffer_of(socket_.get()).count() == 0; }
    /// libsrt's, with what was lost here added to the drops. Of a connection that is over: the newest.
    [[nodiscard]] srt::SrtFigures figures(bool new_interval);

private:
    void look();
    Sent jam();
    int hand_over(std::span<const std::uint8_t> message);

    srt::SrtSocket socket_;
    std::chrono::milliseconds latency_;
    std::chrono::milliseconds most_buffered_;
    std::chrono::steady_clock::time_point since_;
    std::chrono::steady_clock::time_point next_look_{};
    std::chrono::steady_clock::time_point last_sent_{};
    std::chrono::steady_clock::time_point jammed_since_{};
    bool waits_for_start_ = true;
    bool begun_ = false;
    bool jammed_ = false;
    bool lost_ = false;
    std::int64_t skipped_ = 0;
    srt::SrtFigures newest_;
    std::uint64_t probe_bytes_ = 0;
    std::uint64_t sent_bytes_ = 0;  ///< as last shown
};

}  // namespace ringcast::sink
