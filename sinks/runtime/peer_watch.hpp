// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace ringcast::runtime {

struct PeerLimits {
    std::chrono::milliseconds answer{8000};    ///< connect() and headers() take no longer; 0: as long as they like
    std::chrono::milliseconds silence{10000};  ///< packets are handed over, and no byte leaves; 0: no limit
    std::chrono::milliseconds quiet{1000};     ///< so long without a byte is told
    std::chrono::milliseconds look_every{250};
};

/// Whether the peer takes what it is given, from looks at the count of bytes that left. A socket that is open says
/// nothing. Pure: no clock of its own, no thread.
class PeerWatch {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    enum class Call { none, connecting, delivering, closing };
    enum class Verdict { fine, no_answer, silent };

    explicit PeerWatch(const PeerLimits& limits) : limits_(limits) {}

    void begin_connection(TimePoint now);
    void begin_call(Call call, TimePoint now);
    void end_call() { call_ = Call::none; }
    /// `bytes` have left so far; it never falls. `alone`: there is nobody they could go to.
    [[nodiscard]] Verdict look(TimePoint now, std::uint64_t bytes, bool alone = false);

    [[nodiscard]] Call call() const noexcept { return call_; }
    [[nodiscard]] TimePoint call_since() const noexcept { return call_since_; }
    /// Packets were handed over, and for longer than `quiet` no byte left.
    [[nodiscard]] bool is_quiet(TimePoint now) const;
    /// Bytes left after the first packet of this connection.
    [[nodiscard]] bool has_moved() const noexcept { return moved_.count() > 0; }
    /// For how long bytes have been leaving on this connection.
    [[nodiscard]] std::chrono::nanoseconds moved() const noexcept { return moved_; }

private:
    const PeerLimits limits_;
    Call call_ = Call::none;
    TimePoint call_since_{};
    TimePoint last_look_{};
    std::optional<TimePoint> owed_since_;  // a packet was handed over, and no byte was seen to leave since
    bool delivers_ = false;                // this connection has been given a packet
    std::uint64_t bytes_ = 0;
    std::chrono::nanoseconds moved_{0};
};

}  // namespace ringcast::runtime
