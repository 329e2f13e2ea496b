// SPDX-License-Identifier: Apache-2.0
// One thread writes a whole speech and then the frames: nothing is lost and nothing locks up, in all three modes.
#include <thread>

#include "bus_fixture.hpp"
#include "ringcast/error.hpp"
#include "system.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class LongAudio : public BusTest {
protected:
    ProducerOptions deep(WriterMode mode, std::chrono::nanoseconds depth) const {
        ProducerOptions wanted = options();
        wanted.mode = mode;
        wanted.audio_depth = depth;
        return wanted;
    }
    static std::vector<std::byte> sound(double seconds) {
        return std::vector<std::byte>(static_cast<std::size_t>(seconds * 8000) * 2);
    }
};

/// Reads a bus to its end on a thread of its own, like a sink does.
class Drain {
public:
    explicit Drain(std::unique_ptr<BusReader> bus) : bus_(std::move(bus)), thread_([this] { run(); }) {}
    ~Drain() {
        if (thread_.joinable()) thread_.join();
    }
    Drain(const Drain&) = delete;
    Drain& operator=(const Drain&) = delete;
    void join() { thread_.join(); }

    std::uint64_t samples = 0;
    std::uint64_t frames = 0;
    std::uint64_t lost = 0;
    std::int64_t most_ahead_ns = 0;  // of the sound before the pictures
    bool in_order = true;

private:
    void run() {
        for (;;) {
            const std::uint32_t ticket = bus_->ticket();
            bus_->refresh();
            const bool audio_over = read_audio() == ReadStatus::ended;
            const bool video_over = read_video() == ReadStatus::ended;
            if (audio_over && video_over) break;
            bus_->wait(ticket, steady_clock::now() + 100ms);
        }
        for (const FlowKind kind : {FlowKind::video, FlowKind::audio}) {
            const ReadCounts counts = bus_->flow(kind)->counts();
            lost += counts.overrun + counts.aborted;
        }
    }
    ReadStatus read_audio() {
        ReadStatus status = ReadStatus::ok;
        while (status == ReadStatus::ok) {
            status = bus_->flow(FlowKind::audio)->try_read([&](const Record& record) {
                in_order = in_order && record.media_index == samples;
                samples += record.sample_count;
                most_ahead_ns = std::max(most_ahead_ns, record.pts_ns - video_ns_);
            });
        }
        return status;
    }
    ReadStatus read_video() {
        ReadStatus status = ReadStatus::ok;
        while (status == ReadStatus::ok) {
            status = bus_->flow(FlowKind::video)->try_read([&](const Record& record) {
                ++frames;
                video_ns_ = record.pts_ns;
            });
        }
        return status;
    }

    std::unique_ptr<BusReader> bus_;
    std::int64_t video_ns_ = 0;
    std::thread thread_;
};

