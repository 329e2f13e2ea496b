// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

namespace ringcast::sink {

/// How much a server's acknowledgements are believed.
enum class AckTrust : std::uint8_t {
    full,
    wary,  ///< only after a good while: a connection before ended in waiting for one
    none   ///< its number is no running count of all that was sent
};

/// What of a connection is under way: sent, but not yet read by the server, as its acknowledgements tell.
///
/// What is under way can no longer be dropped. It waits in buffers of kernels and proxies, megabytes of them, and makes
/// all that follows old. So once it is late, only as much goes out as is read in kLate; the rest waits in the host's
/// queue, where it can be dropped. TCP's own acknowledgements would not do: a proxy's kernel gives them.
/// Late is what takes longer than the quickest acknowledgement of the last seconds that went well: a way that is long,
/// behind a proxy too, is not late. A server that acknowledges seldom, or not at all, is sent what TCP takes.
/// Pure: no clock of its own. Thread safety: none.
class Flight {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    explicit Flight(AckTrust trust)
        : acks_wanted_(trust == AckTrust::wary ? 100 : 4), miscounts_(trust == AckTrust::none) {}

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
    /// To be called now and then while a message waits. `taken`: the peer's kernel has all that was sent. When that is
    /// so and still no acknowledgement comes, none will, and this one lets go for good.
    void on_held(bool taken, TimePoint now);

    /// It let go a moment ago, and the server has acknowledged nothing since: what goes out now may be read by nobody.
    /// Of a server that is frozen the kernels take some seconds more.
    [[nodiscard]] bool is_in_doubt(TimePoint now) const;

    /// They come so often, and are a count: what is sent is measured by them.
    [[nodiscard]] bool is_believed() const { return !miscounts_ && !gave_up_ && often_enough_ >= acks_wanted_; }
    /// What the server says is no running count of all that was sent; it never will be.
    [[nodiscard]] bool miscounts() const noexcept { return miscounts_; }

private:
    static constexpr std::uint32_t kFiner = 4;
    static constexpr auto kNever = std::chrono::nanoseconds::max();
    struct Sent {
        std::uint64_t total;
        TimePoint at;
    };

    void count(std::uint32_t number, TimePoint now);
    void note_miscount();
    void measure_way(std::chrono::nanoseconds delay, TimePoint now);
    void measure_limited_way(std::chrono::nanoseconds delay, TimePoint now);
    void measure_rate(TimePoint now);
    void adjust(std::chrono::nanoseconds delay, std::uint64_t newly_read, TimePoint now);
    void set_limited(bool limited, TimePoint now);
    [[nodiscard]] std::uint64_t under_way() const { return sent_ - read_; }
    [[nodiscard]] std::chrono::nanoseconds age_of(std::uint64_t byte, TimePoint now) const;

    const unsigned acks_wanted_;
    bool miscounts_;
    std::optional<TimePoint> gave_up_;       // waiting for acknowledgements
    bool in_doubt_ = false;                  // none has come since
    std::optional<TimePoint> silent_since_;  // nothing sent, nothing acknowledged, all taken
    std::uint32_t window_ = 0;               // on a good road
    std::uint64_t sent_ = 0;
    std::deque<Sent> log_;  // what is not known to be read

    bool heard_ = false;
    unsigned often_enough_ = 0;           // acknowledgements so near to the one before
    std::uint32_t number_ = 0;            // of the newest acknowledgement
    std::uint64_t spacing_ = UINT64_MAX;  // between acknowledgements, at the least: with more under way one has to come
    std::uint64_t read_ = 0;              // by its count
    // The shortest delay while not limited, in the present ten seconds and those before.
    std::chrono::nanoseconds way_ = kNever;
    std::chrono::nanoseconds way_before_ = kNever;
    TimePoint way_since_{};

    std::chrono::nanoseconds late_{0};  // see adjust()
    double bytes_per_second_ = 0;
    TimePoint rate_since_{};
    std::uint64_t rate_from_ = 0;

    bool limited_ = false;
    TimePoint limited_since_{};
    std::chrono::nanoseconds limited_way_ = kNever;
    std::uint64_t limit_ = 0;  // bytes under way, while limited_
    TimePoint limit_met_{};    // when it last mattered
};

}  // namespace ringcast::sink
