// SPDX-License-Identifier: Apache-2.0
/// What is under way on a road with a large buffer, against a server that acknowledges; the clock is the test's.
#include "rtmp/flight.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <utility>

namespace ringcast::sink {
namespace {

using namespace std::chrono_literals;

constexpr double kAnyRate = std::numeric_limits<double>::infinity();
constexpr double kFrozen = 0;

struct RoadCase {
    double bytes_per_second = 125'000;
    std::chrono::milliseconds round_trip = 1ms;
    std::int64_t shaken_hands = 0;           ///< bytes before the first packet, which the server does not count
    bool heeds_the_window = true;            ///< false: it acknowledges every 2.5 MB
    std::uint32_t counts_from = 0;           ///< the server's first number
    std::chrono::milliseconds hidden = 0ms;  ///< round trip behind a proxy, of which our TCP knows nothing
    double gulp = 0;  ///< the road reads so much, waits for as long as that takes, and hands it on
    AckTrust trust = AckTrust::full;
    bool counts_anew = false;              ///< the server's number is of what came since the one before
    double counted = 1;                    ///< the part of what it reads that it counts
    std::chrono::milliseconds heap = 0ms;  ///< its acknowledgements come together, so often
};

/// 50 packets a second, a large one each second; what cannot go waits for 2 s and is then thrown away.
class Road : public testing::Test {
protected:
    void begin(const RoadCase& words) {
        words_ = words;
        flight_ = std::make_unique<Flight>(words.trust);
        flight_->expect(static_cast<std::uint64_t>(words.bytes_per_second));
        counted_ = acknowledged_ = words.counts_from;
        sent_ = words.shaken_hands;
        queue_.clear();
        road_.clear();
        answers_.clear();
        gulp_ = read_bytes_ = 0;
        acknowledges_ = true;
    }

    /// The road's buffer has no end.
    void pass(std::chrono::milliseconds time, double road_rate) {
        worst_ = worst_age_ = 0s;
        for (const auto end = now_ + time; now_ < end; now_ += 1ms) {
            if (now_.time_since_epoch() % 20ms == 0ms) make_packet();
            send();
            travel(road_rate);
            hear();
        }
    }

    void make_packet() {
        const bool large = now_.time_since_epoch() % 1s == 0ms;
        const double size = words_.bytes_per_second / 50 * (large ? 10.8 : 0.8);
        queue_.push_back({now_, size});
        if (now_ - queue_.front().made > 2s) queue_.clear();
    }

    void send() {
        while (!queue_.empty() && !flight_->is_full_for(static_cast<std::uint64_t>(queue_.front().size), now_)) {
            queue_.front().sent = now_;
            sent_ += std::llround(queue_.front().size);
            road_.push_back(queue_.front());
            queue_.pop_front();
            flight_->on_sent(static_cast<std::uint64_t>(sent_), now_);
        }
        if (!queue_.empty()) flight_->on_held(is_taken(), now_);
    }

    /// Our TCP has nothing left; a proxy's may.
    [[nodiscard]] bool is_taken() const { return road_.empty() || words_.hidden > 0ms || words_.gulp > 0; }

    void travel(double rate) {
        double left = words_.gulp > 0 ? swallow(rate) : rate / 1000;
        while (!road_.empty() && road_.front().sent + (words_.round_trip + words_.hidden) / 2 <= now_ && left > 0) {
            Packet& packet = road_.front();
            const double part = std::min(left, packet.size - packet.read);
            packet.read += part;
            left -= part;
            counted_ += part * words_.counted;
            if (packet.read < packet.size - 1e-6) break;
            worst_ = std::max<std::chrono::nanoseconds>(worst_, now_ - packet.sent);
            worst_age_ = std::max<std::chrono::nanoseconds>(worst_age_, now_ - packet.made);
            read_bytes_ += packet.size;
            road_.pop_front();
        }
        const double since = counted_ - acknowledged_;
        if (!acknowledges_ || since < (words_.heeds_the_window ? flight_->window() : 2.5e6)) return;
        acknowledged_ = counted_;
        auto due = now_ + (words_.round_trip + words_.hidden) / 2;
        if (words_.heap > 0ms) due += words_.heap - due.time_since_epoch() % words_.heap;
        answers_.push_back({due, static_cast<std::uint64_t>(words_.counts_anew ? since : counted_)});
    }

