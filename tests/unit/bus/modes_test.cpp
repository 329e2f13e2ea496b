// SPDX-License-Identifier: Apache-2.0
// live never waits, paced never runs ahead of the clock, lossless loses nothing to a living reader. No test asserts
// that something was fast: a wait that never ends is ended by the CTest time-out.
#include <thread>

#include "bus_fixture.hpp"
#include "ringcast/inspect.hpp"
#include "system.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class Modes : public BusTest {
protected:
    ProducerOptions with_mode(WriterMode mode) const {
        ProducerOptions wanted = options();
        wanted.mode = mode;
        return wanted;
    }
    ProducerOptions lossless() const {
        ProducerOptions wanted = with_mode(WriterMode::lossless);
        wanted.video_depth = 160ms;  // 4 frames
        return wanted;
    }
    std::unique_ptr<BusReader> ready_reader() const {
        auto bus = reader(true);
        bus->board().set_state(layout::SinkState::ready);
        return bus;
    }
};

TEST_F(Modes, live_goes_on_beside_a_reader_that_never_reads) {
    Producer producer(with_mode(WriterMode::live));
    const auto idle = ready_reader();
    for (unsigned n = 0; n < 1000; ++n)
        producer.write_video(frame(n));
    EXPECT_EQ(producer.frames_written(), 1000U);
    drain(*idle->flow(FlowKind::video));
    const ReadCounts counts = idle->flow(FlowKind::video)->counts();
    EXPECT_EQ(counts.delivered + counts.overrun, 1000U);
}

TEST_F(Modes, paced_never_commits_a_frame_earlier_than_the_lead_allows) {
    ProducerOptions wanted = with_mode(WriterMode::paced);
    wanted.video->fps = {100, 1};
    wanted.lead = 50ms;
    Producer producer(wanted);
    const auto bus = reader();
    const std::int64_t start = monotonic_ns();
    for (unsigned n = 0; n < 30; ++n)
        producer.write_video(frame(n));
    unsigned read = 0;
    while (bus->flow(FlowKind::video)->try_read([&](const Record& record) {
        EXPECT_GE(record.capture_time_ns, start + record.pts_ns - wanted.lead.count()) << "frame " << record.index;
        ++read;
    }) == ReadStatus::ok) {
    }
    EXPECT_EQ(read, 30U);
}

TEST_F(Modes, paced_holds_sound_to_the_clock_of_the_pictures) {
    ProducerOptions wanted = with_mode(WriterMode::paced);
    wanted.lead = 20ms;
    Producer producer(wanted);
    const auto bus = reader();
    const std::int64_t start = monotonic_ns();
    producer.write_video(frame(0));
    producer.write_audio(std::vector<std::byte>(2 * 8000 * 3 / 10));  // 300 ms at once
    EXPECT_GT(producer.audio_waiting().count(), 0);  // the call did not sleep: the pictures may be this thread's, too
    unsigned read = 0;
    while (read < 3) {
        const std::uint32_t ticket = bus->ticket();
        const ReadStatus status = bus->flow(FlowKind::audio)->try_read([&](const Record& record) {
            EXPECT_GE(record.capture_time_ns, start + record.pts_ns - wanted.lead.count());
            ++read;
        });
        if (status == ReadStatus::not_yet) bus->wait(ticket, steady_clock::now() + 60s);
    }
}

TEST_F(Modes, lossless_loses_nothing_to_a_slow_reader) {
    Producer producer(lossless());
    const auto bus = ready_reader();
    std::vector<std::uint64_t> got;
    std::thread slow([&] {
        FlowReader& flow = *bus->flow(FlowKind::video);
        for (;;) {
            const std::uint32_t ticket = bus->ticket();
            const ReadStatus status = flow.try_read([&](const Record& record) { got.push_back(record.media_index); });
            if (status == ReadStatus::ended) return;
            if (status == ReadStatus::not_yet) bus->wait(ticket, steady_clock::now() + 60s);
            if (got.size() % 10 == 0) std::this_thread::sleep_for(2ms);
        }
    });
    for (unsigned n = 0; n < 300; ++n)
        producer.write_video(frame(n));
    producer.end();
    slow.join();
    ASSERT_EQ(got.size(), 300U);
    for (unsigned n = 0; n < 300; ++n)
        EXPECT_EQ(got[n], n);
    EXPECT_EQ(bus->flow(FlowKind::video)->counts().overrun, 0U);
}

TEST_F(Modes, lossless_waits_only_for_readers_that_asked) {
    Producer producer(lossless());
    const auto not_asked = reader(false);
    not_asked->board().set_state(layout::SinkState::ready);
    const auto not_ready = reader(true);
    for (unsigned n = 0; n < 100; ++n)
        producer.write_video(frame(n));
    drain(*not_asked->flow(FlowKind::video));
    EXPECT_GT(not_asked->flow(FlowKind::video)->counts().overrun, 0U);
}

