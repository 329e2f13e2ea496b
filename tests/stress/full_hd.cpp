// SPDX-License-Identifier: Apache-2.0
// Real frame sizes: 1080p, eight readers in processes of their own, and writers that are killed wherever they are.
// Short by default; RINGCAST_SOAK=1 makes it ten minutes.
#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>

#include "bus_fixture.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

constexpr std::size_t kReaders = 8;
constexpr std::size_t kWords = std::size_t{1920} * 1080 * 3 / 8;

bool is_soak() {
    return std::getenv("RINGCAST_SOAK") != nullptr;
}

/// A frame in which every word names the life of its writer and its number, so that a foreign word shows.
std::uint64_t word_of(std::uint64_t life, std::uint64_t number) {
    return (life << 40U | number) * 0x9e3779b97f4a7c15ULL + 1;
}

void fill(std::span<std::byte> pixels, std::uint64_t word, std::size_t from = 0, std::size_t to = kWords) {
    auto* words = reinterpret_cast<std::uint64_t*>(pixels.data());
    std::fill(words + from, words + to, word);
}

struct Tally {
    std::atomic<std::uint64_t> written{0};
    std::array<std::atomic<std::uint64_t>, kReaders> delivered{};
    std::array<std::atomic<std::uint64_t>, kReaders> lost{};
    std::atomic<std::uint64_t> torn{0};
    std::atomic<bool> watched{false};
};

class FullHd : public BusTest {
protected:
    FullHd()
        : tally_(*new (::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                     Tally) {}

    ProducerOptions full_hd() const {
        ProducerOptions wanted = video_only();
        wanted.video = VideoFormat{PixelFormat::rgb24, 1920, 1080, {25, 1}};
        wanted.video_depth = 320ms;
        return wanted;
    }

    /// Reads to the end of the stream; in place, every word.
    ReadCounts read_to_end(BusReader& bus) const {
        FlowReader& flow = *bus.flow(FlowKind::video);
        for (;;) {
            const std::uint32_t ticket = bus.ticket();
            bool whole = true;
            const ReadStatus status = flow.try_read([&](const Record& record) {
                const auto* words = reinterpret_cast<const std::uint64_t*>(record.payload.data());
                const std::uint64_t first = words[0];
                std::uint64_t differs = 0;
                for (std::size_t i = 0; i < kWords; ++i)
                    differs |= words[i] ^ first;
                whole = differs == 0;
            });
            if (status == ReadStatus::ok && !whole) ++tally_.torn;
            if (status == ReadStatus::ended || status == ReadStatus::damaged) return flow.counts();
            if (status == ReadStatus::not_yet) bus.wait(ticket, steady_clock::now() + 1s);
        }
    }

    Tally& tally_;
};

TEST_F(FullHd, eight_readers_accept_nothing_torn_and_account_for_every_frame) {
    Child writer([&](const auto& ready) {
        Producer producer(full_hd());
        ready(1);
        if (!producer.wait_readers(kReaders, 60s)) ::_exit(3);
        std::vector<std::byte> pixels(kWords * 8);
        const auto end = steady_clock::now() + (is_soak() ? 600s : 3s);
        for (std::uint64_t n = 0; steady_clock::now() < end; ++n) {
            fill(pixels, word_of(0, n));
            producer.write_video(pixels);
            ++tally_.written;
            if (n % 16 == 0) std::this_thread::sleep_for(3ms);  // some frames are to be read whole
        }
        producer.end();
    });
    ASSERT_EQ(writer.wait_ready(), 1);
    std::vector<std::unique_ptr<Child>> readers;
    for (std::size_t n = 0; n < kReaders; ++n) {
        readers.push_back(std::make_unique<Child>([&, n](const auto&) {
            const auto bus = reader();
            bus->board().set_state(layout::SinkState::ready);
            const ReadCounts counts = read_to_end(*bus);
            tally_.delivered[n] = counts.delivered;
            tally_.lost[n] = counts.overrun + counts.aborted;
        }));
    }
    EXPECT_EQ(writer.join(), 0);
    for (const auto& child : readers)
        EXPECT_EQ(child->join(), 0);
    EXPECT_EQ(tally_.torn, 0U);
    for (std::size_t n = 0; n < kReaders; ++n) {
        EXPECT_GT(tally_.delivered[n], 0U);
        EXPECT_EQ(tally_.delivered[n] + tally_.lost[n], tally_.written) << "reader " << n;
    }
    RecordProperty("written", std::to_string(tally_.written));
}

TEST_F(FullHd, a_writer_killed_in_acquire_in_the_copy_or_anywhere_leaves_a_ring_the_next_one_continues) {
    constexpr int kRandomKills = 200;
    std::mt19937 random(5);
    std::unique_ptr<BusReader> bus;
    std::uint64_t start = 0;
    std::uint64_t delivered = 0;
    for (int life = 0; life < kRandomKills + 2; ++life) {
        Child writer([&](const auto& ready) {
            Producer producer(full_hd());
            fill(producer.acquire_video(), word_of(static_cast<std::uint64_t>(life), 0));
            producer.commit_video();
            ready(1);
            while (!tally_.watched)  // a bus is only found while its producer lives
                std::this_thread::yield();
            if (life == 0) {  // between acquire and commit
                static_cast<void>(producer.acquire_video());
                ::raise(SIGKILL);
            }
            if (life == 1) {  // inside the copy
                fill(producer.acquire_video(), word_of(1, 1), 0, kWords / 2);
                ::raise(SIGKILL);
            }
            std::vector<std::byte> pixels(kWords * 8);
            for (std::uint64_t n = 1;; ++n) {
                fill(pixels, word_of(static_cast<std::uint64_t>(life), n));
                producer.write_video(pixels);
            }
        });
        ASSERT_EQ(writer.wait_ready(), 1) << "life " << life;
        if (!bus) {
            bus = reader();
            start = bus->flow(FlowKind::video)->cursor();
            tally_.watched = true;
        }
        if (life < 2) {
            EXPECT_EQ(writer.join(), 128 + SIGKILL);
        } else {
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
            writer.kill();
        }
        FlowReader& flow = *bus->flow(FlowKind::video);
        for (;;) {
            bool whole = true;
            const ReadStatus status = flow.try_read([&](const Record& record) {
                const auto* words = reinterpret_cast<const std::uint64_t*>(record.payload.data());
                whole = std::all_of(words, words + kWords, [&](std::uint64_t word) { return word == words[0]; });
            });
            if (status == ReadStatus::not_yet) break;
            ASSERT_NE(status, ReadStatus::damaged);
            if (status == ReadStatus::ok) ++delivered;
            EXPECT_TRUE(status != ReadStatus::ok || whole) << "life " << life;
        }
        const ReadCounts counts = flow.counts();
        ASSERT_EQ(counts.delivered + counts.overrun + counts.aborted, flow.head() - start);
    }
    EXPECT_GT(delivered, static_cast<std::uint64_t>(kRandomKills));
    EXPECT_GE(bus->flow(FlowKind::video)->counts().aborted, 2U);
}

}  // namespace
