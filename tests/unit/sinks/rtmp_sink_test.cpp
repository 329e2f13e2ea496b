// SPDX-License-Identifier: Apache-2.0
/// The built RTMP plugin against a server of the tests' own, at the level of messages and their bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "rtmp_sink_parts.hpp"

namespace ringcast::test {
namespace {

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
    EXPECT_NE(driver->host().info("server").find("127.0.0.1:"), std::string::npos);
    EXPECT_EQ(driver->host().info("url"), "") << "nobody can watch it there";
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
    for (const std::uint8_t type : {kControl, kAck})
        ASSERT_TRUE(peer.waits_for(type)) << int{type};
    ASSERT_TRUE(peer.waits_for(kWindow, 2));
    EXPECT_EQ(of_type(peer, kControl)[0].body, (std::vector<std::uint8_t>{0, 7, 0xDE, 0xAD, 0xBE, 0xEF}));
    const auto windows = of_type(peer, kWindow);
    ASSERT_EQ(windows.size(), 2U) << "ours, and once more when the peer asked for one";
    EXPECT_EQ(windows[0].body, windows[1].body) << "it is the smaller one";
    const auto acknowledged = of_type(peer, kAck).back().body;
    EXPECT_GT(acknowledged[2] << 8U | acknowledged[3], 3073 + 400) << "handshake and all that was said";
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

}  // namespace
}  // namespace ringcast::test
