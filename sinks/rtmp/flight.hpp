// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

namespace ringcast::sink {

/// What of a connection is under way: sent, but not yet read by the server, as its acknowledgements tell.
///
/// What is under way can no longer be dropped. It waits in buffers of kernels and proxies, megabytes of them, and makes
/// all that follows old. So once it is late, only as much goes out as is read in kLate; the rest waits in the host's
/// queue, where it can be dropped. TCP's own acknowledgements would not do: a proxy's kernel gives them.
/// Servers count differently (with the handshake or without it, with chunk headers or without), so what counts is how
/// far an acknowledgement is behind the nearest one of the last seconds that went well. A server that acknowledges
/// seldom, or not at all, is sent what TCP takes. Pure: no clock of its own. Thread safety: none.
class Flight {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// `wary`: a connection before ended in waiting for an acknowledgement; believe them only after a good while.
    explicit Flight(bool wary) : acks_wanted_(wary ? 100 : 4) {}

    /// What is sent is a stream of that rate.
    void expect(std::uint64_t bytes_per_second);
    /// How many bytes the server is to be asked to read between two acknowledgements, now.
    [[nodiscard]] std::uint32_t window() const noexcept { return limited_ ? window_ / kFiner : window_; }

    /// So many bytes have gone out on this connection.
    void on_sent(std::uint64_t total, TimePoint now);
    /// The server has read so many bytes, by its own count; `round_trip` is the network's part of the delay.
    void on_acknowledged(std::uint32_t number, std::chrono::nanoseconds round_trip, TimePoint now);

    /// A message of that size has to wait for the next acknowledgement.
    [[nodiscard]] bool is_full_for(std::uint64_t bytes, TimePoint now) const;

private:
    static constexpr std::uint32_t kFiner = 4;
    struct Sent {
        std::uint64_t total;
        TimePoint at;
    };

    void count(std::uint32_t number);
    void measure_offset(TimePoint now);
    void measure_rate(TimePoint now);
    void adjust(std::chrono::nanoseconds delay, std::uint64_t newly_read, TimePoint now);
    void set_limited(bool limited);
    [[nodiscard]] std::uint64_t under_way() const { return sent_ - read_; }
    [[nodiscard]] std::chrono::nanoseconds age_of(std::uint64_t byte, TimePoint now) const;

    const unsigned acks_wanted_;
    std::uint32_t window_ = 0;  // on a good road
    std::uint64_t sent_ = 0;
    std::deque<Sent> log_;  // what is not known to be read

    bool heard_ = false;
    unsigned often_enough_ = 0;           // so many acknowledgements in a row
    bool believed_ = false;               // for good
    std::uint32_t number_ = 0;            // of the newest acknowledgement
    std::uint64_t counted_ = 0;           // the same, never wrapping
    std::uint64_t spacing_ = UINT64_MAX;  // between acknowledgements, at the least: with more under way one has to come
    std::uint64_t read_ = 0;              // of sent_
    // How far counted_ was behind sent_ at the least, in the present ten seconds and those before.
    std::uint64_t offset_ = UINT64_MAX;
    std::uint64_t offset_before_ = UINT64_MAX;
    TimePoint offset_since_{};

    std::chrono::nanoseconds late_{0};  // see adjust()
    double bytes_per_second_ = 0;
    TimePoint rate_since_{};
    std::uint64_t rate_from_ = 0;

    bool limited_ = false;
    std::uint64_t limit_ = 0;  // bytes under way, while limited_
    TimePoint limit_met_{};    // when it last mattered
};

}  // namespace ringcast::sink
