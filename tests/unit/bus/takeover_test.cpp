// SPDX-License-Identifier: Apache-2.0
// A producer dies without end() and another goes on: in the same objects where they validate and fit.
#include <atomic>
#include <random>
#include <thread>

#include "bus_fixture.hpp"
#include "names.hpp"
#include "private_ring.hpp"
#include "shm_object.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;
using layout::SlotState;

// ---- The ring alone ----

class RingTakeover : public testing::Test {
protected:
    std::optional<FlowWriter> take_over() { return FlowWriter::take_over(ring_.memory()); }
    void damage(std::uint64_t index, SlotState state) {
        ring_.slot(index).stamp.store(make_stamp(index, state), std::memory_order_relaxed);
    }
    std::vector<std::uint64_t> read_all(RingReader& reader) {
        std::vector<std::uint64_t> got;
        while (reader.try_read([&](const Record& record) {
            EXPECT_TRUE(has_pattern(record.payload, record.index));
            got.push_back(record.index);
        }) == ReadStatus::ok) {
        }
        return got;
    }

    PrivateRing ring_{4, 1024};
    FlowWriter first_{ring_.memory()};
    RingReader reader_{ring_.memory()};
};

TEST_F(RingTakeover, of_an_unwritten_ring_starts_at_its_first_index) {
    const auto next = take_over();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->next_index(), 0U);
}

TEST_F(RingTakeover, goes_on_behind_the_newest_record_and_keeps_what_is_live) {
    for (int i = 0; i < 6; ++i)
        write_pattern(first_, 192);
    auto next = take_over();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->next_index(), first_.next_index());
    EXPECT_EQ(next->tail(), 2U);
    EXPECT_EQ(next->write_position(), first_.write_position());
    write_pattern(*next, 192);
    EXPECT_EQ(read_all(reader_), (std::vector<std::uint64_t>{3, 4, 5, 6}));
    EXPECT_EQ(reader_.counts().overrun, 3U);
}

TEST_F(RingTakeover, burns_an_index_that_was_begun_and_never_committed) {
    write_pattern(first_, 64);
    ASSERT_TRUE(first_.begin(64));  // dies in the copy
    auto next = take_over();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->next_index(), 2U);
    EXPECT_EQ(read_all(reader_), (std::vector<std::uint64_t>{0}));
    EXPECT_EQ(reader_.counts().aborted, 1U) << "counted before the next record comes";
    write_pattern(*next, 64);
    EXPECT_EQ(read_all(reader_), (std::vector<std::uint64_t>{2}));
}

TEST_F(RingTakeover, shows_a_record_that_was_committed_while_head_was_not_moved) {
    write_pattern(first_, 64);
    write_pattern(first_, 64);
    ring_.header().head.store(1, std::memory_order_relaxed);  // dies between stamp and head
    const auto next = take_over();
    ASSERT_TRUE(next);
    EXPECT_EQ(next->next_index(), 2U);
    EXPECT_EQ(read_all(reader_), (std::vector<std::uint64_t>{0, 1}));
}

TEST_F(RingTakeover, does_not_write_over_live_records_before_it_retired_them) {
    write_pattern(first_, 448);
    write_pattern(first_, 448);
    auto next = take_over();
    ASSERT_TRUE(next);
    const auto meanwhile = [&](const Record&) { ASSERT_TRUE(next->begin(256)); };
    EXPECT_EQ(reader_.try_read(meanwhile), ReadStatus::overrun);  // record 0 gave its bytes
    EXPECT_EQ(read_all(reader_), (std::vector<std::uint64_t>{1}));
}

TEST_F(RingTakeover, twice_in_a_row_with_a_crash_in_each_life) {
    write_pattern(first_, 64);
    ASSERT_TRUE(first_.begin(512));
    auto second = take_over();
    ASSERT_TRUE(second);
    ASSERT_TRUE(second->begin(512));
    auto third = take_over();
    ASSERT_TRUE(third);
    EXPECT_EQ(third->next_index(), 3U);
    write_pattern(*third, 64);
    EXPECT_EQ(read_all(reader_), (std::vector<std::uint64_t>{0, 3}));
    EXPECT_EQ(reader_.counts().aborted, 2U);
}

