// SPDX-License-Identifier: Apache-2.0
// One writer and three readers at full speed on one mapping: no torn record is accepted, and every reader's
// delivered + lost = written. Short by default; RINGCAST_SOAK=1 makes it minutes. Meant for ThreadSanitizer too: the
// payload is touched by relaxed atomic words here, so what TSan reports is the ring's own code.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "private_ring.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

std::chrono::milliseconds duration() {
    return std::getenv("RINGCAST_SOAK") != nullptr ? 60'000ms : 1'500ms;
}

std::uint64_t word_of(std::uint64_t index, std::uint64_t place) {
    std::uint64_t x = index * 0x9e3779b97f4a7c15ULL + place * 0xbf58476d1ce4e5b9ULL + 1;
    x ^= x >> 31;
    return x * 0x94d049bb133111ebULL;
}

std::atomic_ref<std::uint64_t> word_at(const std::byte* payload, std::uint64_t place) {
    return std::atomic_ref<std::uint64_t>(
        *reinterpret_cast<std::uint64_t*>(const_cast<std::byte*>(payload) + place * 8));
}

struct Load {
    std::uint64_t slots;
    std::uint64_t arena;
    std::uint64_t largest_words;
};

class RingThreads : public testing::TestWithParam<Load> {
protected:
    /// At least until `end`, and until each race this is about has happened (a watchdog ends a hopeless wait).
    void write_until(steady_clock::time_point end) {
        FlowWriter writer(ring_.memory());
        RecordFields fields;
        fields.caps = make_caps(AudioFormat{SampleFormat::s16, 48000, 1});
        std::mt19937_64 random(1);
        const auto watchdog = end + 60s;
        while (steady_clock::now() < end || (!has_happened() && steady_clock::now() < watchdog)) {
            for (int burst = 0; burst < 64; ++burst) {
                const std::uint64_t words = random() % (GetParam().largest_words + 1);
                const auto payload = writer.begin(words * 8).value();
                const std::uint64_t index = writer.next_index();
                for (std::uint64_t place = 0; place < words; ++place) {
                    word_at(payload.data(), place).store(word_of(index, place), std::memory_order_relaxed);
                }
                if (random() % 64 == 0) continue;  // aborted: the next begin() has the same index and other bytes
                fields.media_index = index;
                fields.sample_count = static_cast<std::uint32_t>(words * 4);  // torn fields disagree: damage
                fields.session = words;
                fields.stream_id = static_cast<std::uint32_t>(index);
                writer.commit(fields);
            }
            if (random() % 8 == 0) std::this_thread::yield();
        }
        ring_.header().ended.store(1, std::memory_order_release);
    }

    struct Seen {
        std::atomic<std::uint64_t> torn{0};
        std::atomic<std::uint64_t> delivered{0};
        std::atomic<std::uint64_t> rejected{0};
        std::uint64_t first = 0;  // the index it began at: its thread may start after the writer
        ReadCounts counts;
    };
    /// Each reader got records, and one was taken away under a reader.
    bool has_happened() const {
        std::uint64_t rejected = 0;
        for (const Seen& reader : seen_) {
            if (reader.delivered == 0) return false;
            rejected += reader.rejected;
        }
        return rejected > 0;
    }
    /// `pause` runs in the middle of using a record: where a slow reader is overtaken.
    template <class Pause>
    void read_to_end(Seen& seen, Pause pause) {
        RingReader reader(ring_.memory());
        seen.first = reader.cursor();
        for (;;) {
            bool whole = false;
            const ReadStatus status = reader.try_read([&](const Record& record) {
                const std::uint64_t words = record.payload.size() / 8;
                whole = record.media_index == record.index && record.session == words &&
                        record.stream_id == static_cast<std::uint32_t>(record.index);
                for (std::uint64_t place = 0; place < words; ++place) {
                    if (place == words / 2) pause(record.index);
                    const std::uint64_t word = word_at(record.payload.data(), place).load(std::memory_order_relaxed);
                    whole = whole && word == word_of(record.index, place);
                }
            });
            if (status == ReadStatus::ok) ++(whole ? seen.delivered : seen.torn);
            if (status == ReadStatus::overrun) ++seen.rejected;
            if (status == ReadStatus::ended || status == ReadStatus::damaged) {
                EXPECT_EQ(status, ReadStatus::ended);
                seen.counts = reader.counts();
                return;
            }
        }
    }

    PrivateRing ring_{GetParam().slots, GetParam().arena, 0, FlowKind::audio};
    std::array<Seen, 3> seen_;
};

TEST_P(RingThreads, accept_no_torn_record_and_account_for_all) {
    const auto end = steady_clock::now() + duration();
    std::vector<std::thread> threads;
    threads.emplace_back([&] { read_to_end(seen_[0], [](std::uint64_t) {}); });
    threads.emplace_back([&] { read_to_end(seen_[1], [](std::uint64_t) { std::this_thread::yield(); }); });
    threads.emplace_back([&] {
        read_to_end(seen_[2], [](std::uint64_t index) {
            if (index % 7 == 0) std::this_thread::sleep_for(200us);
        });
    });
    threads.emplace_back([&] { write_until(end); });
    for (std::thread& thread : threads)
        thread.join();
    const std::uint64_t written = ring_.header().head.load();
    for (const Seen& reader : seen_) {
        EXPECT_EQ(reader.torn, 0U);
        EXPECT_EQ(reader.counts.delivered, reader.delivered);
        EXPECT_EQ(reader.counts.delivered + reader.counts.overrun + reader.counts.aborted, written - reader.first);
        EXPECT_EQ(reader.counts.aborted, 0U);
    }
    EXPECT_TRUE(has_happened()) << written << " written";
}

// The end of a stream is one moment; many streams make the race around it likely.
TEST(RingEnd, is_never_seen_before_the_last_record) {
    std::atomic<PrivateRing*> next{nullptr};
    std::atomic<bool> looking{false};
    std::atomic<bool> stop{false};
    unsigned rounds = 0;
    unsigned short_reads = 0;
    std::thread reading([&] {
        while (!stop) {
            PrivateRing* ring = next.load(std::memory_order_acquire);
            if (ring == nullptr) {
                std::this_thread::yield();
                continue;
            }
            RingReader reader(ring->memory());
            looking.store(true, std::memory_order_release);
            while (reader.try_read([](const Record&) {}) != ReadStatus::ended) {
            }
            if (reader.counts().delivered != 3) ++short_reads;
            looking.store(false, std::memory_order_relaxed);
            next.store(nullptr, std::memory_order_release);  // the ring may go
        }
    });
    for (const auto end = steady_clock::now() + duration(); steady_clock::now() < end; ++rounds) {
        PrivateRing ring(4, 256);
        FlowWriter writer(ring.memory());
        next.store(&ring, std::memory_order_release);
        while (!looking.load(std::memory_order_acquire))
            std::this_thread::yield();
        for (unsigned n = 0; n < 3; ++n) {
            ASSERT_TRUE(writer.begin(0));
            writer.commit({});
        }
        ring.header().ended.store(1, std::memory_order_release);
        while (next.load(std::memory_order_acquire) != nullptr)
            std::this_thread::yield();
    }
    stop = true;
    reading.join();
    EXPECT_EQ(short_reads, 0U);
    EXPECT_GT(rounds, 0U);
}

INSTANTIATE_TEST_SUITE_P(Loads, RingThreads,
                         testing::Values(Load{4, 1 << 20, 64},        // slots run out first
                                         Load{1024, 1 << 14, 128}));  // the arena runs out first, with wraps

}  // namespace
