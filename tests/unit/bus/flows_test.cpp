// SPDX-License-Identifier: Apache-2.0
// Packets, events, places to start, format changes and flushes, as a reader meets them.
#include <thread>

#include "bus_fixture.hpp"
#include "ringcast/error.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

std::span<const std::byte> bytes(std::string_view text) {
    return std::as_bytes(std::span(text));
}
std::string text_of(const Record& record) {
    return {reinterpret_cast<const char*>(record.payload.data()), record.payload.size()};
}

struct Seen {
    Record record;
    std::string payload;
};
std::vector<Seen> read_all(FlowReader& flow) {
    std::vector<Seen> seen;
    while (flow.try_read([&](const Record& record) { seen.push_back({record, text_of(record)}); }) == ReadStatus::ok) {
    }
    return seen;
}

class Flows : public BusTest {
protected:
    ProducerOptions packets_only() const {
        ProducerOptions wanted;
        wanted.bus = bus_;
        wanted.packets = true;
        return wanted;
    }
    static PacketStream h264() {
        PacketStream stream;
        stream.width = 640;
        stream.height = 360;
        stream.fps = {25, 1};
        const auto config = bytes("avcC");
        stream.config.assign(config.begin(), config.end());
        return stream;
    }
    static PacketStream aac() {
        PacketStream stream;
        stream.id = 1;
        stream.codec = Codec::aac;
        stream.rate = 48000;
        stream.channels = 2;
        const auto config = bytes("asc");
        stream.config.assign(config.begin(), config.end());
        return stream;
    }
    static PacketView packet(std::uint32_t id, std::int64_t dts_ms, bool key, std::string_view data) {
        return {id, dts_ms * 1'000'000, dts_ms * 1'000'000, 40'000'000, key, bytes(data)};
    }
};

TEST_F(Flows, packets_start_with_configuration_and_repeat_it_at_every_keyframe_of_the_video) {
    Producer producer(packets_only());
    producer.set_packet_stream(h264());
    producer.set_packet_stream(aac());
    producer.write_packet(packet(0, 0, true, "I0"));
    producer.write_packet(packet(1, 0, true, "a0"));
    producer.write_packet(packet(0, 40, false, "P1"));
    producer.write_packet(packet(0, 80, true, "I2"));
    const auto bus = reader();
    const auto seen = read_all(*bus->flow(FlowKind::packets));
    std::string order;
    for (const Seen& one : seen)
        order += one.payload + " ";
    EXPECT_EQ(order, "avcC asc I0 a0 P1 avcC asc I2 ");
    EXPECT_NE(seen[0].record.flags & layout::kFlagConfig, 0U);
    EXPECT_EQ(seen[0].record.caps.width, 640U);
    EXPECT_EQ(seen[3].record.stream_id, 1U);
    EXPECT_EQ(seen[3].record.caps.sample_rate, 48000U);
    EXPECT_EQ(seen[7].record.dts_ns, 80'000'000);
}

TEST_F(Flows, packets_reader_starts_at_the_configuration_of_the_newest_keyframe) {
    Producer producer(packets_only());
    producer.set_packet_stream(h264());
    for (int n = 0; n < 10; ++n)
        producer.write_packet(packet(0, n * 40, n % 4 == 0, n % 4 == 0 ? "I" : "P"));
    const auto bus = reader();
    FlowReader& flow = *bus->flow(FlowKind::packets);
    flow.seek_keyframe();
    auto seen = read_all(flow);
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].payload, "avcC");
    EXPECT_EQ(seen[1].record.dts_ns, 320'000'000);
    flow.seek_pts(200'000'000);  // within the GOP that starts at 160 ms
    seen = read_all(flow);
    EXPECT_EQ(seen[0].payload, "avcC");
    EXPECT_EQ(seen[1].record.dts_ns, 160'000'000);
}

