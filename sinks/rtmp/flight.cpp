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
constexpr std::chrono::nanoseconds kOffsetSpan = 10s;
constexpr std::chrono::nanoseconds kUnlimitedAfter = 2s;
constexpr std::uint64_t kSeldom = 4;  // times the window: such a server does not do as it is asked
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
    log_.push_back({total, now});
    if (log_.size() > kMostRemembered) log_.pop_front();
}

void Flight::on_acknowledged(std::uint32_t number, std::chrono::nanoseconds round_trip, TimePoint now) {
    late_ = kLate + std::min(round_trip, kMostRoundTrip);
    count(number);
    if (!limited_) measure_offset(now);
    const std::uint64_t before = read_;
    read_ = std::clamp(counted_ + std::min(offset_, offset_before_), read_, sent_);
    const auto delay = age_of(read_, now);
    while (!log_.empty() && log_.front().total < read_)
        log_.pop_front();
    measure_rate(now);
    if (believed_) adjust(delay, read_ - before, now);
}

void Flight::count(std::uint32_t number) {
    const std::uint32_t further = number - number_;
    number_ = number;
    if (!std::exchange(heard_, true)) {
        counted_ = std::min<std::uint64_t>(number, sent_);
        return;
    }
    const bool began_anew = further > UINT32_MAX / 2;  // some do before 2^32
    const std::uint64_t distance = began_anew ? window() : further;
    counted_ += distance;
    spacing_ = std::min(distance, spacing_);
    often_enough_ = distance <= kSeldom * window_ ? often_enough_ + 1 : 0;
    believed_ = believed_ || often_enough_ >= acks_wanted_;
}

/// The server is asked for another window then.
void Flight::set_limited(bool limited) {
    limited_ = limited;
    spacing_ = std::max<std::uint64_t>(spacing_, window());
}

void Flight::measure_offset(TimePoint now) {
    if (now - offset_since_ > kOffsetSpan) {
        offset_before_ = offset_;
        offset_ = UINT64_MAX;
        offset_since_ = now;
    }
    offset_ = std::min(offset_, sent_ - std::min(sent_, counted_));
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
    const auto in_time = static_cast<std::uint64_t>(bytes_per_second_ * std::chrono::duration<double>(late_).count());
    if (delay > late_) {
        set_limited(true);
        limit_met_ = now;
        limit_ = in_time;
    } else if (limited_ && delay < late_ - kSoon) {
        limit_ = std::max(limit_, std::min(limit_ + newly_read, 2 * in_time));
    }
    if (under_way() >= limit_ / 2) limit_met_ = now;
    if (limited_ && now - limit_met_ > kUnlimitedAfter) set_limited(false);
}

/// Less than two acknowledgements' worth is never too much: nothing would be acknowledged.
bool Flight::is_full_for(std::uint64_t bytes, TimePoint now) const {
    if (!believed_) return false;
    if (limited_) return under_way() >= 2 * spacing_ && under_way() + bytes > limit_;
    return under_way() > spacing_ && age_of(read_ + spacing_, now) > late_;
}

/// Since when that byte has been out; 0: it has just gone, or not yet.
std::chrono::nanoseconds Flight::age_of(std::uint64_t byte, TimePoint now) const {
    const auto sent = std::lower_bound(log_.begin(), log_.end(), byte,
                                       [](const Sent& each, std::uint64_t wanted) { return each.total < wanted; });
    return sent == log_.end() ? std::chrono::nanoseconds(0) : now - sent->at;
}

}  // namespace ringcast::sink