TEST_F(RingTakeover, refuses_descriptors_that_contradict_each_other) {
    for (int i = 0; i < 5; ++i)
        write_pattern(first_, 64);
    const std::uint64_t right = ring_.slot(3).stamp.load();
    ring_.slot(3).stamp.store(make_stamp(7, SlotState::committed));  // 5 and 6 were never written
    EXPECT_FALSE(take_over());
    ring_.slot(3).stamp.store(make_stamp(2, SlotState::committed));  // not of this slot
    EXPECT_FALSE(take_over());
    ring_.slot(3).stamp.store(0);
    EXPECT_FALSE(take_over());
    damage(3, SlotState::retired);  // newer than a live one
    EXPECT_FALSE(take_over());
    ring_.slot(3).stamp.store(right);
    EXPECT_TRUE(take_over());
    RecordFields fields = load_fields(ring_.slot(3));
    fields.payload_size = 4096;
    store_fields(ring_.slot(3), fields);
    EXPECT_FALSE(take_over());
}

// Any prefix of the writer's stores is a state a crash can leave: the next writer goes on from each of them.
TEST_F(RingTakeover, works_after_a_crash_at_any_step_of_any_record) {
    std::mt19937 random(7);
    for (int round = 0; round < 3000; ++round) {
        PrivateRing ring(4, 1024);
        RingReader reader(ring.memory());
        auto writer = std::make_optional<FlowWriter>(ring.memory());
        std::uint64_t committed = 0;
        for (int life = 0; life < 3; ++life) {
            for (auto n = random() % 7; n > 0; --n, ++committed)
                write_pattern(*writer, random() % 8 * 64);
            const std::uint64_t head = ring.header().head.load();
            switch (random() % 3) {
                case 0:
                    static_cast<void>(writer->begin(random() % 8 * 64));
                    break;
                case 1:
                    write_pattern(*writer, 64);
                    ++committed;
                    ring.header().head.store(head);
                    break;
                default:
                    break;
            }
            writer = FlowWriter::take_over(ring.memory());
            ASSERT_TRUE(writer);
            if (random() % 2 == 0) read_all(reader);
        }
        write_pattern(*writer, 64);
        ++committed;
        read_all(reader);
        const ReadCounts counts = reader.counts();
        ASSERT_EQ(counts.delivered + counts.overrun + counts.aborted, writer->next_index());
        ASSERT_LE(counts.delivered, committed);
    }
}

// ---- The bus ----

using BusTakeover = BusTest;

TEST_F(BusTakeover, keeps_readers_records_and_indices_over_a_killed_producer) {
    Child producer([&](const auto& ready) {
        Producer mine(options());
        for (unsigned n = 0; n < 5; ++n)
            mine.write_video(frame(n));
        ready(1);
        sleep_for_ever();
    });
    ASSERT_EQ(producer.wait_ready(), 1);
    const auto bus = reader();
    producer.kill();
    Producer next(options());
    next.write_video(frame(5));
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 6U);
    const ReadCounts counts = bus->flow(FlowKind::video)->counts();
    EXPECT_EQ(counts.overrun + counts.aborted, 0U);
}

TEST_F(BusTakeover, counts_the_frame_a_killed_producer_had_acquired_as_aborted) {
    Child producer([&](const auto& ready) {
        Producer mine(options());
        mine.write_video(frame(0));
        static_cast<void>(mine.acquire_video());
        ready(1);
        sleep_for_ever();
    });
    ASSERT_EQ(producer.wait_ready(), 1);
    const auto bus = reader();
    producer.kill();
    Producer next(options());
    next.write_video(frame(1));
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 2U);
    EXPECT_EQ(bus->flow(FlowKind::video)->counts().aborted, 1U);
}

TEST_F(BusTakeover, with_a_larger_format_moves_readers_to_a_superseding_object_at_the_next_index) {
    auto first = std::make_unique<Producer>(video_only());
    for (unsigned n = 0; n < 3; ++n)
        first->write_video(frame(n));
    const auto bus = reader();
    first.reset();
    ProducerOptions larger = video_only();
    larger.video->width = 320;
    Producer second(larger);
    second.write_video(std::vector<std::byte>(kFrameBytes * 10));
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 3U);
    bus->refresh();
    Record record;
    ASSERT_EQ(bus->flow(FlowKind::video)->try_peek(record), ReadStatus::ok);
    EXPECT_EQ(record.index, 3U);
    EXPECT_EQ(record.caps.width, 320U);
    EXPECT_EQ(record.caps_generation, 2U);
    const ReadCounts counts = bus->flow(FlowKind::video)->counts();
    EXPECT_EQ(counts.delivered, 3U);
    EXPECT_EQ(counts.overrun + counts.aborted, 0U);
}

