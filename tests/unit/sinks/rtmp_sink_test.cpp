// SPDX-License-Identifier: Apache-2.0
/// The built RTMP plugin against a server of the tests' own, at the level of messages and their bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <future>
#include <thread>

#include "plugin_driver.hpp"
#include "rtmp_peer.hpp"
#include "test_media.hpp"

namespace ringcast::test {
namespace {

constexpr std::uint8_t kAck = 3;
constexpr std::uint8_t kControl = 4;
constexpr std::uint8_t kWindow = 5;
constexpr std::uint8_t kPeerWindow = 6;
constexpr std::uint8_t kAudio = 8;
constexpr std::uint8_t kVideo = 9;
constexpr std::uint8_t kData = 18;
constexpr std::uint8_t kCommand = 20;
const std::string kKey = "?streamname=live_1&key=0a1b2c3d&schedule=rtmp";

std::unique_ptr<PluginDriver> driver_for(const RtmpPeer& peer, const std::string& key = kKey) {
    return std::make_unique<PluginDriver>(RTMP_SINK_SO, std::vector<std::string>{"url=" + peer.url(), "key=" + key});
}

const TestMedia& media() {
    static const TestMedia made = make_media({.frames = 30, .rate = 44100});
    return made;
}

std::vector<PeerMessage> of_type(const RtmpPeer& peer, std::uint8_t type) {
    std::vector<PeerMessage> found;
    for (PeerMessage& message : peer.messages()) {
        if (message.type == type) found.push_back(std::move(message));
    }
    return found;
}

/// "\2" and the length in front: an AMF0 string.
std::string amf(const std::string& text) {
    return std::string{2, static_cast<char>(text.size() >> 8U), static_cast<char>(text.size())} + text;
}

TEST(RtmpSink, the_commands_hold_app_address_and_key_byte_for_byte_and_the_key_nowhere_else) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    ASSERT_EQ(driver->feed(media()), RINGCAST_SINK_OK) << driver->host().error();
    ASSERT_EQ(driver->disconnect(true), RINGCAST_SINK_OK);
    const auto commands = of_type(peer, kCommand);
    std::vector<std::string> names;
    for (const PeerMessage& command : commands)
        names.push_back(command.text().substr(3, static_cast<std::size_t>(command.body[2])));
    EXPECT_EQ(names, (std::vector<std::string>{"connect", "releaseStream", "FCPublish", "createStream", "publish",
                                               "FCUnpublish", "deleteStream"}));
    const std::string connect = commands.at(0).text();
    EXPECT_NE(connect.find(amf("live")), std::string::npos);
    EXPECT_NE(connect.find(amf(peer.url())), std::string::npos);
    EXPECT_NE(connect.find(amf("FMLE/3.0 (compatible; FMSc/1.0)")), std::string::npos);
    EXPECT_EQ(connect.find("0a1b2c3d"), std::string::npos);
    EXPECT_TRUE(commands.at(4).text().ends_with(amf(kKey) + amf("live")));
    EXPECT_EQ(commands.at(4).stream, 7U) << "the stream that createStream made";
}

TEST(RtmpSink, headers_come_first_and_every_packet_follows_unchanged) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    ASSERT_EQ(driver->feed(media()), RINGCAST_SINK_OK) << driver->host().error();
    ASSERT_EQ(driver->disconnect(true), RINGCAST_SINK_OK);
    const auto data = of_type(peer, kData);
    ASSERT_EQ(data.size(), 1U);
    for (const char* name :
         {"@setDataFrame", "onMetaData", "width", "height", "framerate", "videocodecid", "audiocodecid",
          "videodatarate", "audiodatarate", "audiosamplerate", "stereo", "encoder"}) {
        EXPECT_NE(data[0].text().find(name), std::string::npos) << name;
    }
    for (std::uint32_t stream = 0; stream < 2; ++stream) {
        const bool video = media().streams[stream].description.media == RINGCAST_SINK_VIDEO;
        const std::size_t head = video ? 5 : 2;
        const auto sent = of_type(peer, video ? kVideo : kAudio);
        const std::vector<std::uint8_t>& extradata = media().streams[stream].extradata;
        ASSERT_GT(sent.size(), 1U);
        EXPECT_EQ(sent[0].body[1], 0) << "a sequence header";
        EXPECT_TRUE(std::equal(sent[0].body.begin() + static_cast<std::ptrdiff_t>(head), sent[0].body.end(),
                               extradata.begin(), extradata.end()));
        std::size_t at = 1;
        for (const MediaPacket& packet : media().packets) {
            if (packet.description.stream != stream) continue;
            const auto& body = sent.at(at++).body;
            EXPECT_EQ(std::vector<std::uint8_t>(body.begin() + static_cast<std::ptrdiff_t>(head), body.end()),
                      packet.data);
            if (video) {
                EXPECT_EQ(body[0] >> 4U, (packet.description.flags & RINGCAST_SINK_PACKET_KEY) != 0 ? 1 : 2);
            }
        }
        EXPECT_EQ(at, sent.size()) << "nothing else";
    }
}

