// SPDX-License-Identifier: Apache-2.0
// Where a sink begins that joins a bus which is already in use.
#include "pipeline_rig.hpp"
#include "ringcast/reader.hpp"

namespace ringcast::runtime::test {
namespace {

class PipelineStart : public PipelineTest {
protected:
    /// The pictures that come out when `written` were there before the sink came and `more` follow.
    std::uint64_t read_of(const ProducerOptions& producer_words, int written, int more) {
        Producer producer(producer_words);
        write_both(producer, written);
        start();
        EXPECT_TRUE(producer.wait_readers(1, 60s));
        write_both(producer, more);
        producer.end();
        EXPECT_TRUE(join());
        return pipeline->totals().frames_read;
    }
};

TEST_F(PipelineStart, a_late_sink_begins_with_the_newest_picture_of_a_live_ring_that_is_full) {
    EXPECT_EQ(read_of(live_producer_options(), 100, 10), 11U);
    expect_whole(11);
    EXPECT_EQ(pipeline->totals().frames_overrun, 0U);
}

TEST_F(PipelineStart, a_sink_that_comes_while_the_first_picture_is_in_the_ring_begins_with_it) {
    EXPECT_EQ(read_of(live_producer_options(), 5, 5), 10U);
    expect_whole(10);
}

TEST_F(PipelineStart, on_the_clock_a_sink_begins_with_the_newest_picture_in_any_case) {
    keep_to_the_clock();
    EXPECT_EQ(read_of(live_producer_options(), 5, 5), 6U);
}

/// What comes while the encoders open is due at once; the clock goes on from when the first picture was made.
TEST_F(PipelineStart, on_the_clock_a_sink_that_was_there_first_begins_with_the_first_picture) {
    keep_to_the_clock();
    options.sink.video.size = Size{4096, 2304};  // takes its time to open
    options.sink.video.pix_fmt = "yuv444p10le";
    options.sink.video.preset = "veryslow";
    output.count_sent(1);
    start();
    Producer producer(live_producer_options());
    // What it sees at its first look decides; then it shows its figures.
    wait_until([&] {
        const auto readers = inspect_bus(bus).readers;
        return !readers.empty() && readers[0].bytes_sent > 0;
    });
    write_both(producer, 5);
    const std::int64_t epoch = inspect_bus(bus).epoch_realtime_ns;
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.streams().at(0).epoch_realtime_ns, epoch);
    EXPECT_EQ(pipeline->totals().frames_read, 5U);
}

TEST_F(PipelineStart, a_sink_that_waits_for_the_first_record_says_that_its_peer_is_away) {
    options.sink.track_wait = options.retry.first = 1h;  // it waits for a picture, and for its peer
    output.connect_answers = {OutputStatus::transient};
    Producer producer(live_producer_options(false));
    start();
    EXPECT_TRUE(comes_about([&] {
        const auto readers = inspect_bus(bus).readers;
        return !readers.empty() && readers[0].state == layout::SinkState::backoff;
    }));
}

TEST_F(PipelineStart, a_late_sink_for_which_the_writer_waits_begins_with_the_oldest_picture) {
    EXPECT_GT(read_of(producer_options(), 100, 10), 30U);
    EXPECT_EQ(pipeline->totals().frames_overrun, 0U);
}

TEST_F(PipelineStart, a_late_sink_that_asks_for_no_wait_begins_with_the_newest_picture) {
    options.reader.lossless = false;
    EXPECT_EQ(read_of(producer_options(), 100, 10), 11U);
}

TEST_F(PipelineStart, the_output_is_dated_by_the_picture_it_begins_with) {
    Producer producer(live_producer_options());
    write_both(producer, 100);
    start();
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    const std::int64_t epoch = inspect_bus(bus).epoch_realtime_ns;
    wait_until([&] { return !output.streams().empty(); });
    EXPECT_EQ(output.streams().at(0).epoch_realtime_ns - epoch, 99 * std::int64_t{40'000'000});
    producer.end();
    EXPECT_TRUE(join());
}

TEST_F(PipelineStart, sound_alone_begins_with_what_was_made_in_the_last_second) {
    keep_to_the_clock();
    options.sink.track_wait = 100ms;
    Producer producer(live_producer_options(false));
    write_sound(producer, kRate * 5);
    std::this_thread::sleep_for(300ms);
    write_sound(producer, kRate / 10);
    start();
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_sound(producer, kRate / 10);
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_LT(pipeline->totals().output_ns, 1'000'000'000);
    EXPECT_GT(pipeline->totals().output_ns, 0);
}

}  // namespace
}  // namespace ringcast::runtime::test
