// SPDX-License-Identifier: Apache-2.0
// One session of one producer: what it gives is what the output gets.
#include "pipeline_rig.hpp"

namespace ringcast::runtime::test {
namespace {

TEST_F(PipelineTest, delivers_every_frame_once_and_sound_of_the_same_length) {
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both(producer, 100);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(100);
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
    EXPECT_EQ(pipeline->totals().frames_read, 100U);
    EXPECT_EQ(pipeline->totals().frames_encoded, 100U);
    EXPECT_EQ(pipeline->totals().output_ns, 4'000'000'000);
}

TEST_F(PipelineTest, is_ready_before_the_first_record) {
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    const BusInfo info = inspect_bus(bus);
    ASSERT_EQ(info.readers.size(), 1U);
    EXPECT_EQ(info.readers[0].state, layout::SinkState::ready);
    EXPECT_TRUE(info.readers[0].lossless);
    producer.end();
    EXPECT_TRUE(join());
}

TEST_F(PipelineTest, tells_people_what_it_looks_like) {
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    producer.end();
    EXPECT_TRUE(join());
    const auto streams = output.streams();
    ASSERT_EQ(streams.size(), 2U);
    EXPECT_EQ(streams[0].width, kWidth);
    EXPECT_EQ(streams[0].fps, (Rational{25, 1}));
    EXPECT_EQ(streams[1].sample_rate, 48000U);
    EXPECT_NE(streams[0].epoch_realtime_ns, 0);
    EXPECT_FALSE(streams[0].extradata.empty());
}

TEST_F(PipelineTest, takes_a_whole_speech_at_once_and_the_pictures_afterwards) {
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_sound(producer, kRate * 6);
    for (int i = 0; i < 150; ++i)
        write_frame(producer);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(150);
    EXPECT_EQ(pipeline->totals().frames_repeated, 0U);
}

TEST_F(PipelineTest, takes_pictures_first_and_their_sound_seconds_later) {
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    for (int i = 0; i < 150; ++i)
        write_frame(producer);
    write_sound(producer, kRate * 6);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(150);
}

TEST(MostHeldPictures, are_a_bounded_number_of_bytes) {
    EXPECT_EQ(most_held_pictures(1280 * 720 * 3 / 2), (256U << 20U) / (1280 * 720 * 3 / 2));
    EXPECT_EQ(most_held_pictures(300U << 20U), 2U);
    EXPECT_GT(most_held_pictures(384), 1000U);
}

TEST_F(PipelineTest, with_shortest_holds_a_bounded_number_of_pictures_for_sound_that_comes_last) {
    options.sink.shortest = true;
    // Four times the memory of the usual format.
    options.sink.video.size = Size{2048, 2048};
    options.sink.video.pix_fmt = "yuv444p10le";
    options.sink.video.preset = "ultrafast";
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    const auto held = static_cast<std::int64_t>(most_held_pictures(2048 * 2048 * 6));
    ASSERT_EQ(held, 10);
    for (int i = 0; i < held + 5; ++i)
        write_frame(producer);
    wait_until([&] { return inspect_bus(bus).readers.at(0).frames_encoded >= 5; });
    write_sound(producer, kRate * static_cast<std::size_t>(held + 4) / 25);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(held + 4);
}

TEST_F(PipelineTest, fills_a_missing_audio_track_with_silence) {
    start();
    Producer producer(producer_options(true, false));
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    for (int i = 0; i < 50; ++i)
        write_frame(producer);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(50);
}

TEST_F(PipelineTest, shows_a_black_slate_when_there_is_no_video_flow) {
    options.sink.track_wait = 20ms;
    start();
    Producer producer(producer_options(false, true));
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_sound(producer, kRate * 2);
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.streams().at(0).width, 1280U);
    EXPECT_EQ(output.seen(Media::video).size(), 50U);
}

TEST_F(PipelineTest, packets_and_events_hold_no_lossless_writer_back) {
    ProducerOptions with_more = producer_options();
    with_more.packets = with_more.events = true;
    start();
    Producer producer(with_more);
    producer.set_packet_stream({.width = kWidth, .height = kHeight, .config = {}});
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    const std::vector<std::byte> packet(4U << 20U);
    for (int i = 0; i < 25; ++i) {
        write_both(producer, 1);
        producer.write_packet({.pts_ns = i, .dts_ns = i, .key = true, .data = packet});  // six times its ring
        producer.write_event("{}");
    }
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(25);
}

TEST_F(PipelineTest, a_full_queue_holds_back_a_lossless_writer_and_loses_nothing) {
    options.sink.queue = 200ms;
    output.block(true);
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    std::thread writer([&] {
        write_both(producer, 100);
        producer.end();
    });
    wait_until([&] { return inspect_bus(bus).readers.at(0).queue_ns >= 200'000'000; });
    EXPECT_LT(inspect_bus(bus).readers.at(0).delivered[0], 100U);
    output.block(false);
    writer.join();
    EXPECT_TRUE(join());
    expect_whole(100);
}

}  // namespace
}  // namespace ringcast::runtime::test