TEST_F(BusTakeover, is_not_seen_by_readers_that_come_later) {
    auto first = std::make_unique<Producer>(options());
    for (unsigned n = 0; n < 5; ++n) {
        first->write_video(frame(n));
        first->write_audio(std::vector<std::byte>(640));
    }
    first.reset();
    Producer second(options());
    const auto early = reader();
    second.write_video(frame(9));
    const auto late = reader();
    for (const auto& bus : {early.get(), late.get()}) {
        EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
        EXPECT_EQ(drain(*bus->flow(FlowKind::audio)), 0U);
        EXPECT_EQ(bus->flow(FlowKind::video)->counts().overrun + bus->flow(FlowKind::video)->counts().aborted, 0U);
    }
}

TEST_F(BusTakeover, drops_a_flow_the_next_producer_does_not_write) {
    std::make_unique<Producer>(options());
    Producer second(video_only());
    const auto bus = reader();
    EXPECT_NE(bus->flow(FlowKind::video), nullptr);
    EXPECT_EQ(bus->flow(FlowKind::audio), nullptr);
}

TEST_F(BusTakeover, of_one_flow_leaves_the_other_writer_and_the_session_alone) {
    ProducerOptions audio = options();
    audio.video.reset();
    Producer pictures(video_only());
    auto sound = std::make_unique<Producer>(audio);
    EXPECT_EQ(sound->session(), pictures.session());
    const auto bus = reader();
    sound->write_audio(std::vector<std::byte>(1600));
    sound.reset();
    Producer again(audio);
    EXPECT_EQ(again.session(), pictures.session());
    again.write_audio(std::vector<std::byte>(1600));
    std::vector<Record> got;
    while (bus->flow(FlowKind::audio)->try_read([&](const Record& record) { got.push_back(record); }) ==
           ReadStatus::ok) {
    }
    ASSERT_EQ(got.size(), 2U);
    EXPECT_EQ(got[1].index, 1U);
    EXPECT_GE(got[1].pts_ns, got[0].pts_ns);  // on the clock of the bus, not from 0 again
}

TEST_F(BusTakeover, of_a_damaged_ring_starts_a_new_object) {
    auto first = std::make_unique<Producer>(video_only());
    first->write_video(frame(1));
    first.reset();
    {
        auto object = ShmObject::open(flow_object(bus_, FlowKind::video), ShmObject::Access::read_write,
                                      layout::ObjectType::flow);
        auto* slots = reinterpret_cast<layout::Descriptor*>(object->data() + sizeof(layout::FlowHeader));
        slots[1].stamp.store(make_stamp(77, SlotState::committed));
    }
    Producer second(video_only());
    second.write_video(frame(2));
    const auto bus = reader();
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
}

TEST_F(BusTakeover, of_a_thousand_producers_killed_at_random_loses_no_count) {
    const int rounds = std::getenv("RINGCAST_SOAK") != nullptr ? 1000 : 60;
    std::mt19937 random(11);
    std::unique_ptr<BusReader> bus;
    std::uint64_t start = 0;
    std::uint64_t last = 0;
    for (int round = 0; round < rounds; ++round) {
        Child producer([&](const auto& ready) {
            Producer mine(options());
            mine.write_video(frame(0));
            ready(1);
            for (;;)
                mine.write_video(frame(1));
        });
        ASSERT_EQ(producer.wait_ready(), 1);
        if (!bus) {
            bus = reader();
            start = bus->flow(FlowKind::video)->cursor();
        }
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
        producer.kill();
        FlowReader& flow = *bus->flow(FlowKind::video);
        while (flow.try_read([&](const Record& record) {
            EXPECT_TRUE(round == 0 || record.index > last);
            last = record.index;
        }) != ReadStatus::not_yet) {
        }
        const ReadCounts counts = flow.counts();
        ASSERT_EQ(counts.delivered + counts.overrun + counts.aborted, flow.head() - start);
    }
}

TEST_F(BusTakeover, a_writer_that_ended_and_comes_back_beside_a_living_one_goes_on_at_its_next_index) {
    ProducerOptions audio = options();
    audio.video.reset();
    Producer sound(audio);
    {
        Producer pictures(video_only());
        for (unsigned n = 0; n < 20; ++n)
            pictures.write_video(frame(n));
        pictures.flush();
        pictures.end();
    }
    Producer again(video_only());
    again.write_video(frame(20));
    const auto bus = reader();
    EXPECT_EQ(bus->flow(FlowKind::video)->first_index(), 20U);
    EXPECT_EQ(bus->flow(FlowKind::video)->head(), 21U);
    EXPECT_GE(bus->flow(FlowKind::video)->cursor(), bus->flush().index[0]) << "new frames are not void";
}

}  // namespace
