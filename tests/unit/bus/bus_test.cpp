// SPDX-License-Identifier: Apache-2.0
// Producer and reader of one bus in one process: what is written arrives, is counted and ends.
#include <cstring>

#include "bus_fixture.hpp"
#include "ringcast/error.hpp"
#include "shm_object.hpp"
#include "system.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class Bus : public BusTest {};

ErrorCode code_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode{};
}

TEST_F(Bus, has_no_reader_end_before_its_producer_comes) {
    EXPECT_EQ(BusReader::try_attach({.bus = bus_, .name = {}, .plugin = {}}), nullptr);
    EXPECT_TRUE(shm_files(bus_).empty());  // a reader creates nothing
}

TEST_F(Bus, delivers_frames_with_count_pts_and_caps) {
    auto video = video_only();
    video.video->fps = {30000, 1001};
    Producer producer(video);
    const auto bus = reader();
    FlowReader& flow = *bus->flow(FlowKind::video);
    for (unsigned n = 0; n < 20; ++n)
        producer.write_video(frame(n));
    std::int64_t first = 0;
    for (unsigned n = 0; n < 20; ++n) {
        ASSERT_EQ(flow.try_read([&](const Record& record) {
            if (n == 0) first = record.pts_ns;
            EXPECT_EQ(record.pts_ns, first + count_to_ns(n, {30000, 1001}));
            EXPECT_EQ(record.duration_ns, count_to_ns(n + 1, {30000, 1001}) - count_to_ns(n, {30000, 1001}));
            EXPECT_EQ(record.media_index, n);
            EXPECT_EQ(record.session, producer.session());
            EXPECT_EQ(record.flags, layout::kFlagKey);
            EXPECT_EQ(video_format_of(record.caps, record.payload.size()), video.video);
            EXPECT_EQ(std::memcmp(record.payload.data(), frame(n).data(), kFrameBytes), 0);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(record.payload.data()) % layout::kArenaAlignment, 0U);
        }),
                  ReadStatus::ok);
    }
    EXPECT_EQ(producer.frames_written(), 20U);
    EXPECT_EQ(bus->session(), producer.session());
    EXPECT_EQ(bus->producer_name(), "producer");
}

TEST_F(Bus, starts_the_flows_of_one_producer_together_at_0) {
    Producer producer(options());
    const auto bus = reader();
    producer.write_video(frame(0));
    producer.write_audio(std::vector<std::byte>(2 * 80));
    for (const FlowKind kind : {FlowKind::video, FlowKind::audio}) {
        bus->flow(kind)->try_read([](const Record& record) { EXPECT_EQ(record.pts_ns, 0); });
        EXPECT_EQ(bus->flow(kind)->counts().delivered, 1U);
    }
}

TEST_F(Bus, starts_a_flow_alone_on_the_clock_of_the_bus) {
    Producer producer(video_only());
    const auto bus = reader();
    const std::int64_t before = monotonic_ns() - bus->epoch_ns();
    producer.write_video(frame(0));
    const std::int64_t after = monotonic_ns() - bus->epoch_ns();
    bus->flow(FlowKind::video)->try_read([&](const Record& record) {
        EXPECT_GE(record.pts_ns, before);
        EXPECT_LE(record.pts_ns, after);
    });
}

TEST_F(Bus, splits_sound_into_blocks_of_at_most_100_ms_with_absolute_sample_indices) {
    auto wanted = options();
    wanted.audio = AudioFormat{SampleFormat::s16, 44100, 2};
    wanted.audio_depth = 5s;
    Producer producer(wanted);
    const auto bus = reader();
    const std::vector<std::size_t> pushes{1, 441, 4410, 4411, 44100, 7};
    std::vector<std::byte> all;
    for (const std::size_t samples : pushes) {
        std::vector<std::byte> push(samples * 4);
        for (std::size_t i = 0; i < push.size(); ++i)
            push[i] = static_cast<std::byte>((all.size() + i) * 31 >> 3);
        producer.write_audio(push);
        all.insert(all.end(), push.begin(), push.end());
    }
    std::vector<std::byte> got;
    FlowReader& flow = *bus->flow(FlowKind::audio);
    std::uint64_t sample = 0;
    while (flow.try_read([&](const Record& record) {
        EXPECT_LE(record.sample_count, 4410U);
        EXPECT_EQ(record.media_index, sample);
        EXPECT_EQ(record.pts_ns, count_to_ns(sample, {44100, 1}));
        EXPECT_EQ(record.payload.size(), record.sample_count * 4U);
        sample += record.sample_count;
        got.insert(got.end(), record.payload.begin(), record.payload.end());
    }) == ReadStatus::ok) {
    }
    EXPECT_EQ(got, all);
    EXPECT_EQ(producer.samples_written(), all.size() / 4);
}

