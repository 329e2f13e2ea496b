// SPDX-License-Identifier: Apache-2.0
/// The built RTMP plugin and a server that refuses, hangs up, says nothing or nonsense.
#include <gtest/gtest.h>
#include <librtmp/log.h>

#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "rtmp_sink_parts.hpp"

namespace ringcast::test {
namespace {

/// More than a second's worth of the streams' rates.
const MediaPacket& large_packet() {
    static const MediaPacket made = [] {
        MediaPacket packet = media().packets.front();
        packet.data.resize(100'000);
        return packet;
    }();
    return made;
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

/// One connection that the peer closes in order, so long after its consent; what became of it.
std::int32_t live_and_cut(PluginDriver& driver, RtmpPeer& peer, std::chrono::milliseconds life) {
    EXPECT_EQ(driver.connect(), RINGCAST_SINK_OK) << driver.host().error();
    EXPECT_EQ(driver.headers(media()), RINGCAST_SINK_OK) << driver.host().error();
    std::this_thread::sleep_for(life);
    peer.hang_up();
    const auto result = feed_until_refused(driver);
    driver.disconnect(false);
    return result;
}

TEST(RtmpSink, a_server_that_closes_soon_after_its_consent_has_refused_only_when_it_does_so_again) {
    for (const auto life : {std::chrono::milliseconds(20), std::chrono::milliseconds(1200)}) {
        RtmpPeer peer;
        const auto driver = driver_for(peer);
        EXPECT_EQ(live_and_cut(*driver, peer, life), RINGCAST_SINK_E_TRANSIENT) << driver->host().error();
        EXPECT_NE(driver->host().error().find("after its consent (server restarted? wrong key?)"), std::string::npos)
            << driver->host().error();
        for (int again = 0; again < 2; ++again) {
            EXPECT_EQ(live_and_cut(*driver, peer, life), RINGCAST_SINK_E_REJECTED) << driver->host().error();
            EXPECT_NE(driver->host().error().find("right after its consent, again"), std::string::npos)
                << driver->host().error();
        }
    }
}

TEST(RtmpSink, a_server_that_has_acknowledged_something_has_not_refused_however_often_it_closes) {
    PeerManners manners;
    manners.acknowledgements = 1;
    RtmpPeer peer(manners);
    const auto driver = driver_for(peer);
    for (int round = 0; round < 2; ++round) {
        ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
        ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
        ASSERT_EQ(driver->packet(large_packet()), RINGCAST_SINK_OK);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        ASSERT_EQ(driver->packet(media().packets[0]), RINGCAST_SINK_OK) << "it has heard the acknowledgement";
        peer.hang_up();
        EXPECT_EQ(feed_until_refused(*driver), RINGCAST_SINK_E_TRANSIENT) << driver->host().error();
        driver->disconnect(false);
    }
}

/// For a second neither end moves a byte, and the packet has not been taken.
bool is_held(std::future<std::int32_t>& sending, const PluginDriver& driver, const RtmpPeer& peer) {
    const auto moved = [&] { return std::pair(driver.bytes_sent(), peer.read()); };
    auto before = moved();
    for (int still = 0; still < 50;) {
        if (sending.wait_for(std::chrono::milliseconds(20)) == std::future_status::ready) return false;
        still = std::exchange(before, moved()) == before ? still + 1 : 0;
    }
    return true;
}

/// Packets at ten times the rate that was announced, up to one that is held back: when that is interrupted. The peer
/// reads all the time. nullopt: none was.
std::optional<std::int32_t> feed_until_held(PluginDriver& driver, const RtmpPeer& peer) {
    for (int i = 0; i < 40; ++i) {
        auto sending = std::async(std::launch::async, [&] { return driver.packet(large_packet()); });
        if (is_held(sending, driver, peer)) {
            driver.interrupt();
            return sending.get();
        }
        if (const std::int32_t result = sending.get(); result != RINGCAST_SINK_OK) return result;
        std::this_thread::sleep_for(std::chrono::milliseconds(25));
    }
    return std::nullopt;
}

TEST(RtmpSink, late_acknowledgements_hold_packets_back_and_a_server_that_forgets_them_is_not_waited_for_again) {
    for (const int unreachable : {0, 2}) {
        PeerManners manners;
        manners.acknowledgements = 8;
        manners.hangs_up_on = unreachable;
        RtmpPeer peer(manners);
        const auto driver = driver_for(peer);
        ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
        ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
        EXPECT_EQ(feed_until_held(*driver, peer), RINGCAST_SINK_E_INTERRUPTED);
        driver->disconnect(false);
        if (unreachable != 0) {
            EXPECT_EQ(driver->connect(), RINGCAST_SINK_E_TRANSIENT);
        }
        ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
        ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
        EXPECT_EQ(feed_until_held(*driver, peer), std::nullopt) << (unreachable != 0 ? "behind a failed connect" : "");
    }
}

TEST(RtmpSink, a_server_that_counts_anew_after_each_acknowledgement_is_not_waited_for) {
    PeerManners manners;
    manners.acknowledgements = 1'000'000;
    manners.counts_anew = true;
    RtmpPeer peer(manners);
    const auto driver = driver_for(peer);
    for (int connection = 0; connection < 2; ++connection) {
        ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
        ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
        EXPECT_EQ(feed_until_held(*driver, peer), std::nullopt);
        driver->disconnect(false);
    }
}

TEST(RtmpSink, a_server_that_asks_very_often_and_closes_is_gone_and_no_more) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
    ASSERT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
    std::vector<std::uint8_t> pings{2, 0, 0, 0, 0, 0, 6, kControl, 0, 0, 0, 0};
    for (int i = 0; i < 20'000; ++i) {
        if (i > 0) pings.push_back(0xC2);
        pings.insert(pings.end(), {0, 6, 0, 0, 0, 1});
    }
    peer.send_raw(pings);
    peer.hang_up();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_EQ(feed_until_refused(*driver), RINGCAST_SINK_E_TRANSIENT) << driver->host().error();
}

TEST(RtmpSink, nothing_of_librtmp_s_own_log_comes_out_on_any_level) {
    RtmpPeer peer;
    const auto driver = driver_for(peer);
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    ASSERT_EQ(driver->connect(), RINGCAST_SINK_OK);
    RTMP_LogSetLevel(RTMP_LOGALL);  // as another user of the library in this process might
    EXPECT_EQ(driver->headers(media()), RINGCAST_SINK_OK);
    for (const MediaPacket& packet : media().packets)
        EXPECT_EQ(driver->packet(packet), RINGCAST_SINK_OK);
    driver->disconnect(true);  // says the key once more
    EXPECT_EQ(testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout(), "");
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

}  // namespace
}  // namespace ringcast::test
