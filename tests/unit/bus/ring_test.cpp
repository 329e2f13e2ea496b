// SPDX-License-Identifier: Apache-2.0
// One writer and one reader taking turns on one ring: order, loss accounting, arena placement, retirement.
#include <gtest/gtest.h>

#include <random>

#include "private_ring.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;
using layout::SlotState;

ReadStatus read_and_check(RingReader& reader, std::uint64_t* index = nullptr) {
    bool matches = true;
    const ReadStatus status = reader.try_read([&](const Record& record) {
        matches = has_pattern(record.payload, record.index) && record.media_index == record.index;
        if (index != nullptr) *index = record.index;
    });
    EXPECT_TRUE(matches || status != ReadStatus::ok) << "accepted a record with foreign bytes";
    return status;
}

std::uint64_t lost(const RingReader& reader) {
    return reader.counts().overrun + reader.counts().aborted;
}

TEST(Ring, delivers_every_record_once_and_in_order) {
    const PrivateRing ring(8, 4096);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    for (std::uint64_t expected = 0; expected < 1000; ++expected) {
        write_pattern(writer, 100 + expected % 300);
        std::uint64_t index = ~0ULL;
        ASSERT_EQ(read_and_check(reader, &index), ReadStatus::ok);
        ASSERT_EQ(index, expected);
        ASSERT_EQ(read_and_check(reader), ReadStatus::not_yet);
    }
    EXPECT_EQ(reader.counts().delivered, 1000U);
    EXPECT_EQ(lost(reader), 0U);
}

TEST(Ring, carries_every_descriptor_field) {
    const PrivateRing ring(8, 4096);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    RecordFields fields;
    fields.pts_ns = -5;
    fields.dts_ns = -7;
    fields.duration_ns = 40'000'000;
    fields.media_index = 1ULL << 40;
    fields.session = 77;
    fields.flags = layout::kFlagKey | layout::kFlagExplicitPts;
    fields.stream_id = 3;
    fields.caps_generation = 2;
    fields.sample_count = 441;
    fields.caps = make_caps(VideoFormat{PixelFormat::i420, 33, 17, {30000, 1001}});
    ASSERT_TRUE(writer.begin(10));
    writer.commit(fields);
    ASSERT_EQ(reader.try_read([&](const Record& record) {
        EXPECT_EQ(record.pts_ns, fields.pts_ns);
        EXPECT_EQ(record.dts_ns, fields.dts_ns);
        EXPECT_EQ(record.duration_ns, fields.duration_ns);
        EXPECT_EQ(record.media_index, fields.media_index);
        EXPECT_EQ(record.session, fields.session);
        EXPECT_EQ(record.flags, fields.flags);
        EXPECT_EQ(record.stream_id, fields.stream_id);
        EXPECT_EQ(record.caps_generation, fields.caps_generation);
        EXPECT_EQ(record.sample_count, fields.sample_count);
        EXPECT_EQ(std::memcmp(&record.caps, &fields.caps, sizeof(fields.caps)), 0);
        EXPECT_GT(record.capture_time_ns, 0);
        EXPECT_EQ(record.payload.size(), 10U);
    }),
              ReadStatus::ok);
}

TEST(Ring, counts_exactly_the_records_a_lapped_reader_lost) {
    const PrivateRing ring(8, 1 << 16);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    for (int i = 0; i < 3; ++i)
        write_pattern(writer, 64);
    ASSERT_EQ(read_and_check(reader), ReadStatus::ok);
    for (int i = 0; i < 20; ++i)
        write_pattern(writer, 64);  // 23 written, 8 still there
    std::uint64_t index = 0;
    ASSERT_EQ(read_and_check(reader, &index), ReadStatus::ok);
    EXPECT_EQ(index, 15U);
    EXPECT_EQ(reader.counts().overrun, 14U);
    EXPECT_EQ(reader.counts().aborted, 0U);
    EXPECT_EQ(reader.counts().delivered, 2U);
}

TEST(Ring, reports_ended_only_after_the_last_record) {
    const PrivateRing ring(8, 4096);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    write_pattern(writer, 64);
    ring.header().ended.store(1);
    EXPECT_EQ(read_and_check(reader), ReadStatus::ok);
    EXPECT_EQ(read_and_check(reader), ReadStatus::ended);
    EXPECT_EQ(read_and_check(reader), ReadStatus::ended);
}