TEST(RtmpSink, a_ping_is_answered_and_what_was_read_acknowledged_while_packets_flow) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK) << driver->host().error();
    ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK) << driver->host().error();
    peer.send(kWindow, {0, 0, 0x01, 0});         // acknowledge every 256 bytes
    peer.send(kPeerWindow, {0, 0x10, 0, 0, 2});  // and tell us your window
    peer.set_chunk_size(7);                      // then everything in chunks of 7 bytes
    peer.send(kControl, {0, 6, 0xDE, 0xAD, 0xBE, 0xEF});
    peer.send(kCommand, std::vector<std::uint8_t>(400, 5));  // no command at all
    for (const MediaPacket& packet : media().packets) {
        ASSERT_EQ(driver->packet(packet), RINGCAST_SINK_OK) << driver->host().error();
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    for (const std::uint8_t type : {kWindow, kControl, kAck})
        ASSERT_TRUE(peer.waits_for(type)) << int{type};
    EXPECT_EQ(of_type(peer, kControl)[0].body, (std::vector<std::uint8_t>{0, 7, 0xDE, 0xAD, 0xBE, 0xEF}));
    EXPECT_EQ(of_type(peer, kWindow)[0].body, (std::vector<std::uint8_t>{0, 0x10, 0, 0}));
    const auto acknowledged = of_type(peer, kAck).back().body;
    EXPECT_GT(acknowledged[2] << 8U | acknowledged[3], 3073 + 400) << "handshake and all that was said";
}

TEST(RtmpSink, a_server_that_refuses_is_quoted_without_the_key) {
    struct Case {
        PeerManners manners;
        std::string words;
    };
    PeerManners bad_name;
    bad_name.publish_level = "error";
    bad_name.publish_code = "NetStream.Publish.BadName";
    bad_name.publish_description = "live/" + kKey + " (0a1b2c3d) is published already";
    PeerManners rejected;
    rejected.connect_error = "[ AccessManager.Reject ] : [ code=403 need auth ]";
    PeerManners silent_no;
    silent_no.closes_at_publish = true;
    PeerManners denied;
    denied.publish_code = "NetStream.Publish.Denied";
    denied.publish_description = "expired";
    for (const auto& [manners, words] : {Case{bad_name, "NetStream.Publish.BadName: live/*** (***) is published"},
                                         Case{rejected, "NetConnection.Connect.Rejected: [ AccessManager.Reject ]"},
                                         Case{silent_no, "hung up while asking to publish: wrong key"},
                                         Case{denied, "NetStream.Publish.Denied: expired"}}) {
        RtmpPeer peer(manners);
        const auto driver = driver_for(peer);
        EXPECT_EQ(driver->feed(media()), RINGCAST_SINK_E_REJECTED);
        EXPECT_NE(driver->host().error().find(words), std::string::npos) << driver->host().error();
        EXPECT_EQ(driver->host().error().find("0a1b2c3d"), std::string::npos);
        driver->disconnect(false);
    }
}