TEST_F(Bus, takes_the_models_pts_and_marks_jumps) {
    Producer producer(options());
    const auto bus = reader();
    producer.write_video(frame(0), 1'000'000'000);
    producer.write_video(frame(1));
    producer.write_video(frame(2), 1'080'000'001);  // rounding is no jump
    producer.write_video(frame(3), 5'000'000'000);
    producer.write_video(frame(4), 2'000'000'000);
    std::vector<std::pair<std::int64_t, bool>> got;
    while (bus->flow(FlowKind::video)->try_read([&](const Record& record) {
        got.emplace_back(record.pts_ns, (record.flags & layout::kFlagDiscontinuity) != 0);
    }) == ReadStatus::ok) {
    }
    const std::vector<std::pair<std::int64_t, bool>> wanted{{1'000'000'000, false},
                                                            {1'040'000'000, false},
                                                            {1'080'000'001, false},
                                                            {5'000'000'000, true},
                                                            {2'000'000'000, true}};
    EXPECT_EQ(got, wanted);
}

TEST_F(Bus, refuses_a_pts_outside_any_timeline) {
    Producer producer(options());
    for (const std::int64_t pts :
         {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
        EXPECT_EQ(code_of([&] { producer.write_video(frame(0), pts); }), ErrorCode::invalid_argument);
        EXPECT_EQ(code_of([&] { producer.write_audio(frame(0), pts); }), ErrorCode::invalid_argument);
    }
    producer.write_video(frame(0));
    EXPECT_EQ(producer.frames_written(), 1U);
}

TEST_F(Bus, hands_out_the_slot_to_render_into) {
    Producer producer(video_only());
    const auto bus = reader();
    FlowReader& flow = *bus->flow(FlowKind::video);
    const auto slot = producer.acquire_video();
    ASSERT_EQ(slot.size(), kFrameBytes);
    std::fill(slot.begin(), slot.end(), std::byte{7});
    EXPECT_EQ(read_one(flow), ReadStatus::not_yet);
    producer.abort_video();
    EXPECT_EQ(read_one(flow), ReadStatus::not_yet);
    const auto again = producer.acquire_video();
    std::fill(again.begin(), again.end(), std::byte{8});
    producer.commit_video();
    EXPECT_EQ(flow.try_read([](const Record& record) { EXPECT_EQ(record.payload[5], std::byte{8}); }), ReadStatus::ok);
    EXPECT_EQ(flow.counts().aborted, 0U);
}

TEST_F(Bus, allows_one_open_acquire) {
    Producer producer(video_only());
    EXPECT_EQ(code_of([&] { producer.commit_video(); }), ErrorCode::invalid_argument);
    static_cast<void>(producer.acquire_video());
    EXPECT_EQ(code_of([&] { static_cast<void>(producer.acquire_video()); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { producer.write_video(frame(0)); }), ErrorCode::invalid_argument);
    producer.commit_video();
    producer.write_video(frame(1));
    EXPECT_EQ(producer.frames_written(), 2U);
}

TEST_F(Bus, refuses_wrong_calls_and_goes_on) {
    Producer producer(video_only());
    EXPECT_EQ(code_of([&] { producer.write_video(std::vector<std::byte>(kFrameBytes - 1)); }),
              ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { producer.write_audio(frame(0)); }), ErrorCode::invalid_argument);
    producer.write_video(frame(0));
    producer.end();
    EXPECT_EQ(code_of([&] { producer.write_video(frame(0)); }), ErrorCode::ended);
}

TEST_F(Bus, refuses_names_that_are_no_file_names) {
    for (const char* name : {"", "a/b", "..", "a b", "a.b", "\n", "x\x1b[2J"}) {
        auto wanted = video_only();
        wanted.bus = name;
        EXPECT_EQ(code_of([&] { Producer producer(wanted); }), ErrorCode::invalid_argument) << name;
        EXPECT_EQ(code_of([&] { BusReader::try_attach({.bus = name, .name = {}, .plugin = {}}); }),
                  ErrorCode::invalid_argument);
    }
    auto longest = video_only();
    longest.bus = bus_ + std::string(48 - bus_.size(), 'x');
    Producer producer(longest);
    producer.end();
    longest.bus += "x";
    EXPECT_EQ(code_of([&] { Producer refused(longest); }), ErrorCode::invalid_argument);
}

TEST_F(Bus, accounts_for_every_frame_a_slow_reader_lost) {
    Producer producer(video_only());
    const auto bus = reader();
    FlowReader& flow = *bus->flow(FlowKind::video);
    for (unsigned n = 0; n < 500; ++n) {
        producer.write_video(frame(n));
        if (n % 50 == 0) read_one(flow);
    }
    drain(flow);
    const ReadCounts counts = flow.counts();
    EXPECT_EQ(counts.delivered + counts.overrun + counts.aborted, 500U);
    EXPECT_GT(counts.overrun, 0U);
    EXPECT_EQ(bus->board().cell()->overrun[0].load(), counts.overrun);
    EXPECT_EQ(bus->board().cell()->delivered[0].load(), counts.delivered);
}

TEST_F(Bus, keeps_the_depth_it_promises) {
    ProducerOptions wanted = options();  // one second each
    wanted.mode = WriterMode::lossless;  // with no reader to wait for, and sound that keeps up with the video
    Producer producer(wanted);
    const auto bus = reader();
    for (unsigned n = 0; n < 200; ++n)
        producer.write_video(frame(n));
    for (unsigned n = 0; n < 500; ++n)
        producer.write_audio(std::vector<std::byte>(2 * 80));  // 10 ms
    bus->flow(FlowKind::video)->seek_oldest();
    bus->flow(FlowKind::audio)->seek_oldest();
    EXPECT_GE(drain(*bus->flow(FlowKind::video)), 25U);
    EXPECT_GE(drain(*bus->flow(FlowKind::audio)), 100U);
    EXPECT_GE(bus->flow(FlowKind::video)->depth_ns(), 1'000'000'000U);
}

TEST_F(Bus, ends_after_the_last_record_and_removes_every_name) {
    Producer producer(options());
    const auto bus = reader();
    for (unsigned n = 0; n < 3; ++n)
        producer.write_video(frame(n));
    EXPECT_TRUE(bus->writer_alive());
    producer.end();
    producer.end();
    EXPECT_TRUE(bus->ended());
    EXPECT_FALSE(bus->superseded());
    EXPECT_TRUE(shm_files(bus_).empty());
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 3U);
    EXPECT_EQ(read_one(*bus->flow(FlowKind::video)), ReadStatus::ended);
    EXPECT_EQ(read_one(*bus->flow(FlowKind::audio)), ReadStatus::ended);
    EXPECT_EQ(BusReader::try_attach({.bus = bus_, .name = {}, .plugin = {}}), nullptr);
}

TEST_F(Bus, without_end_goes_on_with_the_next_producer) {
    auto first = std::make_unique<Producer>(options());
    first->write_video(frame(1));
    const std::uint64_t old_session = first->session();
    const auto bus = reader();
    const std::uint32_t ticket = bus->ticket();
    first.reset();
    EXPECT_FALSE(bus->ended());
    EXPECT_FALSE(bus->superseded());
    EXPECT_FALSE(bus->writer_alive());
    EXPECT_FALSE(shm_files(bus_).empty());
    EXPECT_EQ(BusReader::try_attach({.bus = bus_, .name = {}, .plugin = {}}), nullptr);

    Producer second(options());
    EXPECT_EQ(bus->wait(ticket, steady_clock::now()), WaitResult::woken);
    EXPECT_FALSE(bus->superseded());
    EXPECT_TRUE(bus->writer_alive());
    EXPECT_NE(second.session(), old_session);
    EXPECT_EQ(bus->session(), second.session());
    second.write_video(frame(2));
    std::vector<Record> got;
    while (bus->flow(FlowKind::video)->try_read([&](const Record& record) { got.push_back(record); }) ==
           ReadStatus::ok) {
    }
    ASSERT_EQ(got.size(), 2U);  // what the dead one left is still readable
    EXPECT_EQ(got[0].session, old_session);
    EXPECT_EQ(got[1].session, second.session());
    EXPECT_EQ(got[1].index, got[0].index + 1);
    second.end();
}

TEST_F(Bus, without_end_is_superseded_by_a_producer_of_another_mode) {
    auto first = std::make_unique<Producer>(options());
    first->write_video(frame(1));
    const auto old = reader();
    const std::uint32_t ticket = old->ticket();
    first.reset();
    ProducerOptions other = options();
    other.mode = WriterMode::paced;
    Producer second(other);
    EXPECT_EQ(old->wait(ticket, steady_clock::now()), WaitResult::woken);
    EXPECT_TRUE(old->superseded());
    EXPECT_EQ(drain(*old->flow(FlowKind::video)), 1U);  // what was mapped is still readable
    const auto next = reader();
    EXPECT_NE(next->session(), old->session());
    EXPECT_EQ(read_one(*next->flow(FlowKind::video)), ReadStatus::not_yet);
    second.end();
}

// The bytes can be read in the child and cannot be written: the second access is what kills it.
TEST_F(Bus, readers_cannot_write_into_the_ring) {
    Producer producer(video_only());
    producer.write_video(frame(9));
    EXPECT_DEATH(
        {
            const auto bus = reader();
            bus->flow(FlowKind::video)->try_read([](const Record& record) {
                auto* bytes = const_cast<std::byte*>(record.payload.data());
                if (bytes[0] == std::byte{9}) std::fprintf(stderr, "could read\n");
                bytes[0] = std::byte{1};
                std::fprintf(stderr, "could write\n");
                std::_Exit(0);
            });
        },
        "could read");
    const auto bus = reader();
    bus->flow(FlowKind::video)->try_read([](const Record& record) { EXPECT_EQ(record.payload[0], std::byte{9}); });
}

}  // namespace
