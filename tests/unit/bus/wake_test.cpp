// SPDX-License-Identifier: Apache-2.0
// The wake word: nobody sleeps through a record, and nobody spins.
#include <linux/futex.h>
#include <sys/syscall.h>

#include <thread>

#include "bus_fixture.hpp"
#include "names.hpp"
#include "shm_object.hpp"
#include "system.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class Wake : public BusTest {};

TEST_F(Wake, is_not_lost_when_a_record_comes_between_ticket_and_wait) {
    Producer producer(options());
    const auto bus = reader();
    const auto past = steady_clock::now() - 1s;
    for (int round = 0; round < 3; ++round) {
        const std::uint32_t idle = bus->ticket();
        EXPECT_EQ(bus->wait(idle, past), WaitResult::timed_out);
        producer.write_video(frame(0));
        EXPECT_EQ(bus->wait(idle, past), WaitResult::woken);
        const std::uint32_t before_sound = bus->ticket();
        producer.write_audio(std::vector<std::byte>(2));
        EXPECT_EQ(bus->wait(before_sound, past), WaitResult::woken);  // one word for all flows
    }
    const std::uint32_t before_end = bus->ticket();
    producer.end();
    EXPECT_EQ(bus->wait(before_end, past), WaitResult::woken);
}

// BusReader::wait looks around by itself once a second, so the sleeper here is a bare futex that only a wake ends.
TEST_F(Wake, reaches_a_sleeping_reader) {
    Producer producer(video_only());
    const auto object =
        ShmObject::open(bus_object(bus_), ShmObject::Access::read_only, layout::ObjectType::bus).value();
    const auto& word = object.as<layout::BusHeader>()->wake_word;
    std::atomic<bool> woken{false};
    std::thread sleeper([&] {
        while (!woken) {
            const std::uint32_t value = word.load();
            if (::syscall(SYS_futex, &word, FUTEX_WAIT, value, nullptr, nullptr, 0) == 0) woken = true;
        }
    });
    for (int round = 0; round < 5000 && !woken; ++round) {
        producer.write_video(frame(0));
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_TRUE(woken);
    woken = true;
    futex_wake_all(word);
    sleeper.join();
}

TEST_F(Wake, carries_a_conversation_of_thousands_of_turns) {
    Producer producer(video_only());
    const auto bus = reader();
    FlowReader& flow = *bus->flow(FlowKind::video);
    std::atomic<unsigned> answered{0};
    std::thread answerer([&] {
        const auto watchdog = steady_clock::now() + 60s;
        while (answered < 2000 && steady_clock::now() < watchdog) {
            const std::uint32_t ticket = bus->ticket();
            if (read_one(flow) == ReadStatus::ok) {
                ++answered;
            } else {
                bus->wait(ticket, watchdog);
            }
        }
    });
    for (unsigned asked = 0; asked < 2000; ++asked) {
        producer.write_video(frame(asked));
        const auto watchdog = steady_clock::now() + 60s;
        while (answered <= asked && steady_clock::now() < watchdog)
            std::this_thread::yield();
    }
    answerer.join();
    EXPECT_EQ(answered, 2000U);
    EXPECT_EQ(flow.counts().overrun, 0U);
}

TEST_F(Wake, ends_a_wait_by_interrupt) {
    Producer producer(video_only());
    const auto bus = reader();
    bus->interrupt();
    EXPECT_EQ(bus->wait(bus->ticket(), steady_clock::now() + 60s), WaitResult::interrupted);
    std::thread other([&] {
        std::this_thread::sleep_for(50ms);
        bus->interrupt();
    });
    EXPECT_EQ(bus->wait(bus->ticket(), steady_clock::now() + 60s), WaitResult::interrupted);
    other.join();
    EXPECT_EQ(bus->wait(bus->ticket(), steady_clock::now()), WaitResult::timed_out);
}

TEST_F(Wake, attach_waits_for_the_producer_or_the_deadline_or_the_interrupt) {
    const ReaderOptions wanted{.bus = bus_, .name = {}, .plugin = {}};
    EXPECT_EQ(BusReader::attach(wanted, -1, steady_clock::now() + 20ms), nullptr);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    EXPECT_EQ(BusReader::attach(wanted, ends[0], std::nullopt), nullptr);
    ::close(ends[0]);
    ::close(ends[1]);
    std::unique_ptr<Producer> producer;
    std::thread late([&] {
        std::this_thread::sleep_for(50ms);
        producer = std::make_unique<Producer>(options());
    });
    const auto bus = BusReader::attach(wanted, -1, steady_clock::now() + 60s);
    late.join();
    ASSERT_NE(bus, nullptr);
    EXPECT_NE(bus->flow(FlowKind::video), nullptr);
    EXPECT_NE(bus->flow(FlowKind::audio), nullptr);
}

}  // namespace