TEST(RtmpSink, a_server_that_hangs_up_right_after_its_consent_has_refused_and_later_it_is_a_lost_connection) {
    PeerManners manners;
    manners.closes_after_start = true;
    RtmpPeer peer(manners);
    const auto driver = driver_for(peer);
    auto result = driver->connect();
    ASSERT_EQ(result, RINGCAST_SINK_OK);
    result = driver->headers(media());
    for (std::size_t i = 0; result == RINGCAST_SINK_OK && i < media().packets.size(); ++i) {
        result = driver->packet(media().packets[i]);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(result, RINGCAST_SINK_E_REJECTED);
    EXPECT_NE(driver->host().error().find("right after its consent"), std::string::npos) << driver->host().error();

    RtmpPeer patient;
    const auto other = driver_for(patient);
    ASSERT_EQ(other->connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(other->headers(media()), RINGCAST_SINK_OK);
    patient.send(kAck, {0, 0, 1, 0});
    ASSERT_EQ(other->packet(media().packets[0]), RINGCAST_SINK_OK);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ASSERT_EQ(other->packet(media().packets[1]), RINGCAST_SINK_OK) << "it has heard the acknowledgement";
    patient.hang_up();
    result = RINGCAST_SINK_OK;
    for (std::size_t i = 2; result == RINGCAST_SINK_OK && i < media().packets.size(); ++i) {
        result = other->packet(media().packets[i]);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(result, RINGCAST_SINK_E_TRANSIENT) << other->host().error();
}

/// Packets until one is not taken.
std::int32_t feed_until_refused(PluginDriver& driver) {
    std::int32_t result = RINGCAST_SINK_OK;
    for (std::size_t i = 0; result == RINGCAST_SINK_OK && i < media().packets.size(); ++i) {
        result = driver.packet(media().packets[i]);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return result;
}

TEST(RtmpSink, a_server_that_closes_a_while_after_its_consent_has_refused_only_when_it_does_so_again) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    const auto live_and_cut = [&] {
        EXPECT_EQ(driver->connect(), RINGCAST_SINK_OK);
        EXPECT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
        std::this_thread::sleep_for(std::chrono::milliseconds(1200));
        peer.hang_up();
        const auto result = feed_until_refused(*driver);
        driver->disconnect(false);
        return result;
    };
    EXPECT_EQ(live_and_cut(), RINGCAST_SINK_E_TRANSIENT) << driver->host().error();
    EXPECT_NE(driver->host().error().find("after its consent (server restarted? wrong key?)"), std::string::npos)
        << driver->host().error();
    EXPECT_EQ(live_and_cut(), RINGCAST_SINK_E_REJECTED) << driver->host().error();
}

TEST(RtmpSink, a_connection_that_is_reset_is_lost_however_soon_after_the_consent) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    for (int round = 0; round < 2; ++round) {
        ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
        ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
        peer.reset();
        EXPECT_EQ(feed_until_refused(*driver), RINGCAST_SINK_E_TRANSIENT) << driver->host().error();
        EXPECT_NE(driver->host().error().find("lost the connection"), std::string::npos) << driver->host().error();
        driver->disconnect(false);
    }
}

TEST(RtmpSink, an_interrupt_that_comes_when_nothing_runs_does_not_end_the_next_connect) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    driver->interrupt();
    EXPECT_EQ(driver->connect(), RINGCAST_SINK_OK) << driver->host().error();
}

TEST(RtmpSink, after_a_loss_it_connects_again_and_time_begins_anew) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    ASSERT_EQ(driver->feed(media(), 400'000), RINGCAST_SINK_OK);
    ASSERT_EQ(driver->disconnect(false), RINGCAST_SINK_OK);
    const std::size_t before = of_type(peer, kVideo).size();
    ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK) << driver->host().error();
    ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK) << driver->host().error();
    for (const MediaPacket& packet : media().packets) {
        if (packet.dts_us >= 400'000) {
            ASSERT_EQ(driver->packet(packet), RINGCAST_SINK_OK);
        }
    }
    driver->disconnect(true);
    const auto video = of_type(peer, kVideo);
    ASSERT_GT(video.size(), before + 1);
    EXPECT_EQ(video.at(before).timestamp, 0U) << "its sequence header";
    EXPECT_LE(video.at(before + 1).timestamp, 200U);
}