TEST(Ring, counts_an_index_its_writer_never_finished_as_aborted) {
    const PrivateRing ring(8, 4096);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    for (int i = 0; i < 4; ++i)
        write_pattern(writer, 64);
    // What a takeover leaves: index 2 burnt in the middle of writing, the next writer went on above it.
    ring.slot(2).stamp.store(make_stamp(2, SlotState::writing));
    while (read_and_check(reader) == ReadStatus::ok) {
    }
    EXPECT_EQ(reader.counts().delivered, 3U);
    EXPECT_EQ(reader.counts().aborted, 1U);
    EXPECT_EQ(reader.counts().overrun, 0U);
}

TEST(Ring, peek_shows_the_record_that_read_then_delivers) {
    const PrivateRing ring(8, 4096);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    Record record;
    EXPECT_EQ(reader.try_peek(record), ReadStatus::not_yet);
    write_pattern(writer, 64);
    ASSERT_EQ(reader.try_peek(record), ReadStatus::ok);
    EXPECT_EQ(record.index, 0U);
    EXPECT_TRUE(record.payload.empty());
    EXPECT_EQ(reader.cursor(), 0U);
    EXPECT_EQ(read_and_check(reader), ReadStatus::ok);
    EXPECT_EQ(reader.counts().delivered, 1U);
}

TEST(Ring, seeks_to_the_oldest_and_newest_record) {
    const PrivateRing ring(8, 1 << 16, 100);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    reader.seek_newest();
    EXPECT_EQ(reader.cursor(), 100U);
    for (int i = 0; i < 20; ++i)
        write_pattern(writer, 64);
    reader.seek_oldest();
    EXPECT_EQ(reader.cursor(), 112U);
    reader.seek_newest();
    EXPECT_EQ(reader.cursor(), 119U);
    EXPECT_EQ(reader.counts().overrun, 0U);
}

TEST(RingArena, puts_a_record_that_would_straddle_the_end_at_the_next_multiple_of_the_arena) {
    const PrivateRing ring(8, 1024);
    FlowWriter writer(ring.memory());
    for (int i = 0; i < 3; ++i)
        write_pattern(writer, 300);
    EXPECT_EQ(ring.slot(2).payload_position, 640U);
    write_pattern(writer, 300);  // 960 + 300 > 1024
    EXPECT_EQ(ring.slot(3).payload_position, 1024U);
    EXPECT_EQ(ring.state(0), SlotState::retired);
    EXPECT_EQ(ring.state(1), SlotState::committed);
}

TEST(RingArena, retires_the_owner_of_the_bytes_before_they_are_touched) {
    const PrivateRing ring(8, 1024);
    FlowWriter writer(ring.memory());
    write_pattern(writer, 512);  // 0..512
    write_pattern(writer, 448);  // 512..960
    const auto payload = writer.begin(500);
    ASSERT_TRUE(payload);
    EXPECT_EQ(payload->data(), ring.memory().arena);
    EXPECT_EQ(ring.state(0), SlotState::retired);
    EXPECT_EQ(ring.state(1), SlotState::committed);
    EXPECT_EQ(ring.state(2), SlotState::writing);
}

TEST(RingArena, takes_no_arena_for_an_empty_record) {
    const PrivateRing ring(8, 1024);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    write_pattern(writer, 512);
    write_pattern(writer, 512);
    for (int i = 0; i < 3; ++i)
        write_pattern(writer, 0);
    EXPECT_EQ(ring.state(0), SlotState::committed);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(read_and_check(reader), ReadStatus::ok);
}

TEST(RingArena, refuses_a_record_larger_than_half_of_it) {
    const PrivateRing ring(8, 1024);
    FlowWriter writer(ring.memory());
    write_pattern(writer, 512);
    EXPECT_FALSE(writer.begin(513));
    EXPECT_EQ(ring.state(0), SlotState::committed);
    write_pattern(writer, 512);
    EXPECT_EQ(ring.header().head.load(), 2U);
}

