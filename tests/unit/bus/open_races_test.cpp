// SPDX-License-Identifier: Apache-2.0
// Opening, ending, dying and cleaning at the same moment, again and again.
#include <signal.h>

#include <fstream>
#include <thread>

#include "bus_fixture.hpp"
#include "names.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class OpenRaces : public BusTest {
protected:
    /// Small: what is raced for are names and locks.
    ProducerOptions tiny() const {
        ProducerOptions wanted = video_only();
        wanted.video_depth = 160ms;
        return wanted;
    }
    /// A process that cleans this bus again and again.
    std::unique_ptr<Child> cleaner() const {
        return std::make_unique<Child>([this](const auto& ready) {
            ready(1);
            for (;;) {
                clean_buses(bus_, false);
                std::this_thread::sleep_for(100us);  // the bus lock is tried, not queued for
            }
        });
    }
};

TEST_F(OpenRaces, cleaning_a_thousand_times_never_takes_a_name_from_a_living_producer) {
    const auto cleaning = cleaner();
    ASSERT_EQ(cleaning->wait_ready(), 1);
    for (int round = 0; round < 1000; ++round) {
        Producer producer(tiny());
        producer.write_video(frame(1));
        ReaderOptions options;
        options.bus = bus_;
        const auto bus = BusReader::try_attach(options);
        ASSERT_NE(bus, nullptr) << "round " << round;
        ASSERT_FALSE(bus->superseded());
        ASSERT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
        if (round % 2 == 0) producer.end();  // every other one is left for the cleaner, or taken over
    }
}

// Told apart by looking at the name first: one that goes between the two looks belongs to a bus that has ended by then.
TEST_F(OpenRaces, bus_that_ends_is_never_taken_for_one_that_was_replaced) {
    for (int round = 0; round < 300; ++round) {
        Producer producer(tiny());
        const auto bus = reader();
        std::atomic<bool> looking{false};
        bool replaced = false;
        std::thread looker([&] {
            while (!replaced && !bus->ended()) {
                replaced = bus->superseded();
                looking = true;
                looking.notify_one();
            }
        });
        looking.wait(false);
        producer.end();
        looker.join();
        ASSERT_FALSE(replaced) << "round " << round;
    }
}

TEST_F(OpenRaces, rivals_of_which_one_wins_each_time) {
    std::vector<std::unique_ptr<Child>> rivals;
    rivals.reserve(3);
    for (int n = 0; n < 3; ++n) {
        rivals.push_back(std::make_unique<Child>([this](const auto&) {
            int won = 0;
            while (won < 100) {
                try {
                    Producer producer(tiny());
                    producer.write_video(frame(1));
                    const BusInfo info = inspect_bus(bus_);
                    if (!info.alive || info.writer_pid != static_cast<std::uint32_t>(::getpid())) ::_exit(2);
                    ++won;
                    if (won % 3 == 0) producer.end();
                } catch (const Error& error) {
                    if (error.code() != ErrorCode::busy) {
                        std::fprintf(stderr, "rival: %s\n", error.what());
                        ::_exit(3);
                    }
                }
            }
            ::_exit(0);
        }));
    }
    for (const auto& rival : rivals)
        EXPECT_EQ(rival->join(), 0);
}

// A model that starts ffmpeg: the helper lives on after the model was killed, with whatever it inherited.
TEST_F(OpenRaces, a_killed_producer_frees_its_bus_while_a_program_it_started_lives) {
    Child child([this](const auto& ready) {
        Producer producer(tiny());
        producer.write_video(frame(1));
        const pid_t helper = ::fork();
        if (helper == 0) {
            ::execlp("sleep", "sleep", "1000", nullptr);
            ::_exit(127);
        }
        ready(helper);
        sleep_for_ever();
    });
    const pid_t helper = child.wait_ready();
    ASSERT_GT(helper, 0);
    // A child that was forked and has not run yet still holds the locks.
    const std::string name = "/proc/" + std::to_string(helper) + "/comm";
    for (std::string program; program != "sleep"; std::this_thread::sleep_for(1ms))
        std::ifstream(name) >> program;
    child.kill();
    EXPECT_EQ(::kill(helper, 0), 0);
    EXPECT_NO_THROW({
        Producer next(tiny());
        next.write_video(frame(2));
        const auto bus = reader();
        EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);  // its own, not the dead one's
        next.end();
    });
    ::kill(helper, SIGKILL);
}

}  // namespace