TEST_F(Flows, packets_and_their_configuration_reach_a_slow_lossless_reader_all) {
    ProducerOptions wanted = packets_only();
    wanted.mode = WriterMode::lossless;
    Producer producer(wanted);
    producer.set_packet_stream(h264());
    producer.set_packet_stream(aac());
    const auto bus = reader(true);
    bus->board().set_state(layout::SinkState::ready);
    constexpr int kKeyframes = 1500;  // with two configurations each more than the ring has slots
    std::thread writing([&] {
        for (int n = 0; n < kKeyframes; ++n)
            producer.write_packet(packet(0, n * 40, true, "I"));
        producer.end();
    });
    FlowReader& flow = *bus->flow(FlowKind::packets);
    std::this_thread::sleep_for(50ms);  // the ring fills up
    for (auto status = ReadStatus::ok; status != ReadStatus::ended;) {
        const std::uint32_t ticket = bus->ticket();
        status = read_one(flow);
        if (status == ReadStatus::not_yet) bus->wait(ticket, steady_clock::now() + 1s);
    }
    writing.join();
    EXPECT_EQ(flow.counts().delivered, 3U * kKeyframes);
    EXPECT_EQ(flow.counts().overrun, 0U);
}

TEST_F(Flows, a_packet_that_is_refused_leaves_no_trace) {
    ProducerOptions wanted = packets_only();
    wanted.mode = WriterMode::paced;
    Producer producer(wanted);
    EXPECT_THROW(producer.write_packet(packet(7, 3'600'000, true, "I")), Error);
    producer.set_packet_stream(h264());
    const auto start = steady_clock::now();
    producer.write_packet(packet(0, 0, true, "I"));
    producer.write_packet(packet(0, 400, false, "P"));
    EXPECT_GE(steady_clock::now() - start, 150ms) << "the refused one did not start the clock an hour ago";
}

TEST_F(Flows, a_packet_whose_dts_does_not_rise_or_whose_stream_is_unknown_is_refused) {
    Producer producer(packets_only());
    EXPECT_THROW(producer.write_packet(packet(0, 0, true, "I")), Error);
    producer.set_packet_stream(h264());
    producer.write_packet(packet(0, 40, true, "I"));
    EXPECT_THROW(producer.write_packet(packet(0, 40, false, "P")), Error);
    PacketStream neither = h264();
    neither.codec = Codec::aac;
    EXPECT_THROW(producer.set_packet_stream(neither), Error);
}

TEST_F(Flows, events_stand_at_the_next_frame_unless_they_say_where) {
    ProducerOptions wanted = options();
    wanted.events = true;
    Producer producer(wanted);
    producer.write_video(frame(0));
    producer.write_event(R"({"say":"hello"})");
    producer.write_event("{}", 7);
    EXPECT_THROW(producer.write_event(""), Error);
    EXPECT_THROW(producer.write_event(std::string(65 * 1024, ' ')), Error);
    const auto bus = reader();
    const auto seen = read_all(*bus->flow(FlowKind::events));
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[0].payload, R"({"say":"hello"})");
    EXPECT_EQ(seen[0].record.pts_ns, 40'000'000);
    EXPECT_EQ(seen[1].record.pts_ns, 7);
}

TEST_F(Flows, video_can_be_read_from_a_pts_on) {
    Producer producer(options());
    for (unsigned n = 0; n < 20; ++n)
        producer.write_video(frame(n));
    const auto bus = reader();
    FlowReader& flow = *bus->flow(FlowKind::video);
    flow.seek_pts(400'000'000);
    EXPECT_EQ(flow.cursor(), 10U);
    flow.seek_pts(419'000'000);
    EXPECT_EQ(flow.cursor(), 10U);
    flow.seek_pts(-1);
    EXPECT_EQ(flow.cursor(), 0U);
    flow.seek_keyframe();
    EXPECT_EQ(flow.cursor(), 19U);
}

TEST_F(Flows, a_smaller_format_goes_on_in_place_as_a_new_generation) {
    Producer producer(options());
    producer.write_video(frame(0));
    const auto bus = reader();
    producer.set_video_format({PixelFormat::bgr24, 32, 4, {30, 1}});
    producer.set_video_format({PixelFormat::bgr24, 32, 4, {30, 1}});  // no change, no generation
    producer.write_video(std::vector<std::byte>(kFrameBytes / 2));
    producer.write_video(std::vector<std::byte>(kFrameBytes / 2));
    const auto seen = read_all(*bus->flow(FlowKind::video));
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[1].record.caps_generation, 2U);
    EXPECT_EQ(seen[1].record.caps.height, 4U);
    EXPECT_EQ(seen[1].record.pts_ns, 40'000'000);
    EXPECT_EQ(seen[2].record.pts_ns, 73'333'333);
}