TEST_F(Modes, lossless_is_released_by_the_death_of_a_reader) {
    ProducerOptions wanted = lossless();
    wanted.reader_timeout = 1h;  // not by eviction
    Producer producer(wanted);
    Child dying([this](const auto& ready) {
        const auto bus = ready_reader();
        ready(1);
        sleep_for_ever();
    });
    ASSERT_EQ(dying.wait_ready(), 1);
    EXPECT_EQ(producer.ready_readers(), 1U);
    std::thread killer([&] {
        // Not before the writer stands: four frames fit, the fifth waits.
        while (producer.frames_written() < 4)
            std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(100ms);
        EXPECT_LT(producer.frames_written(), 10U);
        dying.kill();
    });
    for (unsigned n = 0; n < 100; ++n)
        producer.write_video(frame(n));
    killer.join();
    EXPECT_EQ(producer.frames_written(), 100U);
    EXPECT_EQ(producer.ready_readers(), 0U);
}

TEST_F(Modes, lossless_evicts_a_reader_that_stands_still) {
    ProducerOptions wanted = lossless();
    wanted.reader_timeout = 100ms;
    Producer producer(wanted);
    const auto stuck = ready_reader();
    for (unsigned n = 0; n < 100; ++n)
        producer.write_video(frame(n));
    EXPECT_EQ(producer.frames_written(), 100U);
    drain(*stuck->flow(FlowKind::video));
    const ReadCounts counts = stuck->flow(FlowKind::video)->counts();
    EXPECT_EQ(counts.delivered + counts.overrun, 100U);
    EXPECT_GT(counts.overrun, 0U);
}

TEST_F(Modes, lossless_shows_whom_it_has_evicted_and_not_the_next_reader_in_its_place) {
    ProducerOptions wanted = lossless();
    wanted.reader_timeout = 100ms;
    std::optional<Producer> producer(std::in_place, wanted);
    auto stuck = ready_reader();
    const auto shown = [&] {
        const BusInfo info = inspect_bus(bus_);
        EXPECT_EQ(info.readers.size(), 1U);
        return info.readers.at(0).evicted;
    };
    EXPECT_FALSE(shown());
    for (unsigned n = 0; n < 100; ++n)
        producer->write_video(frame(n));
    EXPECT_TRUE(shown());
    stuck.reset();
    const auto next = ready_reader();
    EXPECT_FALSE(shown());
    for (unsigned n = 0; n < 100; ++n)
        producer->write_video(frame(n));
    EXPECT_TRUE(shown()) << "it stood still, too";
    producer.reset();
    producer.emplace(wanted);
    EXPECT_FALSE(shown()) << "another producer waits for everybody anew";
}

TEST_F(Modes, lossless_evicts_a_reader_whose_cursor_only_goes_to_and_fro) {
    ProducerOptions wanted = lossless();
    wanted.reader_timeout = 100ms;
    Producer producer(wanted);
    const auto liar = ready_reader();
    std::atomic<bool> done{false};
    std::thread lying([&] {
        for (std::uint64_t cursor = 0; !done; cursor = 1 - cursor) {
            liar->board().cell()->cursor[0].store(cursor);
            std::this_thread::sleep_for(5ms);
        }
    });
    for (unsigned n = 0; n < 20; ++n)
        producer.write_video(frame(n));
    done = true;
    lying.join();
    EXPECT_EQ(producer.frames_written(), 20U);
}

TEST_F(Modes, lossless_is_not_held_back_by_sound) {
    Producer producer(lossless());
    const auto bus = ready_reader();
    for (unsigned n = 0; n < 100; ++n)
        producer.write_audio(std::vector<std::byte>(2 * 800));
    EXPECT_EQ(producer.samples_written(), 80000U);
}

TEST_F(Modes, wait_readers_counts_ready_living_readers) {
    Producer producer(options());
    EXPECT_TRUE(producer.wait_readers(0, 0ns));
    EXPECT_FALSE(producer.wait_readers(1, 0ns));
    auto first = reader();
    EXPECT_EQ(producer.ready_readers(), 0U);
    first->board().set_state(layout::SinkState::ready);
    auto second = reader();
    std::thread opening([&] {
        std::this_thread::sleep_for(50ms);
        second->board().set_state(layout::SinkState::live);
    });
    EXPECT_TRUE(producer.wait_readers(2, 60s));
    opening.join();
    second->board().set_state(layout::SinkState::failed, "disk is full");
    EXPECT_EQ(producer.ready_readers(), 1U);
    first.reset();
    EXPECT_EQ(producer.ready_readers(), 0U);
}

TEST_F(Modes, lossless_does_not_wait_for_a_flow_the_reader_does_not_read) {
    ProducerOptions wanted = lossless();
    wanted.reader_timeout = 60s;
    Producer producer(wanted);
    ReaderOptions options;
    options.bus = bus_;
    options.lossless = true;
    options.flows = {true, false, false, false};
    const auto pictures = BusReader::try_attach(options);
    pictures->board().set_state(layout::SinkState::ready);
    EXPECT_EQ(pictures->flow(FlowKind::audio), nullptr);
    for (unsigned n = 0; n < 100; ++n) {
        producer.write_video(frame(n));
        producer.write_audio(std::vector<std::byte>(2 * 320));
        ASSERT_EQ(drain(*pictures->flow(FlowKind::video)), 1U);
    }
    producer.end();
}

}  // namespace