TEST_F(LongAudio, of_60_s_then_1500_frames_arrives_whole_in_lossless_mode) {
    Producer producer(deep(WriterMode::lossless, 2s));
    auto bus = reader(true);
    bus->board().set_state(layout::SinkState::ready);
    Drain drain(std::move(bus));
    producer.write_audio(sound(60));
    EXPECT_GT(producer.audio_waiting(), 57s);
    for (unsigned n = 0; n < 1500; ++n)
        producer.write_video(frame(n));
    producer.end();
    drain.join();
    EXPECT_EQ(drain.samples, 60U * 8000);
    EXPECT_EQ(drain.frames, 1500U);
    EXPECT_EQ(drain.lost, 0U);
    EXPECT_TRUE(drain.in_order);
    EXPECT_LT(drain.most_ahead_ns, 4'000'000'000) << "fed by the pts of the video";
}

TEST_F(LongAudio, without_video_waits_for_lossless_readers_instead) {
    ProducerOptions wanted = deep(WriterMode::lossless, 1s);
    wanted.video.reset();
    Producer producer(wanted);
    auto bus = reader(true);
    bus->board().set_state(layout::SinkState::ready);
    std::uint64_t samples = 0;
    std::thread reading([&] {
        for (;;) {
            const std::uint32_t ticket = bus->ticket();
            const ReadStatus status =
                bus->flow(FlowKind::audio)->try_read([&](const Record& record) { samples += record.sample_count; });
            if (status == ReadStatus::ended) return;
            if (status == ReadStatus::not_yet) bus->wait(ticket, steady_clock::now() + 60s);
        }
    });
    producer.write_audio(sound(30));
    producer.end();
    reading.join();
    EXPECT_EQ(samples, 30U * 8000);
}

TEST_F(LongAudio, beyond_the_depth_is_fed_by_the_clock_in_live_mode) {
    Producer producer(deep(WriterMode::live, 1s));
    Drain drain(reader());
    const std::int64_t start = monotonic_ns();
    producer.write_audio(sound(3));
    EXPECT_GT(producer.audio_waiting(), 2s);
    for (unsigned n = 0; n < 10; ++n)
        producer.write_video(frame(n));
    producer.end();  // takes the rest of the three seconds
    EXPECT_GE(monotonic_ns() - start, 2'000'000'000);
    drain.join();
    EXPECT_EQ(drain.samples, 3U * 8000);
    EXPECT_EQ(drain.frames, 10U);
    EXPECT_EQ(drain.lost, 0U);
    EXPECT_TRUE(drain.in_order);
}

TEST_F(LongAudio, before_the_frames_does_not_delay_them_in_paced_mode) {
    ProducerOptions wanted = deep(WriterMode::paced, 1s);
    wanted.lead = 100ms;
    Producer producer(wanted);
    Drain drain(reader());
    producer.write_audio(sound(2));
    EXPECT_GT(producer.audio_waiting(), 1s) << "the push returns before its sound is due";
    for (unsigned n = 0; n < 50; ++n)
        producer.write_video(frame(n));
    producer.end();
    drain.join();
    EXPECT_EQ(drain.samples, 2U * 8000);
    EXPECT_EQ(drain.frames, 50U);
    EXPECT_EQ(drain.lost, 0U);
    EXPECT_TRUE(drain.in_order);
}

TEST_F(LongAudio, of_more_than_120_s_is_refused_whole_with_a_clear_error) {
    Producer producer(deep(WriterMode::live, 1s));
    producer.write_audio(sound(100));
    try {
        producer.write_audio(sound(100));
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::too_large);
        EXPECT_NE(std::string(error.what()).find("120 s"), std::string::npos) << error.what();
    }
    EXPECT_LE(producer.audio_waiting(), 100s);
    EXPECT_EQ(producer.samples_written(), 100U * 8000);
}

TEST_F(LongAudio, passes_through_a_ring_shallower_than_a_block) {
    Producer producer(deep(WriterMode::live, 20ms));
    Drain drain(reader());
    producer.write_audio(sound(0.5));
    producer.write_video(frame(0));
    producer.end();
    drain.join();
    EXPECT_EQ(drain.samples, 4000U);
    EXPECT_EQ(drain.lost, 0U);
}

TEST_F(LongAudio, is_given_up_when_the_producer_is_destroyed_without_an_end) {
    const auto start = steady_clock::now();
    std::chrono::nanoseconds waiting{};
    {
        Producer producer(deep(WriterMode::live, 1s));
        producer.write_audio(sound(100));
        waiting = producer.audio_waiting();
    }
    EXPECT_LT(steady_clock::now() - start, waiting);
}

TEST_F(LongAudio, of_an_old_format_goes_through_the_smaller_ring_of_the_new_one) {
    ProducerOptions wanted = deep(WriterMode::live, 200ms);
    wanted.audio = AudioFormat{SampleFormat::f32, 48000, 8};
    Producer producer(wanted);
    auto bus = reader();
    producer.write_audio(std::vector<std::byte>(std::size_t{4} * 8 * 48000));
    EXPECT_GT(producer.audio_waiting(), 700ms);
    producer.set_audio_format({SampleFormat::s16, 8000, 1});
    producer.write_audio(sound(0.1));
    Drain drain(std::move(bus));
    producer.write_video(frame(0));
    producer.end();
    drain.join();
    EXPECT_EQ(drain.samples + drain.lost, 48000U + 800U) << "each lost record would be one";
    EXPECT_EQ(drain.lost, 0U);
}

/// The avatar was interrupted in the middle of a long speech; then it says something else.
class FlushedSpeech : public LongAudio, public testing::WithParamInterface<WriterMode> {};

TEST_P(FlushedSpeech, gives_way_at_once_to_what_is_written_next) {
    Producer producer(deep(GetParam(), 2s));
    auto bus = reader(GetParam() == WriterMode::lossless);
    bus->board().set_state(layout::SinkState::ready);
    producer.write_audio(sound(20));
    for (unsigned n = 0; n < 10; ++n)
        producer.write_video(frame(n));
    producer.flush();
    EXPECT_EQ(producer.audio_waiting(), 0ns);
    FlowReader& audio = *bus->flow(FlowKind::audio);
    std::uint64_t before = 0;
    while (audio.try_read([&](const Record& record) { before += record.sample_count; }) == ReadStatus::ok) {
    }
    producer.write_video(frame(10));
    producer.write_audio(sound(0.2));
    std::vector<Record> next;
    while (next.empty()) {  // paced: when its time has come
        const std::uint32_t ticket = bus->ticket();
        const ReadStatus status = audio.try_read([&](const Record& record) { next.push_back(record); });
        if (status == ReadStatus::not_yet) bus->wait(ticket, steady_clock::now() + 1s);
    }
    EXPECT_EQ(next[0].pts_ns, 400'000'000) << "with the next picture";
    EXPECT_EQ(next[0].media_index, before) << "no hole in the count";
    EXPECT_NE(next[0].flags & layout::kFlagDiscontinuity, 0U);
    EXPECT_EQ(producer.samples_written(), before + 1600);
}
std::string mode_name(const testing::TestParamInfo<WriterMode>& info) {
    constexpr const char* kNames[] = {"live", "paced", "lossless"};
    return kNames[static_cast<std::size_t>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Modes, FlushedSpeech,
                         testing::Values(WriterMode::live, WriterMode::paced, WriterMode::lossless), mode_name);

TEST_F(LongAudio, of_any_length_is_taken_without_video_where_the_push_itself_waits) {
    ProducerOptions wanted = deep(WriterMode::lossless, 1s);
    wanted.video.reset();
    Producer producer(wanted);
    producer.write_audio(sound(300));
    EXPECT_EQ(producer.samples_written(), 300U * 8000);
}

TEST_F(LongAudio, goes_by_the_depth_of_its_own_format_after_a_takeover) {
    Child dead([this](const auto& ready) {
        Producer first(deep(WriterMode::live, 40s));
        ready(1);
        sleep_for_ever();
    });
    ASSERT_EQ(dead.wait_ready(), 1);
    dead.kill();
    ProducerOptions wanted = deep(WriterMode::live, 20s);
    wanted.audio = AudioFormat{SampleFormat::s16, 8000, 2};
    Producer producer(wanted);
    const auto bus = reader();
    EXPECT_EQ(bus->flow(FlowKind::audio)->depth_ns(), 20'000'000'000U);
    producer.write_audio(std::vector<std::byte>(std::size_t{30} * 8000 * 4));
    EXPECT_GT(producer.audio_waiting(), 10s) << "no more than the ring holds at once";
    drain(*bus->flow(FlowKind::audio));
    EXPECT_EQ(bus->flow(FlowKind::audio)->counts().overrun, 0U);
}

}  // namespace