TEST_F(Flows, a_larger_format_goes_on_in_a_superseding_object_without_a_lost_record) {
    Producer producer(options());
    const auto bus = reader();
    producer.write_video(frame(0));
    producer.set_video_format({PixelFormat::i420, 640, 360, {25, 1}});
    producer.write_video(std::vector<std::byte>(640 * 360 * 3 / 2));
    producer.set_audio_format({SampleFormat::f32, 48000, 8});
    producer.write_audio(std::vector<std::byte>(4800 * 4 * 8));
    std::vector<Seen> seen;
    for (int looks = 0; looks < 3; ++looks) {
        for (Seen& one : read_all(*bus->flow(FlowKind::video)))
            seen.push_back(std::move(one));
        bus->refresh();
    }
    ASSERT_EQ(seen.size(), 2U);
    EXPECT_EQ(seen[1].record.index, 1U);
    EXPECT_EQ(seen[1].record.caps.width, 640U);
    const auto sound = read_all(*bus->flow(FlowKind::audio));
    ASSERT_EQ(sound.size(), 1U);
    EXPECT_EQ(sound[0].record.caps.channels, 8U);
    producer.end();
    EXPECT_TRUE(shm_files(bus_).empty());
}

TEST_F(Flows, flush_names_the_indices_below_which_nothing_counts_any_more) {
    Producer producer(options());
    const auto bus = reader();
    EXPECT_EQ(bus->flush().generation, 0U);
    producer.write_video(frame(0));
    producer.write_video(frame(1));
    producer.write_audio(std::vector<std::byte>(1600));
    const std::uint32_t ticket = bus->ticket();
    producer.flush();
    EXPECT_EQ(bus->wait(ticket, steady_clock::now()), WaitResult::woken);
    const FlushState state = bus->flush();
    EXPECT_EQ(state.generation, 1U);
    EXPECT_EQ(state.index, (std::array<std::uint64_t, 4>{2, 1, 0, 0}));
}

TEST_F(Flows, flush_voids_sound_that_still_waits_and_covers_the_flow_of_another_writer) {
    ProducerOptions audio = options();
    audio.video.reset();
    Producer pictures(video_only());
    Producer sound(audio);
    pictures.write_video(frame(0));
    sound.write_audio(std::vector<std::byte>(2 * 8000 * 10));
    EXPECT_GT(sound.audio_waiting().count(), 0);
    sound.flush();
    EXPECT_EQ(sound.audio_waiting().count(), 0);
    const auto bus = reader();
    EXPECT_EQ(bus->flush().index[0], 1U);
    EXPECT_EQ(bus->flush().index[1], bus->flow(FlowKind::audio)->head());
}

TEST_F(Flows, frames_with_padded_lines_and_upside_down_arrive_packed) {
    for (const PixelFormat format : {PixelFormat::rgb24, PixelFormat::bgra, PixelFormat::i420, PixelFormat::nv12}) {
        ProducerOptions wanted = video_only();
        wanted.video = VideoFormat{format, 33, 7, {25, 1}};
        Producer producer(wanted);
        const layout::Caps caps = make_caps(*wanted.video);
        std::vector<std::byte> source(64 * 1024);
        for (std::size_t i = 0; i < source.size(); ++i)
            source[i] = static_cast<std::byte>(i * 31 >> 3);
        FrameView view;
        std::vector<std::byte> expected(frame_bytes(caps));
        for (std::uint32_t plane = 0; plane < caps.plane_count; ++plane) {
            const std::ptrdiff_t stride = plane == 0 ? -200 : 170;
            const std::byte* first = source.data() + 8000 * (plane + 1);
            view.planes[plane] = first;
            view.strides[plane] = stride;
            for (std::uint32_t line = 0; line < plane_lines(caps, plane); ++line) {
                std::copy_n(first + stride * static_cast<std::ptrdiff_t>(line), caps.stride[plane],
                            expected.data() + caps.plane_offset[plane] + caps.stride[plane] * line);
            }
        }
        producer.write_video(view);
        const auto bus = reader();
        const auto seen = read_all(*bus->flow(FlowKind::video));
        ASSERT_EQ(seen.size(), 1U);
        EXPECT_EQ(seen[0].payload, std::string(reinterpret_cast<const char*>(expected.data()), expected.size()));
        view.strides[0] = 5;
        EXPECT_THROW(producer.write_video(view), Error);
        producer.end();
    }
}

}  // namespace
