// SPDX-License-Identifier: Apache-2.0
/// The whole sink but its plugin: a real producer, a real bus, real encoders, an Output that records.
#include "runtime/pipeline.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "recording_output.hpp"
#include "ringcast/inspect.hpp"
#include "ringcast/producer.hpp"
#include "runtime/av_log.hpp"

namespace ringcast::runtime {
namespace {

using namespace std::chrono_literals;
using test::RecordingOutput;
using Calls = std::vector<std::string>;

constexpr std::uint32_t kWidth = 64;
constexpr std::uint32_t kHeight = 48;
constexpr std::uint32_t kRate = 44100;

class PipelineTest : public testing::Test {
protected:
    PipelineTest() {
        static int counter = 0;
        set_av_log_handler([](int, std::string_view) {});
        bus = "pipe-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
        options.reader.bus = bus;
        options.reader.name = "recorder";
        options.reader.plugin = "test";
        options.reader.lossless = true;
        options.once = true;
        options.sink.video.preset = "ultrafast";
        options.sink.on_end = OnEnd::close;
    }
    ~PipelineTest() override {
        if (runner.joinable()) {
            pipeline->request_stop();
            runner.join();
        }
        for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
            if (entry.path().filename().string().starts_with("ringcast." + bus + ".")) {
                std::filesystem::remove(entry.path());
            }
        }
    }

    void start() {
        auto log = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>());
        pipeline = std::make_unique<Pipeline>(options, output, log);
        runner = std::thread([this] { succeeded = pipeline->run(); });
    }
    bool join() {
        runner.join();
        return succeeded;
    }

    ProducerOptions producer_options(bool video = true, bool audio = true) const {
        ProducerOptions made;
        made.bus = bus;
        made.mode = WriterMode::lossless;
        if (video) made.video = VideoFormat{PixelFormat::bgr24, kWidth, kHeight, {25, 1}};
        if (audio) made.audio = AudioFormat{SampleFormat::s16, kRate, 1};
        return made;
    }
    static void write_frame(Producer& producer) {
        static const std::vector<std::byte> pixels(std::size_t{kWidth} * kHeight * 3, std::byte{90});
        producer.write_video(pixels);
    }
    static void write_sound(Producer& producer, std::size_t samples = kRate / 25) {
        producer.write_audio(std::vector<std::byte>(samples * 2, std::byte{1}));
    }
    static void write_both(Producer& producer, int frames) {
        for (int i = 0; i < frames; ++i) {
            write_frame(producer);
            write_sound(producer);
        }
    }
    template <class Condition>
    static void wait_until(Condition condition) {
        while (!condition())
            std::this_thread::sleep_for(1ms);
    }

    /// Every tick once; the sound without a hole, as long as the picture.
    void expect_whole(std::int64_t frames) const {
        const auto video = output.seen(Media::video);
        ASSERT_EQ(video.size(), static_cast<std::size_t>(frames));
        std::vector<std::int64_t> ticks;
        for (const auto& packet : video)
            ticks.push_back(packet.pts);
        std::sort(ticks.begin(), ticks.end());
        for (std::int64_t i = 0; i < frames; ++i)
            ASSERT_EQ(ticks[static_cast<std::size_t>(i)], i);
        EXPECT_TRUE(video.front().key);

        const auto audio = output.seen(Media::audio);
        ASSERT_FALSE(audio.empty());
        const StreamInfo info = output.streams().at(1);
        EXPECT_EQ(audio.front().pts, -static_cast<std::int64_t>(info.initial_padding));
        for (std::size_t i = 1; i < audio.size(); ++i) {
            ASSERT_EQ(audio[i].pts, audio[i - 1].pts + audio[i - 1].duration);
        }
        EXPECT_EQ(audio.back().pts + audio.back().duration, frames * 48000 / 25);
    }

    std::string bus;
    PipelineOptions options;
    RecordingOutput output;
    std::unique_ptr<Pipeline> pipeline;
    std::thread runner;
    bool succeeded = false;
};

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
    EXPECT_EQ(most_held_pictures({1280, 720}), (256U << 20U) / (1280 * 720 * 3 / 2));
    EXPECT_EQ(most_held_pictures({16384, 16384}), 2U);
    EXPECT_GT(most_held_pictures({16, 16}), 1000U);
}

TEST_F(PipelineTest, with_shortest_holds_a_bounded_number_of_pictures_for_sound_that_comes_last) {
    options.sink.shortest = true;
    options.sink.video.size = Size{4096, 4096};
    start();
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    const auto held = static_cast<std::int64_t>(most_held_pictures(*options.sink.video.size));
    ASSERT_LT(held, 20);
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
    expect_whole(20);
    EXPECT_EQ(output.calls(), (Calls{"connect", "headers", "disconnect(final)"}));
}

TEST_F(PipelineTest, with_on_stall_fill_a_producer_that_dies_leaves_a_held_picture_until_the_next) {
    options.sink.on_stall = OnStall::fill;
    options.reader.lossless = false;
    start();
    {
        ProducerOptions live = producer_options();
        live.mode = WriterMode::live;
        Producer producer(live);
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        write_both(producer, 5);
        wait_until([&] { return inspect_bus(bus).readers.at(0).frames_encoded >= 15; });
    }
    wait_until([&] { return output.seen(Media::video).size() >= 12; });
    ProducerOptions next = producer_options();
    next.mode = WriterMode::live;
    Producer producer(next);
    write_both(producer, 5);
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(static_cast<std::int64_t>(output.seen(Media::video).size()));
    EXPECT_EQ(pipeline->totals().frames_encoded - pipeline->totals().frames_repeated, 10U);
    EXPECT_GE(pipeline->totals().frames_repeated, 10U);
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
    options.queue_capacity = 200ms;
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
}  // namespace ringcast::runtime