TEST(RingArena, predicts_what_a_record_will_retire) {
    const PrivateRing ring(8, 1024);
    FlowWriter writer(ring.memory());
    for (int i = 0; i < 3; ++i)
        write_pattern(writer, 300);
    EXPECT_EQ(writer.tail_after(64), 0U);
    EXPECT_EQ(writer.tail_after(300), 1U);
    ASSERT_TRUE(writer.begin(300));
    EXPECT_EQ(ring.state(0), SlotState::retired);
    EXPECT_EQ(ring.state(1), SlotState::committed);
}

TEST(RingArena, starts_the_same_index_anew_after_an_aborted_begin) {
    const PrivateRing ring(8, 1024);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    fill_pattern(*writer.begin(200), 99);
    EXPECT_EQ(read_and_check(reader), ReadStatus::not_yet);
    write_pattern(writer, 400);
    std::uint64_t index = 1;
    EXPECT_EQ(read_and_check(reader, &index), ReadStatus::ok);
    EXPECT_EQ(index, 0U);
    EXPECT_EQ(lost(reader), 0U);
}

struct Shape {
    std::uint64_t slots;
    std::uint64_t arena;
    std::uint64_t first_index;
};
class RingProperty : public testing::TestWithParam<Shape> {};

// Whatever the sizes: after begin() no committed record owns a byte that is handed out, and the live ones are a run.
TEST_P(RingProperty, never_hands_out_bytes_of_a_committed_record) {
    const auto [slots, arena, first] = GetParam();
    const PrivateRing ring(slots, arena, first);
    FlowWriter writer(ring.memory());
    std::mt19937_64 random(slots * 31 + arena);
    for (int round = 0; round < 20'000; ++round) {
        const std::uint64_t size = random() % (arena / 2 + 1);
        const auto payload = writer.begin(size);
        ASSERT_TRUE(payload);
        const std::uint64_t next = writer.next_index();
        const auto begin = static_cast<std::uint64_t>(payload->data() - ring.memory().arena);
        bool is_live = true;
        for (std::uint64_t back = 1; back <= slots && next - back + 1 > first; ++back) {
            const std::uint64_t index = next - back;
            const bool committed = ring.state(index) == SlotState::committed;
            ASSERT_TRUE(is_live || !committed) << "live records have a hole above " << index;
            is_live = committed;
            if (!committed) continue;
            const auto& slot = ring.slot(index);
            const std::uint64_t offset = slot.payload_position % arena;
            const bool apart = offset + slot.payload_size <= begin || begin + size <= offset;
            ASSERT_TRUE(apart || size == 0 || slot.payload_size == 0)
                << "record " << index << " owns bytes of " << next;
            ASSERT_TRUE(has_pattern({ring.memory().arena + offset, slot.payload_size}, index));
        }
        fill_pattern(*payload, next);
        if (random() % 16 == 0) continue;  // aborted
        writer.commit({});
    }
}

// delivered + overrun + aborted = written, whatever the turns the two take.
TEST_P(RingProperty, accounts_for_every_record) {
    const auto [slots, arena, first] = GetParam();
    const PrivateRing ring(slots, arena, first);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    std::mt19937_64 random(slots * 17 + arena);
    for (int round = 0; round < 5'000; ++round) {
        for (std::uint64_t n = random() % (2 * slots); n > 0; --n)
            write_pattern(writer, random() % (arena / 2 + 1));
        for (std::uint64_t n = random() % (2 * slots); n > 0; --n) {
            ASSERT_NE(read_and_check(reader), ReadStatus::damaged);
            ASSERT_EQ(reader.counts().delivered + lost(reader), reader.cursor() - first);
        }
    }
    while (read_and_check(reader) != ReadStatus::not_yet) {
    }
    EXPECT_EQ(reader.counts().delivered + lost(reader), ring.header().head.load() - first);
    EXPECT_EQ(reader.counts().aborted, 0U);
    EXPECT_GT(reader.counts().delivered, 0U);
    EXPECT_GT(reader.counts().overrun, 0U);
}

INSTANTIATE_TEST_SUITE_P(Shapes, RingProperty,
                         testing::Values(Shape{4, 1024, 0}, Shape{8, 4096, 1000}, Shape{64, 2048, 7},
                                         Shape{2, 192, 1ULL << 60}, Shape{1, 128, 0}));

}  // namespace