    /// What the road hands on now.
    double swallow(double rate) {
        if (rate == kAnyRate || rate == kFrozen) return rate;
        if (gulp_ == 0) {
            for (const Packet& packet : road_)
                gulp_ += packet.size - packet.read;
            gulp_ = std::min(gulp_, words_.gulp);
            gulp_due_ = now_ + std::chrono::nanoseconds(std::llround(gulp_ / rate * 1e9));
        }
        return now_ < gulp_due_ ? 0 : std::exchange(gulp_, 0);
    }

    void hear() {
        while (!answers_.empty() && answers_.front().due <= now_) {
            flight_->on_acknowledged(static_cast<std::uint32_t>(answers_.front().number), words_.round_trip, now_);
            answers_.pop_front();
        }
    }

    [[nodiscard]] double half() const { return words_.bytes_per_second / 2; }

    struct Packet {
        Flight::TimePoint made;
        double size;
        Flight::TimePoint sent{};
        double read = 0;
    };
    struct Answer {
        Flight::TimePoint due;
        std::uint64_t number;
    };

    RoadCase words_;
    std::unique_ptr<Flight> flight_;
    Flight::TimePoint now_{1h};
    std::deque<Packet> queue_;
    std::deque<Packet> road_;
    std::deque<Answer> answers_;
    std::int64_t sent_ = 0;
    double counted_ = 0;
    double acknowledged_ = 0;
    double read_bytes_ = 0;
    bool acknowledges_ = true;
    double gulp_ = 0;
    Flight::TimePoint gulp_due_{};
    std::chrono::nanoseconds worst_{0};      // from sent to read, since pass() began
    std::chrono::nanoseconds worst_age_{0};  // from made to read
};

TEST_F(Road, at_half_the_rate_nothing_is_under_way_for_a_second_at_any_rate_and_the_road_is_used) {
    for (const double rate : {30'000.0, 125'000.0, 375'000.0, 750'000.0, 2'500'000.0}) {
        for (const auto round_trip : {1ms, 40ms, 200ms}) {
            SCOPED_TRACE(testing::Message() << rate << " bytes/s, " << round_trip.count() << " ms");
            begin({.bytes_per_second = rate, .round_trip = round_trip});
            pass(20s, kAnyRate);
            EXPECT_LE(worst_age_, 100ms + round_trip) << "nothing is held back on a good road";
            pass(6s, half());
            EXPECT_LE(worst_, 1000ms + round_trip);
            read_bytes_ = 0;
            pass(60s, half());
            EXPECT_LE(worst_, 1000ms + round_trip);
            EXPECT_LE(worst_age_, 3s + round_trip);
            EXPECT_GT(read_bytes_, 0.9 * 60 * half()) << "it is used";
            pass(5s, kAnyRate);
            pass(20s, kAnyRate);
            EXPECT_LE(worst_age_, 100ms + round_trip) << "and free again";
        }
    }
}

TEST_F(Road, a_road_that_is_narrow_from_the_beginning_is_kept_short_as_well) {
    begin({});
    pass(10s, half());
    EXPECT_LE(worst_age_, 3500ms) << "it does not know a better one yet";
    pass(30s, half());
    EXPECT_LE(worst_, 1200ms);
    begin({.gulp = 65'536});
    pass(10s, half());
    pass(30s, half());
    EXPECT_LE(worst_age_, 3s);
}

TEST_F(Road, a_way_behind_a_proxy_that_is_long_but_wide_is_not_held_back) {
    for (const auto hidden : {100ms, 250ms, 600ms}) {
        begin({.bytes_per_second = 375'000, .hidden = hidden});
        pass(20s, kAnyRate);
        for (const double rate : {375'000.0, 40'000.0, 375'000.0}) {
            words_.bytes_per_second = rate;
            pass(20s, kAnyRate);
            EXPECT_LE(worst_age_, hidden / 2 + 100ms) << rate << " with " << hidden.count();
        }
    }
}

TEST_F(Road, a_way_that_becomes_longer_is_held_back_for_a_while_only) {
    begin({.bytes_per_second = 375'000});
    pass(20s, kAnyRate);
    words_.hidden = 1s;
    pass(1min, kAnyRate);
    pass(20s, kAnyRate);
    EXPECT_LE(worst_age_, 1s);
}

TEST_F(Road, a_proxy_that_reads_in_gulps_as_large_as_it_can_gets_small_ones) {
    for (const double rate : {62'500.0, 125'000.0, 375'000.0}) {
        begin({.bytes_per_second = rate, .gulp = 65'536});
        pass(20s, kAnyRate);
        pass(10s, half());
        read_bytes_ = 0;
        pass(60s, half());
        EXPECT_LE(worst_, 1200ms) << rate;
        EXPECT_LE(worst_age_, 3s) << rate;
        EXPECT_GT(read_bytes_, 0.75 * 60 * half()) << "it is used";
        pass(5s, kAnyRate);
        pass(20s, kAnyRate);
        EXPECT_LE(worst_age_, 100ms) << rate;
    }
}

TEST_F(Road, a_road_that_is_a_quarter_as_wide_and_one_that_changes_are_kept_short_too) {
    begin({});
    pass(20s, kAnyRate);
    for (const double part : {0.25, 0.6, 0.4, 0.9, 0.3, 0.5}) {
        pass(4s, part * words_.bytes_per_second);
        pass(6s, part * words_.bytes_per_second);
        EXPECT_LE(worst_, 1600ms) << part;
    }
}

TEST_F(Road, a_frozen_road_takes_half_a_second_s_worth_and_is_free_again_at_once) {
    begin({});
    pass(20s, kAnyRate);
    const std::int64_t before = sent_;
    pass(2s, kFrozen);
    EXPECT_LE(static_cast<double>(sent_ - before), 0.7 * words_.bytes_per_second);
    pass(8s, kFrozen);
    EXPECT_LE(static_cast<double>(sent_ - before), 0.7 * words_.bytes_per_second) << "and no more, however long";
    pass(3s, kAnyRate);
    pass(20s, kAnyRate);
    EXPECT_LE(worst_age_, 100ms);
}

TEST_F(Road, a_server_that_does_not_count_the_handshake_is_not_waited_for_when_the_stream_is_thin) {
    begin({.bytes_per_second = 125'000, .shaken_hands = 3073});
    pass(20s, kAnyRate);
    words_.bytes_per_second = 4'000;
    pass(5min, kAnyRate);
    EXPECT_LE(worst_age_, 100ms);
}

TEST_F(Road, a_count_that_wraps_around_changes_nothing) {
    begin({.counts_from = UINT32_MAX - 3'000'000});
    pass(20s, kAnyRate);
    pass(60s, kAnyRate);
    EXPECT_LE(worst_age_, 100ms);
    pass(6s, half());
    pass(20s, half());
    EXPECT_LE(worst_, 900ms);
}

TEST_F(Road, a_server_that_acknowledges_seldom_is_sent_what_tcp_takes) {
    begin({.heeds_the_window = false});
    pass(200s, kAnyRate);
    EXPECT_LE(worst_age_, 100ms);
    pass(10s, kFrozen);
    EXPECT_FALSE(flight_->is_full_for(1000, now_));
}

TEST_F(Road, a_server_that_counts_anew_after_each_acknowledgement_is_found_out_and_sent_what_tcp_takes) {
    for (const auto heap : {0ms, 300ms, 1000ms}) {
        for (const double rate : {30'000.0, 125'000.0, 2'500'000.0}) {
            SCOPED_TRACE(testing::Message() << rate << " bytes/s, heaps of " << heap.count() << " ms");
            begin({.bytes_per_second = rate, .counts_anew = true, .heap = heap});
            pass(5min, kAnyRate);
            EXPECT_LE(worst_age_, 100ms);
            EXPECT_GT(read_bytes_, 0.99 * 300 * rate);
            EXPECT_TRUE(flight_->miscounts());
        }
    }
}

TEST_F(Road, a_server_that_counts_a_part_only_is_waited_for_once) {
    for (const double counted : {0.95, 0.99, 0.997}) {
        for (const double rate : {30'000.0, 125'000.0, 2'500'000.0}) {
            SCOPED_TRACE(testing::Message() << rate << " bytes/s, of which " << counted << " are counted");
            begin({.bytes_per_second = rate, .counted = counted});
            for (int waits = 0, minutes = 0; minutes < 30; ++minutes) {
                read_bytes_ = 0;
                pass(1min, kAnyRate);
                EXPECT_GT(read_bytes_, 0.99 * 60 * rate) << "nothing is lost by it";
                if (worst_age_ > 100ms) ++waits;
                EXPECT_LE(worst_age_, 2100ms);
                EXPECT_LE(waits, 1);
                EXPECT_TRUE(waits == 0 || flight_->miscounts());
            }
        }
    }
}

TEST_F(Road, a_server_that_stops_to_acknowledge_is_waited_for_once) {
    begin({});
    pass(20s, kAnyRate);
    EXPECT_FALSE(flight_->is_in_doubt(now_));
    acknowledges_ = false;
    read_bytes_ = 0;
    pass(3s, kAnyRate);
    EXPECT_TRUE(flight_->is_in_doubt(now_));
    pass(7s, kAnyRate);
    EXPECT_FALSE(flight_->is_in_doubt(now_)) << "a frozen one would have taken no more";
    EXPECT_LE(worst_age_, 2100ms);
    EXPECT_GT(read_bytes_, 0.99 * 10 * words_.bytes_per_second) << "and nothing is lost by it";
    pass(5min, kAnyRate);
    EXPECT_LE(worst_age_, 100ms);
    EXPECT_FALSE(flight_->miscounts()) << "it may have been frozen";
    pass(2s, kFrozen);
    EXPECT_FALSE(flight_->is_full_for(1000, now_));
}

TEST_F(Road, one_that_says_the_same_number_again_and_again_has_stopped_to_acknowledge) {
    begin({});
    pass(20s, kAnyRate);
    acknowledges_ = false;
    read_bytes_ = 0;
    for (int i = 0; i < 100; ++i) {
        flight_->on_acknowledged(static_cast<std::uint32_t>(acknowledged_), 1ms, now_);
        pass(100ms, kAnyRate);
        EXPECT_LE(worst_age_, 2100ms);
    }
    EXPECT_GT(read_bytes_, 0.99 * 10 * words_.bytes_per_second);
}

TEST_F(Road, one_that_is_known_to_miscount_is_never_believed) {
    begin({.trust = AckTrust::none});
    pass(60s, kAnyRate);
    pass(2s, kFrozen);
    EXPECT_FALSE(flight_->is_full_for(1000, now_));
}

TEST_F(Road, a_wary_one_wants_acknowledgements_for_a_good_while) {
    begin({.trust = AckTrust::wary});
    pass(5s, kAnyRate);
    pass(2s, kFrozen);
    EXPECT_FALSE(flight_->is_full_for(1000, now_));
    pass(20s, kAnyRate);
    pass(2s, kFrozen);
    EXPECT_TRUE(flight_->is_full_for(1000, now_));
}

TEST_F(Road, a_stream_that_grows_tenfold_at_once_is_not_held_back) {
    begin({.bytes_per_second = 750'000, .round_trip = 200ms});
    words_.bytes_per_second = 50'000;
    pass(30s, kAnyRate);
    words_.bytes_per_second = 750'000;
    pass(10s, kAnyRate);
    EXPECT_LE(worst_age_, 350ms);
}

}  // namespace
}  // namespace ringcast::sink
