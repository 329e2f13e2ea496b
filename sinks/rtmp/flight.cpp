// SPDX-License-Identifier: Apache-2.0
#include "rtmp/flight.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::sink {

using namespace std::chrono_literals;

namespace {

// What may lie between us and the server beyond the network's own delay; at a sudden change it is twice as much for a
// moment, and all of it has to stay below a second.
constexpr std::chrono::nanoseconds kLate = 300ms;
constexpr std::chrono::nanoseconds kSoon = 150ms;
constexpr std::chrono::nanoseconds kMostRoundTrip = 400ms;  // beyond it, it is a queue on the way
constexpr std::chrono::nanoseconds kRateSpan = 700ms;       // proxies read in gulps
constexpr std::chrono::nanoseconds kWaySpan = 10s;
constexpr std::chrono::nanoseconds kLimitedSpan = 30s;
constexpr std::chrono::nanoseconds kUnlimitedAfter = 2s;
constexpr std::uint64_t kSeldom = 16;       // times the window: such a server does not do as it is asked
constexpr std::uint64_t kHandshake = 3073;  // some do not count it
// Servers begin anew a while before 2^32 (nginx-rtmp and node-media-server at 0xF0000000). livego falls each time: its
// number is what came since the one before.
constexpr std::uint32_t kBeginsAnew = 0xE0000000;
// A proxy that reads in gulps is as silent for so long, and what waits still fits a queue of two seconds.
constexpr std::chrono::nanoseconds kSilence = 1900ms;
// What kernels take of a stream that nobody reads, at 0.5 Mb/s and more; and well before the host's watchdog ends the
// connection to a server that reads and no longer acknowledges.
constexpr std::chrono::nanoseconds kDoubt = 6s;
// One that was frozen does not acknowledge just when it is sent more; one that had been waiting for it does.
constexpr std::chrono::nanoseconds kAtOnce = 500ms;
// A server that stops to acknowledge must not make us remember for ever.
constexpr std::size_t kMostRemembered = 4096;

}  // namespace

/// Ten times a second: fine enough to see it coming, and nothing beside the packets themselves.
void Flight::expect(std::uint64_t bytes_per_second) {
    window_ = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(bytes_per_second / 10, 4 * 1024, 256 * 1024));
}

void Flight::on_sent(std::uint64_t total, TimePoint now) {
    if (total == sent_) return;
    sent_ = total;
    silent_since_.reset();
    log_.push_back({total, now});
    if (log_.size() > kMostRemembered) log_.pop_front();
}

void Flight::on_acknowledged(std::uint32_t number, std::chrono::nanoseconds round_trip, TimePoint now) {
    // Before this one: a proxy that reads in gulps has everything acknowledged at once.
    if (under_way() >= limit_ / 2) limit_met_ = now;
    const std::uint64_t before = read_;
    count(number, now);
    const auto delay = age_of(read_, now);
    while (!log_.empty() && log_.front().total < read_)
        log_.pop_front();
    measure_way(delay, now);
    late_ = kLate + std::max(std::min(way_, way_before_), std::min(round_trip, kMostRoundTrip));
    measure_rate(now);
    if (is_believed()) adjust(delay, read_ - before, now);
}

void Flight::count(std::uint32_t number, TimePoint now) {
    const std::uint32_t further = number - number_;
    const std::uint32_t before = std::exchange(number_, number);
    if (!std::exchange(heard_, true)) {
        read_ = std::min<std::uint64_t>(number, sent_);
        return;
    }
    if (further == 0) return;
    silent_since_.reset();
    in_doubt_ = false;
    const bool began_anew = further > UINT32_MAX / 2;
    if (began_anew && before < kBeginsAnew) note_miscount();
    if (gave_up_ && now - *gave_up_ < kAtOnce) note_miscount();
    const std::uint64_t distance = began_anew ? window() : further;
    read_ = std::min(read_ + distance, sent_);
    spacing_ = std::min(distance, spacing_);
    if (distance <= kSeldom * window_) ++often_enough_;
}

void Flight::note_miscount() {
    miscounts_ = true;
    limited_ = false;
}

void Flight::on_held(bool taken, TimePoint now) {
    if (!taken) return silent_since_.reset();
    if (!silent_since_) silent_since_ = now;
    if (now - *silent_since_ < kSilence) return;
    gave_up_ = now;
    in_doubt_ = true;
    limited_ = false;
}

bool Flight::is_in_doubt(TimePoint now) const {
    return in_doubt_ && now - *gave_up_ < kDoubt;
}

/// The server is asked for another window then.
void Flight::set_limited(bool limited, TimePoint now) {
    if (!std::exchange(limited_, limited) && limited) {
        limited_since_ = now;
        limited_way_ = kNever;
    }
    spacing_ = std::max<std::uint64_t>(spacing_, window());
}

void Flight::measure_way(std::chrono::nanoseconds delay, TimePoint now) {
    if (limited_) return measure_limited_way(delay, now);
    if (now - way_since_ > kWaySpan) {
        way_before_ = std::exchange(way_, kNever);
        way_since_ = now;
    }
    way_ = std::min(way_, delay);
}

/// What waits on the way is in every delay now. But when even the shortest of ten seconds was late, with next to
/// nothing under way, the way has become longer.
void Flight::measure_limited_way(std::chrono::nanoseconds delay, TimePoint now) {
    limited_way_ = std::min(limited_way_, delay);
    if (now - limited_since_ < kLimitedSpan) return;
    if (limited_way_ > late_ + kSoon && limit_ <= 2 * spacing_) way_ = way_before_ = limited_way_;
    limited_way_ = kNever;
    limited_since_ = now;
}

void Flight::measure_rate(TimePoint now) {
    const std::chrono::duration<double> span = now - rate_since_;
    if (span < kRateSpan) return;
    bytes_per_second_ = static_cast<double>(read_ - rate_from_) / span.count();
    rate_since_ = now;
    rate_from_ = read_;
}

/// Late: no more than is read in that time, at the rate of late. Soon: more with each round. In between it is
/// as it should be. What has not been met for a while is no limit.
void Flight::adjust(std::chrono::nanoseconds delay, std::uint64_t newly_read, TimePoint now) {
    const auto in_time =
        kHandshake + static_cast<std::uint64_t>(bytes_per_second_ * std::chrono::duration<double>(late_).count());
    if (delay > late_) {
        set_limited(true, now);
        limit_met_ = now;
        limit_ = in_time;
    } else if (limited_ && delay < late_ - kSoon) {
        limit_ = std::max(limit_, std::min(limit_ + newly_read, 2 * in_time));
    }
    if (limited_ && now - limit_met_ > kUnlimitedAfter) set_limited(false, now);
}

/// Less than two acknowledgements' worth is never too much: nothing would be acknowledged.
bool Flight::is_full_for(std::uint64_t bytes, TimePoint now) const {
    if (!is_believed()) return false;
    const std::uint64_t due = spacing_ + kHandshake;
    if (limited_) return under_way() >= due + spacing_ && under_way() + bytes > limit_;
    return under_way() > due && age_of(read_ + due, now) > late_;
}

/// Since when that byte has been out; 0: it has just gone, or not yet.
std::chrono::nanoseconds Flight::age_of(std::uint64_t byte, TimePoint now) const {
    const auto sent = std::lower_bound(log_.begin(), log_.end(), byte,
                                       [](const Sent& each, std::uint64_t wanted) { return each.total < wanted; });
    return sent == log_.end() ? std::chrono::nanoseconds(0) : now - sent->at;
}

}  // namespace ringcast::sink
