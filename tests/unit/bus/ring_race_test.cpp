// SPDX-License-Identifier: Apache-2.0
// Races between one writer and one reader, replayed step by step: the writer moves while the reader is using a record,
// or stamps are set by hand to what a reader can meet between two stores of a writer.
#include <gtest/gtest.h>

#include "private_ring.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;
using layout::SlotState;

class RingRace : public testing::Test {
protected:
    /// Reads one record; `meanwhile` runs while the reader is in the middle of using it.
    template <class Meanwhile>
    ReadStatus read_while(Meanwhile meanwhile) {
        return reader_.try_read([&](const Record&) { meanwhile(); });
    }
    void set_stamp(std::uint64_t index, SlotState state) {
        ring_.slot(index).stamp.store(make_stamp(index, state), std::memory_order_relaxed);
    }
    std::uint64_t accounted() const {
        return reader_.counts().delivered + reader_.counts().overrun + reader_.counts().aborted;
    }

    PrivateRing ring_{4, 1024};
    FlowWriter writer_{ring_.memory()};
    RingReader reader_{ring_.memory()};
};

TEST_F(RingRace, accepts_a_record_while_other_slots_are_written) {
    write_pattern(writer_, 64);
    EXPECT_EQ(read_while([&] { write_pattern(writer_, 64); }), ReadStatus::ok);
    EXPECT_EQ(reader_.counts().delivered, 1U);
}

TEST_F(RingRace, rejects_a_record_whose_slot_is_begun_while_in_use_before_one_byte_changed) {
    for (int i = 0; i < 4; ++i)
        write_pattern(writer_, 64);
    EXPECT_EQ(read_while([&] { ASSERT_TRUE(writer_.begin(64)); }), ReadStatus::overrun);
    EXPECT_EQ(reader_.counts().overrun, 1U);
    EXPECT_EQ(reader_.cursor(), 1U);
}

TEST_F(RingRace, rejects_a_record_whose_arena_bytes_are_taken_while_its_slot_is_not) {
    write_pattern(writer_, 400);
    write_pattern(writer_, 400);
    // Two of four slots are free, but record 2 needs the bytes of record 0.
    EXPECT_EQ(read_while([&] { ASSERT_TRUE(writer_.begin(400)); }), ReadStatus::overrun);
}

TEST_F(RingRace, rejects_a_record_whose_bytes_go_by_a_wrap_that_skips_the_arena_end) {
    write_pattern(writer_, 448);  // 0..448
    write_pattern(writer_, 448);  // 448..896; 128 bytes are left
    EXPECT_EQ(read_while([&] { ASSERT_TRUE(writer_.begin(256)); }), ReadStatus::overrun);
    EXPECT_EQ(read_while([] {}), ReadStatus::ok);
}

TEST_F(RingRace, rejects_a_record_the_writer_lapped_many_times_while_in_use) {
    write_pattern(writer_, 64);
    EXPECT_EQ(read_while([&] {
                  for (int i = 0; i < 41; ++i)
                      write_pattern(writer_, 64);
              }),
              ReadStatus::overrun);
    while (read_while([] {}) == ReadStatus::ok) {
    }
    EXPECT_EQ(reader_.counts().delivered, 4U);
    EXPECT_EQ(accounted(), 42U);
}

TEST_F(RingRace, rejects_a_record_retired_while_in_use) {
    write_pattern(writer_, 64);
    EXPECT_EQ(read_while([&] { set_stamp(0, SlotState::retired); }), ReadStatus::overrun);
}

TEST_F(RingRace, waits_for_a_record_whose_stamp_is_not_committed_and_head_not_moved) {
    ASSERT_TRUE(writer_.begin(64));
    EXPECT_EQ(read_while([] { FAIL(); }), ReadStatus::not_yet);
    EXPECT_EQ(accounted(), 0U);
}

// Stamps are committed before head moves. A reader between the two stores must neither take the record nor count it.
TEST_F(RingRace, waits_for_head_when_the_stamp_is_already_committed) {
    write_pattern(writer_, 64);
    ring_.header().head.store(0);
    EXPECT_EQ(read_while([] { FAIL(); }), ReadStatus::not_yet);
    ring_.header().head.store(1);
    EXPECT_EQ(read_while([] {}), ReadStatus::ok);
}

TEST_F(RingRace, counts_a_record_found_retired_as_overrun) {
    for (int i = 0; i < 2; ++i)
        write_pattern(writer_, 64);
    set_stamp(0, SlotState::retired);
    EXPECT_EQ(read_while([] {}), ReadStatus::ok);
    EXPECT_EQ(reader_.counts().overrun, 1U);
    EXPECT_EQ(reader_.cursor(), 2U);
}

// The writer marked the slot for index + N but head does not show it yet.
TEST_F(RingRace, counts_a_record_found_under_a_newer_index_as_overrun) {
    for (int i = 0; i < 4; ++i)
        write_pattern(writer_, 64);
    ring_.slot(0).stamp.store(make_stamp(4, SlotState::writing));
    EXPECT_EQ(read_while([] {}), ReadStatus::ok);
    EXPECT_EQ(reader_.counts().overrun, 1U);
    EXPECT_EQ(reader_.counts().delivered, 1U);
}

TEST_F(RingRace, counts_records_below_the_oldest_slot_without_looking_at_them) {
    for (int i = 0; i < 400; ++i)
        write_pattern(writer_, 64);
    EXPECT_EQ(read_while([] {}), ReadStatus::ok);
    EXPECT_EQ(reader_.counts().overrun, 396U);
}

TEST_F(RingRace, peek_then_lapped_then_read_gives_the_next_whole_record) {
    for (int i = 0; i < 4; ++i)
        write_pattern(writer_, 64);
    Record peeked;
    ASSERT_EQ(reader_.try_peek(peeked), ReadStatus::ok);
    for (int i = 0; i < 2; ++i)
        write_pattern(writer_, 64);
    std::uint64_t index = 0;
    ASSERT_EQ(reader_.try_read([&](const Record& record) { index = record.index; }), ReadStatus::ok);
    EXPECT_EQ(index, 2U);
    EXPECT_EQ(reader_.counts().overrun, 2U);
}

TEST_F(RingRace, keeps_its_place_when_the_user_throws) {
    write_pattern(writer_, 64);
    EXPECT_THROW(read_while([] { throw std::runtime_error("encoder"); }), std::runtime_error);
    EXPECT_EQ(reader_.cursor(), 0U);
    EXPECT_EQ(read_while([] {}), ReadStatus::ok);
}

}  // namespace
