// SPDX-License-Identifier: Apache-2.0
// The life of a sink: before there is a bus, stops, ends, deaths and restarts of the producer, failures.
#include <climits>
#include <fstream>

#include "pipeline_rig.hpp"

namespace ringcast::runtime::test {
namespace {

TEST_F(PipelineTest, connects_before_there_is_a_bus) {
    start();
    wait_until([&] { return output.calls() == Calls{"connect"}; });
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 25);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(25);
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
}

TEST_F(PipelineTest, a_place_that_cannot_be_used_fails_the_sink_before_there_is_a_bus) {
    output.connect_answers = {OutputStatus::config};
    start();
    EXPECT_FALSE(join());
    EXPECT_EQ(output.calls(), (Calls{"connect"}));
    EXPECT_EQ(pipeline->totals().outputs, 0U);
}

TEST_F(PipelineTest, a_place_that_is_lost_after_an_end_fails_the_sink_while_it_waits) {
    options.once = false;
    output.connect_answers = {OutputStatus::ok, OutputStatus::config};
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 10);
    producer.end();
    EXPECT_FALSE(join());
    expect_whole(10);
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)", "connect"}));
}

TEST_F(PipelineTest, a_stop_finishes_what_was_read) {
    options.once = false;
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 30);
    wait_until([&] { return inspect_bus(bus).readers.at(0).delivered[0] == 30; });
    pipeline->request_stop();
    EXPECT_TRUE(join());
    expect_whole(30);
    EXPECT_EQ(output.calls().back(), "disconnect(final)");
}

TEST_F(PipelineTest, a_stop_ends_the_wait_for_a_bus) {
    start();
    wait_until([&] { return !output.calls().empty(); });
    pipeline->request_stop();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.calls(), (Calls{"connect", "disconnect(final)"}));
}

TEST_F(PipelineTest, the_next_producer_gets_an_output_of_its_own_after_an_end) {
    options.once = false;
    start();
    for (int round = 0; round < 2; ++round) {
        Producer producer(producer_options());
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        write_both(producer, 10);
        producer.end();
        // The third call ends this output, the fourth is the next one's connect().
        wait_until([&] { return output.calls().size() == 3U * static_cast<std::size_t>(round + 1) + 1; });
    }
    pipeline->request_stop();
    EXPECT_TRUE(join());
    const Calls whole{"connect", "headers", "disconnect(final)"};
    Calls expected;
    for (int round = 0; round < 2; ++round)
        expected.insert(expected.end(), whole.begin(), whole.end());
    expected.insert(expected.end(), {"connect", "disconnect(final)"});
    EXPECT_EQ(output.calls(), expected);
    EXPECT_EQ(output.seen(Media::video).size(), 20U);
}

TEST_F(PipelineTest, with_on_end_hold_the_next_producer_goes_on_in_the_same_output) {
    options.once = false;
    options.sink.on_end = OnEnd::hold;
    start();
    for (int round = 0; round < 2; ++round) {
        Producer producer(producer_options());
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        write_both(producer, 10);
        producer.end();
    }
    wait_until([&] { return output.seen(Media::video).size() >= 15; });
    pipeline->request_stop();
    EXPECT_TRUE(join());
    const auto pictures = static_cast<std::int64_t>(output.seen(Media::video).size());
    EXPECT_LE(pictures, 20) << "what a stop finds unread may be left out";
    expect_whole(pictures);
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
}

TEST_F(PipelineTest, with_stall_show_stop_a_held_output_ends_while_there_is_no_bus) {
    options.once = false;
    keep_to_the_clock();
    options.sink.on_end = OnEnd::hold;
    options.sink.stall_timeout = 300ms;
    options.sink.stall_show.kind = StallScreen::Kind::stop;
    start();
    for (int round = 1; round <= 2; ++round) {
        {
            Producer producer(live_producer_options());
            ASSERT_TRUE(producer.wait_readers(1, 60s));
            write_both(producer, 5);
            producer.end();
        }
        ASSERT_TRUE(comes_about([&] { return count("disconnect(final)") == round; }));
    }
    pipeline->request_stop();
    EXPECT_TRUE(join());
    EXPECT_EQ(pipeline->totals().outputs, 2U) << "the next producer begins another";
    EXPECT_EQ(pipeline->totals().frames_encoded - pipeline->totals().frames_repeated, 10U);
}

TEST_F(PipelineTest, with_stall_show_stop_the_end_of_the_stream_that_had_stalled_is_the_end_of_a_sink_for_one_stream) {
    keep_to_the_clock();
    options.sink.stall_timeout = 300ms;
    options.sink.stall_show.kind = StallScreen::Kind::stop;
    start();
    Producer producer(live_producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 5);
    ASSERT_TRUE(comes_about([&] { return count("disconnect(final)") == 1; }));
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
}

/// How often that thread of this process has gone to sleep so far.
long sleeps_of(pid_t thread) {
    std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
    const std::string name = "voluntary_ctxt_switches:";
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(name)) return std::stol(line.substr(name.size()));
    ADD_FAILURE() << "no thread " << thread;
    return 0;
}

