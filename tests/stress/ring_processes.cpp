// SPDX-License-Identifier: Apache-2.0
// Processes on one bus and kill -9, at random moments, of the writer and of readers. A supervisor of its own:
// writers restart and take over, readers stay or re-attach. No record accepted is torn, no killed reader holds the
// writer up, and every reader that lived to the end of a session accounts for each index of it.
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <utility>

#include "bus_fixture.hpp"
#include "ringcast/inspect.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

std::chrono::milliseconds duration() {
    return std::getenv("RINGCAST_SOAK") != nullptr ? 60'000ms : 4'000ms;
}

/// Counted by all processes together.
struct Tally {
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> written{0};
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> torn{0};
    std::atomic<std::uint64_t> miscounted{0};
    std::atomic<std::uint64_t> sessions_read{0};
    std::atomic<std::uint64_t> refused{0};
};

class RingProcesses : public BusTest {
protected:
    RingProcesses()
        : tally_(*new (::mmap(nullptr, sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                     Tally) {}

    /// Every byte of a frame names its index, so a frame of two records shows.
    static std::byte shade(std::uint64_t index, std::size_t place) {
        return static_cast<std::byte>((index * 37 + place / 64) & 0xff);
    }

    void write_frames() const {
        auto wanted = video_only();
        wanted.video->width = 640;
        wanted.video->height = 48;
        wanted.video->fps = {200, 1};
        wanted.video_depth = 20ms;  // the least: laps come often
        try {
            Producer producer(wanted);
            std::vector<std::byte> pixels(640 * 48 * 3);
            for (std::uint64_t n = 0; !tally_.stop; ++n) {
                for (std::size_t i = 0; i < pixels.size(); ++i)
                    pixels[i] = shade(n, i);
                producer.write_video(pixels);
                ++tally_.written;
                if (n % 50 == 0) std::this_thread::sleep_for(1ms);
            }
            producer.end();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "writer: %s\n", error.what());
            ++tally_.refused;
        }
    }

    void read_session(BusReader& bus) const {
        FlowReader* flow = bus.flow(FlowKind::video);
        if (flow == nullptr) return;
        const std::uint64_t first = flow->cursor();
        std::uint64_t session = 0;
        for (;;) {
            const std::uint32_t ticket = bus.ticket();
            bool whole = true;
            std::uint64_t seen = 0;
            const ReadStatus status = flow->try_read([&](const Record& record) {
                seen = record.session;
                for (std::size_t i = 0; i < record.payload.size(); i += 61) {
                    whole = whole && record.payload[i] == shade(record.media_index, i);
                }
            });
            if (status == ReadStatus::ok) {
                ++tally_.delivered;
                if (!whole) ++tally_.torn;
                if (std::exchange(session, seen) != seen) ++tally_.sessions_read;
            }
            if (status == ReadStatus::ended) break;
            if (status == ReadStatus::not_yet) {
                if (bus.superseded() || tally_.stop) break;  // a dead writer's successor goes on here
                bus.wait(ticket, steady_clock::now() + 20ms);
            }
        }
        const ReadCounts counts = flow->counts();
        if (counts.delivered + counts.overrun + counts.aborted != flow->cursor() - first) ++tally_.miscounted;
    }

    void read_frames() const {
        while (!tally_.stop) {
            try {
                const auto bus = BusReader::attach({.bus = bus_, .name = "stress", .plugin = "test"}, -1,
                                                   steady_clock::now() + 50ms);
                if (bus) read_session(*bus);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "reader: %s\n", error.what());
                ++tally_.refused;
            }
        }
    }

    std::unique_ptr<Child> start(bool writer) const {
        return std::make_unique<Child>([this, writer](const auto&) {
            if (writer) {
                write_frames();
            } else {
                read_frames();
            }
        });
    }

    Tally& tally_;
};

TEST_F(RingProcesses, survive_kill_9_of_writer_and_readers) {
    std::vector<std::unique_ptr<Child>> processes;
    processes.reserve(4);
    for (int n = 0; n < 4; ++n)
        processes.push_back(start(n == 0));
    std::mt19937 random(static_cast<unsigned>(::getpid()));
    unsigned kills = 0;
    for (const auto end = steady_clock::now() + duration(); steady_clock::now() < end; ++kills) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 100));
        const std::size_t victim = random() % 3;  // the fourth process, a reader, sees it all
        processes[victim]->kill();
        processes[victim] = start(victim == 0);
    }
    tally_.stop = true;
    for (const auto& process : processes)
        EXPECT_EQ(process->join(), 0);
    EXPECT_EQ(tally_.torn, 0U);
    EXPECT_EQ(tally_.miscounted, 0U);
    EXPECT_EQ(tally_.refused, 0U);
    EXPECT_GT(tally_.written, kills);
    EXPECT_GT(tally_.delivered, 0U);
    EXPECT_GT(tally_.sessions_read, 2U) << kills << " kills";
    clean_buses(bus_, false);
    EXPECT_TRUE(shm_files(bus_).empty());
}

}  // namespace
