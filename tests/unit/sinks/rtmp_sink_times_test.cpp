// SPDX-License-Identifier: Apache-2.0
/// The times the built RTMP plugin puts on the wire, over hours and wrap-arounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "rtmp_sink_parts.hpp"

namespace ringcast::test {
namespace {

/// A connection that lasts: after its first picture `jump_ms` of stream time pass, then it goes on for `seconds`.
struct Simulation {
    std::uint32_t fps_num;
    std::uint32_t fps_den;
    std::int64_t jump_ms;
    std::int64_t seconds;
};

class Simulated : public testing::TestWithParam<Simulation> {
protected:
    struct Track {
        ringcast_sink_stream stream{};
        std::int64_t step = 0;
        std::int64_t next = 0;
        MediaPacket packet;
        std::vector<double> sent_ms;         // exact
        std::vector<std::uint32_t> seen_ms;  // on the wire

        [[nodiscard]] double ms() const {
            return static_cast<double>(next) * 1000.0 * stream.timebase_num / stream.timebase_den;
        }
    };

    Simulated() : streams_(media()) {
        const Simulation& simulation = GetParam();
        for (std::size_t i = 0; i < tracks_.size(); ++i) {
            ringcast_sink_stream& stream = streams_.streams[i].description;
            const bool video = stream.media == RINGCAST_SINK_VIDEO;
            stream.timebase_num = video ? simulation.fps_den : 1;
            stream.timebase_den = video ? simulation.fps_num : stream.sample_rate;
            tracks_[i].stream = stream;
            tracks_[i].step = video ? 1 : 1024;
            tracks_[i].packet.data.assign(9, 0x5A);
            tracks_[i].packet.description.stream = static_cast<std::uint32_t>(i);
        }
    }

    std::int32_t send_next(PluginDriver& driver) {
        Track& track = tracks_[0].ms() <= tracks_[1].ms() ? tracks_[0] : tracks_[1];
        track.packet.description.pts = track.packet.description.dts = track.next;
        track.sent_ms.push_back(track.ms());
        track.next += track.step;
        return driver.packet(track.packet);
    }

    void jump(std::int64_t ms) {
        for (Track& track : tracks_) {
            const double ticks =
                static_cast<double>(ms) * track.stream.timebase_den / track.stream.timebase_num / 1000.0;
            track.next += std::llround(ticks / static_cast<double>(track.step)) * track.step;
        }
    }

    void expect_times(const Track& track) const {
        ASSERT_EQ(track.seen_ms.size(), track.sent_ms.size());
        double worst = 0;
        for (std::size_t i = 0; i < track.seen_ms.size(); ++i) {
            const auto wanted = static_cast<std::uint32_t>(std::llround(track.sent_ms[i] + 100.0));
            worst =
                std::max(worst, std::abs(static_cast<double>(static_cast<std::int32_t>(track.seen_ms[i] - wanted))));
            if (i > 0 && track.sent_ms[i] - track.sent_ms[i - 1] < 1e6) {  // not over the jump
                ASSERT_GT(static_cast<std::int32_t>(track.seen_ms[i] - track.seen_ms[i - 1]), 0) << i;
            }
        }
        EXPECT_LE(worst, 1.0) << "nothing adds up, however long it lasts";
    }

    TestMedia streams_;
    std::array<Track, 2> tracks_;
};

TEST_P(Simulated, times_on_the_wire_rise_never_drift_and_wrap_as_rtmp_does) {
    PeerManners manners;
    manners.keeps_messages = false;
    RtmpPeer peer(manners);
    peer.on_media = [this](const PeerMessage& message) {
        if (message.body[1] != 1) return;  // a sequence header
        for (Track& track : tracks_) {
            if ((track.stream.media == RINGCAST_SINK_VIDEO) == (message.type == kVideo))
                track.seen_ms.push_back(message.timestamp);
        }
    };
    const auto driver = driver_for(peer);
    ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(driver->headers(streams_), RINGCAST_SINK_OK);
    ASSERT_EQ(send_next(*driver), RINGCAST_SINK_OK);
    ASSERT_EQ(send_next(*driver), RINGCAST_SINK_OK);
    jump(GetParam().jump_ms);
    const double end = static_cast<double>(GetParam().jump_ms + GetParam().seconds * 1000);
    while (tracks_[0].ms() < end)
        ASSERT_EQ(send_next(*driver), RINGCAST_SINK_OK) << driver->host().error();
    ASSERT_EQ(driver->disconnect(true), RINGCAST_SINK_OK);
    ASSERT_TRUE(peer.waits_for(kCommand, 7)) << "deleteStream comes last";
    for (const Track& track : tracks_)
        expect_times(track);
}

constexpr std::int64_t kBefore = -3000;
INSTANTIATE_TEST_SUITE_P(long_, Simulated,
                         testing::Values(Simulation{25, 1, 0, 3 * 3600}, Simulation{30000, 1001, 0, 600},
                                         Simulation{25, 1, (std::int64_t{1} << 24) + kBefore, 6},
                                         Simulation{30000, 1001, (std::int64_t{1} << 31) + kBefore, 6},
                                         Simulation{25, 1, (std::int64_t{1} << 32) + kBefore, 6}));

}  // namespace
}  // namespace ringcast::test