TEST(RtmpSink, headers_that_change_go_out_again_on_the_same_stream_and_no_track_goes_back) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
    for (const MediaPacket& packet : media().packets) {
        if (&packet == &media().packets.front() || &packet == &media().packets[21]) {
            ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK) << driver->host().error();
        }
        ASSERT_EQ(driver->packet(packet), RINGCAST_SINK_OK);
    }
    ASSERT_EQ(driver->disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(of_type(peer, kData).size(), 2U);
    EXPECT_EQ(of_type(peer, kCommand).size(), 7U) << "published once";
    for (const std::uint8_t track : {kVideo, kAudio}) {
        const auto sent = of_type(peer, track);
        EXPECT_TRUE(std::is_sorted(sent.begin(), sent.end(), [](const PeerMessage& a, const PeerMessage& b) {
            return a.timestamp < b.timestamp;
        }));
        EXPECT_EQ(std::count_if(sent.begin(), sent.end(), [](const PeerMessage& m) { return m.body[1] == 0; }), 2);
    }
}

TEST(RtmpSink, interrupt_ends_a_wait_for_an_answer_and_a_send_that_blocks) {
    PeerManners silent;
    silent.shakes_hands = false;
    RtmpPeer peer(silent);
    const auto driver = driver_for(peer);
    auto waiting = std::async(std::launch::async, [&] { return driver->connect(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    driver->interrupt();
    EXPECT_EQ(waiting.get(), RINGCAST_SINK_E_INTERRUPTED);

    RtmpPeer stuck;
    std::promise<void> go_on;
    stuck.on_media = [wait = go_on.get_future().share()](const PeerMessage&) { wait.wait(); };
    const auto other = driver_for(stuck);
    ASSERT_EQ(other->connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(other->headers(media()), RINGCAST_SINK_OK);
    MediaPacket large = media().packets.front();
    large.data.resize(32'000'000);
    auto sending = std::async(std::launch::async, [&] { return other->packet(large); });
    EXPECT_EQ(sending.wait_for(std::chrono::milliseconds(500)), std::future_status::timeout) << "nobody reads";
    other->interrupt();
    EXPECT_EQ(sending.get(), RINGCAST_SINK_E_INTERRUPTED);
    EXPECT_LT(other->bytes_sent(), 32'000'000U) << "what was not sent is not counted";
    go_on.set_value();
    EXPECT_EQ(other->disconnect(false), RINGCAST_SINK_OK);
    EXPECT_EQ(other->connect(), RINGCAST_SINK_OK) << "an interrupt is spent with the call it ended";
}

TEST(RtmpSink, what_is_no_rtmp_server_is_told_so) {
    PeerManners web;
    web.handshake_instead = "HTTP/1.1 400 Bad Request\r\n\r\n";
    RtmpPeer peer(web);
    const auto driver = driver_for(peer);
    EXPECT_EQ(driver->connect(), RINGCAST_SINK_E_TRANSIENT);
    EXPECT_NE(driver->host().error().find("shaking hands"), std::string::npos) << driver->host().error();

    RtmpPeer babble;
    const auto other = driver_for(babble);
    ASSERT_EQ(other->connect(), RINGCAST_SINK_OK);
    babble.send_raw(std::vector<std::uint8_t>(4096, 0xFF));
    auto result = other->headers(media());
    for (std::size_t i = 0; result == RINGCAST_SINK_OK && i < media().packets.size(); ++i)
        result = other->packet(media().packets[i]);
    EXPECT_EQ(result, RINGCAST_SINK_E_TRANSIENT);
    EXPECT_NE(other->host().error().find("is it an RTMP server?"), std::string::npos) << other->host().error();
}

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