TEST_F(PipelineTest, a_held_output_that_cannot_be_delivered_waits_for_the_next_bus_at_rest) {
    options.sink.video.tune = "zerolatency";
    options.once = false;
    keep_to_the_clock();
    options.sink.on_end = OnEnd::hold;
    start();
    {
        Producer producer(live_producer_options());
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        output.block(true);
        write_both(producer, 5);
        producer.end();
    }
    std::this_thread::sleep_for(5s);  // the queue holds 4 s
    // Whatever comes or goes in /dev/shm wakes it, too: of some seconds the calmest one counts.
    long fewest = LONG_MAX;
    for (int second = 0; second < 10 && fewest >= 40; ++second) {
        const long before = sleeps_of(runner_id);
        std::this_thread::sleep_for(1s);
        fewest = std::min(fewest, sleeps_of(runner_id) - before);
    }
    EXPECT_LT(fewest, 40) << "no wait that ends at once";
    output.block(false);
    const auto delivered = output.seen(Media::video).size();
    EXPECT_TRUE(comes_about([&] { return output.seen(Media::video).size() > delivered + 100; })) << "and goes on";
    pipeline->request_stop();
    EXPECT_TRUE(join());
}

TEST_F(PipelineTest, with_on_stall_fill_a_producer_that_dies_leaves_a_held_picture_until_the_next) {
    keep_to_the_clock();
    start();
    {
        Producer producer(live_producer_options());
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        write_both(producer, 5);
        wait_until([&] { return inspect_bus(bus).readers.at(0).frames_encoded >= 15; });
    }
    wait_until([&] { return output.seen(Media::video).size() >= 12; });
    Producer producer(live_producer_options());
    write_both(producer, 5);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(static_cast<std::int64_t>(output.seen(Media::video).size()));
    EXPECT_EQ(pipeline->totals().frames_encoded - pipeline->totals().frames_repeated, 10U);
    EXPECT_GE(pipeline->totals().frames_repeated, 10U);
}

TEST_F(PipelineTest, an_end_that_comes_while_the_encoder_is_busy_is_no_stall) {
    keep_to_the_clock();
    options.sink.lag_limit = 60s;
    options.sink.video.size = Size{4096, 2304};  // in the encoder for longer than a picture may be late
    options.sink.video.preset = "veryslow";
    options.sink.video.tune = "zerolatency";
    start();
    Producer producer(live_producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 5);
    producer.end();
    const auto ended = std::chrono::steady_clock::now();
    EXPECT_TRUE(join());
    ASSERT_GT(std::chrono::steady_clock::now() - ended, 120ms)
        << "the encoder was too quick for this test to show anything";
    EXPECT_EQ(pipeline->totals().frames_repeated, 0U);
    expect_whole(5);
}

TEST_F(PipelineTest, a_producer_that_dies_is_continued_by_the_next_in_the_same_output) {
    start();
    {
        Producer producer(producer_options());
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        write_both(producer, 25);
    }  // no end(): as if it had crashed
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 25);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(50);
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
}

TEST_F(PipelineTest, the_next_producer_may_have_another_size_and_rate) {
    start();
    {
        Producer producer(producer_options());
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        write_both(producer, 25);
    }
    ProducerOptions other = producer_options();
    other.video = VideoFormat{PixelFormat::rgba, 100, 40, {25, 1}};
    other.audio = AudioFormat{SampleFormat::f32, 16000, 2};
    Producer producer(other);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    for (int i = 0; i < 25; ++i) {
        producer.write_video(std::vector<std::byte>(100 * 40 * 4));
        producer.write_audio(std::vector<std::byte>(640 * 2 * 4));
    }
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(50);
    EXPECT_EQ(output.streams().at(0).width, kWidth);
}

TEST_F(PipelineTest, an_output_that_is_not_begun_yet_is_no_reader_to_rely_on) {
    output.block_connect(true);
    output.connect_answers = {OutputStatus::config};
    Producer producer(producer_options());
    write_both(producer, 1);
    start();
    wait_until([&] { return count("connect") == 1; });
    EXPECT_FALSE(producer.wait_readers(1, 300ms)) << "it may fail, as this one does";
    output.block_connect(false);
    EXPECT_FALSE(join());
}

TEST_F(PipelineTest, a_failed_output_fails_the_sink_and_leaves_the_producer_alone) {
    output.packet_answers = {OutputStatus::ok, OutputStatus::ok, OutputStatus::storage};
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 50);
    EXPECT_FALSE(join());
    EXPECT_EQ(output.calls().back(), "disconnect(final)");
    write_both(producer, 50);
    producer.end();
}

TEST_F(PipelineTest, an_encoder_that_cannot_open_fails_the_sink_with_a_reason) {
    options.sink.video.encoder = "no_such_encoder";
    start();
    wait_until([&] { return !output.calls().empty(); });
    Producer producer(producer_options());
    EXPECT_FALSE(join());
    EXPECT_EQ(output.calls(), (Calls{"connect", "disconnect(final)"}));
}

}  // namespace
}  // namespace ringcast::runtime::test
