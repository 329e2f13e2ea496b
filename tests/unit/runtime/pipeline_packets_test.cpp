// SPDX-License-Identifier: Apache-2.0
// Tracks that come encoded. Nothing decodes them here: what counts is which of them come out, and when.
#include "pipeline_rig.hpp"

namespace ringcast::runtime::test {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kFrame = 40 * kMs;
constexpr std::uint32_t kPicture = 0;  // stream ids
constexpr std::uint32_t kSound = 1;
constexpr std::uint32_t kAacRate = 48000;
constexpr std::array<std::byte, 7> kAvcc{std::byte{1}, std::byte{66}, std::byte{0}, std::byte{30}};
constexpr std::array<std::byte, 2> kAsc{std::byte{0x11}, std::byte{0x90}};

class PipelinePackets : public PipelineTest {
protected:
    ProducerOptions packets_and(bool video, bool audio, WriterMode mode = WriterMode::lossless) const {
        ProducerOptions made = producer_options(video, audio);
        made.mode = mode;
        made.packets = true;
        return made;
    }
    static void declare_pictures(Producer& producer) {
        producer.set_packet_stream({.id = kPicture,
                                    .width = kWidth,
                                    .height = kHeight,
                                    .fps = {25, 1},
                                    .config = {kAvcc.begin(), kAvcc.end()}});
    }
    static void declare_sound(Producer& producer, std::uint32_t rate = kAacRate) {
        producer.set_packet_stream(
            {.id = kSound, .codec = Codec::aac, .rate = rate, .channels = 2, .config = {kAsc.begin(), kAsc.end()}});
    }
    /// Picture i, each 25th a keyframe.
    static void write_picture(Producer& producer, int i) {
        static const std::vector<std::byte> bytes(200, std::byte{0x41});
        producer.write_packet({.stream_id = kPicture,
                               .pts_ns = i * kFrame,
                               .dts_ns = i * kFrame,
                               .duration_ns = kFrame,
                               .key = i % 25 == 0,
                               .data = bytes});
    }
    static std::int64_t sound_pts(int i) { return std::int64_t{i} * 1024 * 1'000'000'000 / kAacRate; }
    static void write_aac(Producer& producer, int i) {
        static const std::vector<std::byte> bytes(100, std::byte{0x21});
        producer.write_packet({.stream_id = kSound,
                               .pts_ns = sound_pts(i),
                               .dts_ns = sound_pts(i),
                               .duration_ns = 1024 * std::int64_t{1'000'000'000} / kAacRate,
                               .key = true,
                               .data = bytes});
    }
    /// Both, by their pts, up to `frames` pictures.
    void write_both_packets(Producer& producer, int frames, int from = 0) {
        for (int i = from; i < frames; ++i) {
            write_picture(producer, i);
            for (; sound_pts(sounds_) < (i + 1) * kFrame; ++sounds_)
                write_aac(producer, sounds_);
        }
    }
    /// On the clock, and an output that gets nothing for a second ends.
    void stop_when_nothing_comes() {
        options.once = false;
        options.reader.lossless = false;
        options.sink.on_end = OnEnd::hold;
        options.sink.on_stall = OnStall::fill;
        options.sink.stall_timeout = 1s;
        options.sink.stall_show.kind = StallScreen::Kind::stop;
    }
    static void write_frame_at(Producer& producer, std::int64_t pts_ns) {
        static const std::vector<std::byte> pixels(std::size_t{kWidth} * kHeight * 3, std::byte{90});
        producer.write_video(pixels, pts_ns);
    }
    [[nodiscard]] std::int64_t sound_end_ms() const {
        const auto sound = output.seen(Media::audio);
        const StreamInfo info = output.streams().empty() ? StreamInfo{} : output.streams().at(1);
        return sound.empty() ? 0 : (sound.back().pts + sound.back().duration) * 1000 / info.sample_rate;
    }
    [[nodiscard]] bool sound_is_whole() const {
        const auto sound = output.seen(Media::audio);
        for (std::size_t i = 1; i < sound.size(); ++i) {
            if (sound[i].pts != sound[i - 1].pts + sound[i - 1].duration) return false;
        }
        return !sound.empty();
    }

    int sounds_ = 0;
};

TEST_F(PipelinePackets, both_tracks_come_out_as_they_went_in) {
    start();
    Producer producer(packets_and(false, false));
    declare_pictures(producer);
    declare_sound(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both_packets(producer, 100);
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.seen(Media::video).size(), 100U);
    EXPECT_EQ(output.seen(Media::audio).size(), static_cast<std::size_t>(sounds_));
    EXPECT_EQ(output.seen(Media::audio).front().pts, 0);
    EXPECT_TRUE(sound_is_whole());
    EXPECT_EQ(output.streams().at(1).sample_rate, kAacRate);
}

/// Sound that goes on when the pictures have stopped, as raw sound would: for a minute of it the producer is there.
class PipelineSoundGoesOn : public PipelinePackets, public testing::WithParamInterface<bool> {};

TEST_P(PipelineSoundGoesOn, when_the_pictures_stop) {
    options.sink.on_stall = GetParam() ? OnStall::fill : OnStall::wait;
    options.reader.lossless = !GetParam();
    options.sink.stall_timeout = 1s;
    start();
    Producer producer(packets_and(false, false, GetParam() ? WriterMode::live : WriterMode::lossless));
    declare_pictures(producer);
    declare_sound(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both_packets(producer, 25);
    wait_until([&] { return sound_end_ms() > 500; });
    const std::int64_t far = GetParam() ? 2'500 : 50'000;
    const auto begun = std::chrono::steady_clock::now();
    while (sound_end_ms() < far && sounds_ < 3'000) {
        write_aac(producer, sounds_++);
        // On the clock: as fast as it is heard.
        if (GetParam()) std::this_thread::sleep_until(begun + std::chrono::nanoseconds(sound_pts(sounds_)) - 1s);
    }
    wait_until([&] { return sound_end_ms() >= far; });
    EXPECT_EQ(output.seen(Media::video).size(), 25U);
    producer.end();
    EXPECT_TRUE(join());
}

INSTANTIATE_TEST_SUITE_P(Modes, PipelineSoundGoesOn, testing::Bool(),
                         [](const auto& one) { return one.param ? "fill" : "wait"; });

TEST_F(PipelinePackets, pictures_that_come_as_packets_after_the_sound_begin_an_output_of_their_own) {
    options.sink.track_wait = 20ms;
    start();
    std::unique_ptr<Producer> sound = std::make_unique<Producer>(producer_options(false, true));
    ASSERT_TRUE(sound->wait_readers(1, 60s));
    write_sound(*sound, kRate);
    wait_until([&] { return !output.streams().empty(); });
    EXPECT_EQ(output.streams().at(0).width, 1280U) << "black";
    Producer pictures(packets_and(false, false));
    declare_pictures(pictures);
    for (int i = 0; i < 50; ++i)
        write_picture(pictures, i);
    wait_until([&] { return output.streams().at(0).width == kWidth; });
    write_sound(*sound, kRate * 2);
    sound->end();
    pictures.end();
    EXPECT_TRUE(join());
    const auto calls = output.calls();
    EXPECT_EQ(std::count(calls.begin(), calls.end(), "headers"), 2);
    std::size_t passed = 0;
    for (const auto& packet : output.seen(Media::video))
        passed += packet.connection == 2 ? 1 : 0;
    EXPECT_EQ(passed, 50U);
}

TEST_F(PipelinePackets, packets_that_come_within_the_wait_are_no_missing_picture) {
    options.sink.track_wait = 300ms;
    start();
    Producer sound(producer_options(false, true));
    write_sound(sound, kRate);
    wait_until([&] { return !inspect_bus(bus).readers.empty(); });
    Producer pictures(packets_and(false, false));
    declare_pictures(pictures);
    std::this_thread::sleep_for(600ms);
    EXPECT_TRUE(output.streams().empty()) << "no black: what the pictures look like is not known yet";
    for (int i = 0; i < 25; ++i)
        write_picture(pictures, i);
    sound.end();
    pictures.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.streams().at(0).width, kWidth);
    EXPECT_EQ(output.seen(Media::video).size(), 25U);
}

TEST_F(PipelinePackets, sound_that_comes_encoded_is_passed_on_with_pictures_that_are_not) {
    options.sink.audio.rate = 44100;
    start();
    Producer producer(packets_and(true, false));
    declare_sound(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    for (int i = 0; i < 100; ++i) {
        write_frame_at(producer, i * kFrame);
        for (; sound_pts(sounds_) < (i + 1) * kFrame; ++sounds_)
            write_aac(producer, sounds_);
    }
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.seen(Media::video).size(), 100U);
    EXPECT_EQ(output.streams().at(1).sample_rate, kAacRate) << "as it came, not audio.rate";
    EXPECT_EQ(output.seen(Media::audio).size(), static_cast<std::size_t>(sounds_));
    EXPECT_EQ(output.seen(Media::audio).front().pts, 0);
}

TEST_F(PipelinePackets, raw_sound_wins_over_packets_where_the_pictures_are_raw) {
    start();
    Producer producer(packets_and(true, true));
    declare_sound(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    for (int i = 0; i < 25; ++i) {
        write_both(producer, 1);
        write_aac(producer, i);
    }
    producer.end();
    EXPECT_TRUE(join());
    expect_whole(25);
}

TEST_F(PipelinePackets, sound_that_is_described_late_begins_an_output_of_its_own) {
    options.sink.track_wait = 50ms;
    options.sink.audio.rate = 44100;
    start();
    Producer producer(packets_and(true, false));
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    for (int i = 0; i < 25; ++i)
        write_frame_at(producer, i * kFrame);
    wait_until([&] { return inspect_bus(bus).readers.at(0).frames_encoded == 25; });
    declare_sound(producer);
    write_aac(producer, 47);
    for (int i = 25; i < 50; ++i)
        write_frame_at(producer, i * kFrame);
    wait_until([&] { return output.streams().at(1).sample_rate == kAacRate; });
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(output.seen(Media::video).size(), 50U);
}

TEST_F(PipelinePackets, another_coding_of_the_sound_begins_another_output) {
    start();
    Producer producer(packets_and(false, false));
    declare_pictures(producer);
    declare_sound(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both_packets(producer, 50);
    declare_sound(producer, 44100);
    write_both_packets(producer, 100, 50);
    producer.end();
    EXPECT_TRUE(join());
    EXPECT_EQ(pipeline->totals().outputs, 2U);
    EXPECT_EQ(output.streams().at(1).sample_rate, 44100U);
    EXPECT_EQ(output.seen(Media::video).size(), 100U);
}

TEST_F(PipelinePackets, a_late_sink_begins_with_the_newest_keyframe) {
    options.reader.lossless = false;
    Producer producer(packets_and(false, false, WriterMode::live));
    declare_pictures(producer);
    declare_sound(producer);
    write_both_packets(producer, 25 * 40 + 10);  // far more than the ring holds; the newest keyframe is ten back
    start();
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both_packets(producer, 25 * 41, 25 * 40 + 10);
    producer.end();
    EXPECT_TRUE(join());
    const auto pictures = output.seen(Media::video);
    ASSERT_EQ(pictures.size(), 25U);
    EXPECT_TRUE(pictures.front().key);
    EXPECT_EQ(pictures.front().pts, 0);
    EXPECT_TRUE(sound_is_whole());
    EXPECT_LT(output.seen(Media::audio).front().pts, 2 * 1024);
}

TEST_F(PipelinePackets, a_held_output_that_gave_up_is_followed_by_one_of_the_same_streams) {
    stop_when_nothing_comes();
    start();
    {
        Producer first(packets_and(false, false, WriterMode::live));
        declare_pictures(first);
        declare_sound(first);
        ASSERT_TRUE(first.wait_readers(1, 60s));
        write_both_packets(first, 5);
        first.end();
    }
    Producer next(packets_and(false, false, WriterMode::live));
    declare_pictures(next);
    declare_sound(next);
    ASSERT_TRUE(next.wait_readers(1, 60s));
    sounds_ = 0;
    write_both_packets(next, 5);
    ASSERT_TRUE(comes_about([&] { return output.seen(Media::video).size() == 10; }));
    EXPECT_EQ(count("headers"), 1) << "held";
    ASSERT_TRUE(comes_about([&] { return count("disconnect(final)") == 1; }));
    write_both_packets(next, 30, 25);
    ASSERT_TRUE(comes_about([&] { return output.seen(Media::video).size() == 15; }));
    EXPECT_EQ(count("headers"), 2);
    EXPECT_EQ(output.streams().at(0).width, kWidth);
    EXPECT_EQ(output.streams().at(1).sample_rate, kAacRate);
    pipeline->request_stop();
    EXPECT_TRUE(join());
}

TEST_F(PipelinePackets, raw_sound_that_is_left_out_begins_no_output) {
    stop_when_nothing_comes();
    start();
    Producer producer(packets_and(false, true, WriterMode::live));
    declare_pictures(producer);
    declare_sound(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both_packets(producer, 5);
    ASSERT_TRUE(comes_about([&] { return count("disconnect(final)") == 1; }));
    write_sound(producer);
    std::this_thread::sleep_for(300ms);
    EXPECT_EQ(output.calls().back(), "disconnect(final)");
    write_both_packets(producer, 30, 25);
    ASSERT_TRUE(comes_about([&] { return output.seen(Media::video).size() == 10; }));
    EXPECT_EQ(count("headers"), 2);
    pipeline->request_stop();
    EXPECT_TRUE(join());
}

TEST_F(PipelinePackets, packets_that_are_sent_as_they_are_take_no_time_to_encode) {
    start();
    Producer producer(packets_and(false, false));
    declare_pictures(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    int written = 0;
    const auto encoded_mfps = [&] {
        write_picture(producer, written++);
        std::this_thread::sleep_for(20ms);
        return inspect_bus(bus).readers.at(0).gauges.value().encoded_mfps;
    };
    ASSERT_TRUE(comes_about([&] { return encoded_mfps() > 0; }));
    EXPECT_EQ(inspect_bus(bus).readers.at(0).gauges->encode_p50_ns, 0);
    producer.end();
    EXPECT_TRUE(join());
}

TEST_F(PipelinePackets, a_flush_leaves_out_both_tracks_up_to_the_next_keyframe) {
    options.sink.on_stall = OnStall::fill;
    options.reader.lossless = false;
    start();
    Producer producer(packets_and(false, false, WriterMode::live));
    declare_pictures(producer);
    declare_sound(producer);
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write_both_packets(producer, 100);  // four seconds at once
    wait_until([&] { return output.seen(Media::video).size() >= 5; });
    producer.flush();
    write_both_packets(producer, 150, 100);
    producer.end();
    EXPECT_TRUE(join());
    const auto pictures = output.seen(Media::video);
    EXPECT_LT(pictures.size(), 100U);
    EXPECT_GE(pictures.size(), 55U);
    EXPECT_TRUE(pictures.at(pictures.size() - 50).key) << "the first after the interruption";
    const double seconds = static_cast<double>(pictures.size()) / 25;
    EXPECT_NEAR(static_cast<double>(sound_end_ms()) / 1000, seconds, 0.2) << "the sound of the rest is left out, too";
}

}  // namespace
}  // namespace ringcast::runtime::test
