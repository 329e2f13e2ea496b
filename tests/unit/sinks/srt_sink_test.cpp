// SPDX-License-Identifier: Apache-2.0
/// The built SRT plugin with real libsrt peers over loopback: its messages, and what can be decoded of them.
#include <gtest/gtest.h>
#include <ringcast/sink_audience.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <thread>

#include "plugin_driver.hpp"
#include "sink_test_support.hpp"
#include "srt_receiver.hpp"
#include "test_media.hpp"

namespace ringcast::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kMessage = 1316;
constexpr std::size_t kTsPacket = 188;
const srt::SrtWords kPassphrase{{"passphrase", "correct horse"}};

struct TsPacket {
    unsigned pid;
    bool unit_start;
    bool random_access;
};

std::vector<TsPacket> packets_of(const Message& message) {
    std::vector<TsPacket> packets;
    for (std::size_t at = 0; at + kTsPacket <= message.size(); at += kTsPacket) {
        const std::uint8_t* bytes = &message[at];
        EXPECT_EQ(bytes[0], 0x47);
        const bool adaptation = (bytes[3] & 0x20U) != 0 && bytes[4] > 0;
        packets.push_back({static_cast<unsigned>((bytes[1] & 0x1FU) << 8U | bytes[2]), (bytes[1] & 0x40U) != 0,
                           adaptation && (bytes[5] & 0x40U) != 0});
    }
    return packets;
}

constexpr unsigned kPat = 0;
constexpr unsigned kPmt = 0x1000;
constexpr unsigned kVideo = 0x100;

/// The place of the keyframe's first packet in the message; -1: there is none.
int keyframe_at(const std::vector<TsPacket>& packets) {
    const auto found = std::ranges::find_if(
        packets, [](const TsPacket& one) { return one.pid == kVideo && one.unit_start && one.random_access; });
    return found == packets.end() ? -1 : static_cast<int>(found - packets.begin());
}

std::unique_ptr<PluginDriver> sink_for(const std::string& url, std::vector<std::string> more = {}) {
    more.insert(more.begin(), "url=" + url);
    return std::make_unique<PluginDriver>(SRT_SINK_SO, more);
}

std::unique_ptr<PluginDriver> listening_sink(const std::vector<std::string>& more = {}) {
    auto sink = sink_for("srt://127.0.0.1:0?mode=listener", more);
    EXPECT_EQ(sink->connect(), RINGCAST_SINK_OK) << sink->host().error();
    EXPECT_EQ(sink->headers(media()), RINGCAST_SINK_OK) << sink->host().error();
    return sink;
}

template <class Condition>
bool comes_true(Condition&& condition) {
    for (const auto end = steady_clock::now() + std::chrono::seconds(20); steady_clock::now() < end;) {
        if (condition()) return true;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return condition();
}

/// Feeds all packets from `begin` to before `end`, `pause` between two.
void feed(PluginDriver& sink, std::size_t begin, std::size_t end, milliseconds pause) {
    for (std::size_t i = begin; i < std::min(end, media().packets.size()); ++i) {
        ASSERT_EQ(sink.packet(media().packets[i]), RINGCAST_SINK_OK) << sink.host().error();
        std::this_thread::sleep_for(pause);
    }
}

int times_told(const PluginDriver& sink, const std::string& text) {
    const auto log = sink.host().log();
    return static_cast<int>(
        std::ranges::count_if(log, [&](const std::string& line) { return line.find(text) != std::string::npos; }));
}

/// Goes on from `begin`: the first code that is not OK.
std::int32_t feed_until_refused(PluginDriver& sink, std::size_t begin) {
    std::int32_t code = RINGCAST_SINK_OK;
    for (std::size_t i = begin; code == RINGCAST_SINK_OK && i < media().packets.size(); ++i) {
        code = sink.packet(media().packets[i]);
        std::this_thread::sleep_for(milliseconds(10));
    }
    return code;
}

std::size_t position_of_keyframe(int number) {
    for (std::size_t i = 0; i < media().packets.size(); ++i) {
        const auto& packet = media().packets[i].description;
        const bool video = media().streams[packet.stream].description.media == RINGCAST_SINK_VIDEO;
        if (video && (packet.flags & RINGCAST_SINK_PACKET_KEY) != 0 && number-- == 0) return i;
    }
    return media().packets.size();
}

TEST(SrtSink, a_message_has_seven_packets_and_a_keyframe_begins_one_behind_its_tables) {
    const auto receiver = SrtReceiver::listening();
    const auto sink = sink_for(receiver->url());
    ASSERT_EQ(sink->feed(media()), RINGCAST_SINK_OK) << sink->host().error();
    ASSERT_EQ(sink->disconnect(true), RINGCAST_SINK_OK);
    ASSERT_TRUE(receiver->wait_for_end());
    int keyframes = 0;
    for (const Message& message : receiver->messages()) {
        ASSERT_EQ(message.size(), kMessage);
        const auto packets = packets_of(message);
        const int key = keyframe_at(packets);
        if (key < 0) continue;
        ++keyframes;
        ASSERT_GE(key, 2);
        EXPECT_EQ(packets[static_cast<std::size_t>(key) - 2].pid, kPat);
        EXPECT_EQ(packets[static_cast<std::size_t>(key) - 1].pid, kPmt);
        EXPECT_TRUE(std::all_of(packets.begin(), packets.begin() + key, [](const TsPacket& one) {
            return one.pid < 0x20 || one.pid == kPmt;
        })) << "nothing but tables before it";
    }
    EXPECT_EQ(keyframes, 4) << "160 pictures, one in 50 is a keyframe";

    const TemporaryFolder folder;
    receiver->save(folder / "all.ts");
    EXPECT_EQ(decode_media(folder / "all.ts").pictures, decode_pictures(media()));
    EXPECT_EQ(sink->bytes_sent(), receiver->messages().size() * kMessage);
}

TEST(SrtSink, the_clock_of_a_stream_of_days_wraps_and_nothing_is_lost) {
    constexpr double kWrap = 8589934592.0 / 90000;  // 33 bits at 90 kHz: 26.5 h
    TestMedia late = media();
    for (MediaPacket& packet : late.packets) {
        const auto& stream = late.streams[packet.description.stream].description;
        const double ticks = (kWrap - 3) * stream.timebase_den / stream.timebase_num;
        packet.description.pts += static_cast<std::int64_t>(ticks);
        packet.description.dts += static_cast<std::int64_t>(ticks);
    }
    const auto receiver = SrtReceiver::listening();
    const auto sink = sink_for(receiver->url());
    ASSERT_EQ(sink->feed(late), RINGCAST_SINK_OK) << sink->host().error();
    ASSERT_EQ(sink->disconnect(true), RINGCAST_SINK_OK);
    ASSERT_TRUE(receiver->wait_for_end());
    const TemporaryFolder folder;
    receiver->save(folder / "wrap.ts");
    EXPECT_EQ(decode_media(folder / "wrap.ts").pictures, decode_pictures(media()));
    const ReadMedia read = read_media(folder / "wrap.ts");
    for (std::size_t i = 1; i < read.video.size(); ++i)
        ASSERT_NEAR(read.video[i].pts - read.video[i - 1].pts, 0.04, 0.001) << i;
}

TEST(SrtSink, a_client_that_comes_late_begins_with_tables_and_a_keyframe) {
    const auto sink = listening_sink();
    const std::size_t second = position_of_keyframe(1);
    feed(*sink, 0, second - 20, milliseconds(0));
    EXPECT_EQ(sink->peers(), 0U);
    EXPECT_TRUE(sink->waits_for().starts_with("waits for a client at srt://127.0.0.1:")) << sink->waits_for();
    const auto client = SrtReceiver::calling(sink->host().info("url"));
    ASSERT_TRUE(comes_true([&] { return !sink->host().info("client.0.address").empty(); }));
    EXPECT_NE(sink->waits_for().find("keyframe"), std::string::npos) << sink->waits_for();
    feed(*sink, second - 20, media().packets.size(), milliseconds(1));
    EXPECT_EQ(sink->peers(), 1U);
    ASSERT_EQ(sink->disconnect(true), RINGCAST_SINK_OK);
    ASSERT_TRUE(client->wait_for_end());

    ASSERT_FALSE(client->messages().empty());
    EXPECT_GE(keyframe_at(packets_of(client->messages().front())), 2);
    const TemporaryFolder folder;
    client->save(folder / "late.ts");
    const auto all = decode_pictures(media());
    EXPECT_EQ(decode_media(folder / "late.ts").pictures, std::vector(all.begin() + 50, all.end()));
    EXPECT_EQ(sink->host().info("client.0.address"), "") << "taken back when it left";
}

TEST(SrtSink, a_client_that_takes_nothing_loses_its_own_packets_and_the_other_has_all) {
    const auto sink = listening_sink({"latency=120ms"});
    const auto whole = SrtReceiver::calling(sink->host().info("url"));
    const auto stalled = SrtReceiver::calling(sink->host().info("url"), {}, false);
    ASSERT_TRUE(comes_true([&] { return !sink->host().info("client.1.address").empty(); }));
    feed(*sink, 0, media().packets.size(), milliseconds(8));
    EXPECT_EQ(sink->peers(), 2U);
    const auto drops = [&](int client) {
        return sink->host().stat("client." + std::to_string(client) + ".send_drop_packets");
    };
    EXPECT_TRUE(comes_true([&] { return std::max(drops(0), drops(1)) > 0; })) << "the stalled one's are counted";
    EXPECT_EQ(std::min(drops(0), drops(1)), 0) << "and the other's are none";
    ASSERT_EQ(sink->disconnect(true), RINGCAST_SINK_OK);
    ASSERT_TRUE(whole->wait_for_end());
    const TemporaryFolder folder;
    whole->save(folder / "whole.ts");
    EXPECT_EQ(decode_media(folder / "whole.ts").pictures, decode_pictures(media()));
}

TEST(SrtSink, a_peer_that_takes_nothing_is_told_to_the_host_and_never_waited_for) {
    auto receiver = SrtReceiver::listening({}, false);
    const auto sink = sink_for(receiver->url());
    ASSERT_EQ(sink->connect(), RINGCAST_SINK_OK) << sink->host().error();
    ASSERT_EQ(sink->headers(media()), RINGCAST_SINK_OK);
    int again = 0;
    for (const MediaPacket& packet : media().packets) {
        const std::int32_t code = sink->packet(packet);
        ASSERT_TRUE(code == RINGCAST_SINK_OK || code == RINGCAST_SINK_E_AGAIN) << sink->host().error();
        again += code == RINGCAST_SINK_E_AGAIN ? 1 : 0;
        std::this_thread::sleep_for(milliseconds(8));
    }
    EXPECT_GE(again, 1);
    EXPECT_LE(again, 6) << "each asks for a keyframe: not with every packet";
    EXPECT_GT(sink->host().stat("send_drop_packets"), 0);
}

TEST(SrtSink, a_wrong_passphrase_is_rejected_with_the_reason) {
    const auto receiver = SrtReceiver::listening(kPassphrase);
    for (const std::vector<std::string>& words : {std::vector<std::string>{"passphrase=battery staple"}, {}}) {
        const auto sink = sink_for(receiver->url(), words);
        EXPECT_EQ(sink->connect(), RINGCAST_SINK_E_REJECTED);
        expect_one_line(sink->host().error(), "passphrase");
        EXPECT_NE(sink->host().error().find(receiver->url()), std::string::npos);
        EXPECT_EQ(sink->host().error().find("battery"), std::string::npos);
    }
}

TEST(SrtSink, a_client_with_a_wrong_passphrase_is_logged_with_its_address_and_harms_nobody) {
    const auto sink = listening_sink({"passphrase=correct horse"});
    const auto client = SrtReceiver::calling(sink->host().info("url"), kPassphrase);
    EXPECT_THROW(SrtReceiver::calling(sink->host().info("url")), srt::SrtError);
    EXPECT_TRUE(comes_true([&] { return was_told(*sink, "client 127.0.0.1:"); }));
    EXPECT_TRUE(
        comes_true([&] { return was_told(*sink, "did not get in: a wrong passphrase or none, or it went away"); }));
    feed(*sink, 0, media().packets.size(), milliseconds(0));
    ASSERT_EQ(sink->disconnect(true), RINGCAST_SINK_OK);
    ASSERT_TRUE(client->wait_for_end());
    const TemporaryFolder folder;
    client->save(folder / "encrypted.ts");
    EXPECT_EQ(decode_media(folder / "encrypted.ts").pictures, decode_pictures(media()));
    for (const std::string& line : sink->host().log())
        EXPECT_EQ(line.find("correct horse"), std::string::npos) << line;
}

TEST(SrtSink, a_listener_with_a_streamid_lets_in_who_brings_it) {
    const auto sink = listening_sink({"streamid=room?key=1"});
    try {
        SrtReceiver::calling(sink->host().info("url"), {{"streamid", "room?key=2"}});
        ADD_FAILURE() << "a stranger got in";
    } catch (const srt::SrtError& error) {
        EXPECT_NE(std::string(error.what()).find("forbidden"), std::string::npos) << error.what();
    }
    const auto client = SrtReceiver::calling(sink->host().info("url"), {{"streamid", "room?key=1"}});
    EXPECT_TRUE(comes_true([&] { return !sink->host().info("client.0.address").empty(); }));
}

TEST(SrtSink, a_streamid_reaches_the_server_byte_for_byte) {
    const auto receiver = SrtReceiver::listening();
    const std::string streamid = "#!::h=live.example,r=app/room?txSecret=ab%20&txTime=1,m=publish";
    const auto sink = sink_for(receiver->url(), {"streamid=" + streamid});
    ASSERT_EQ(sink->connect(), RINGCAST_SINK_OK) << sink->host().error();
    EXPECT_TRUE(comes_true([&] { return receiver->streamid() == streamid; })) << receiver->streamid();
}

TEST(SrtSink, what_was_sent_to_a_client_stays_counted_when_it_has_left) {
    const auto sink = listening_sink();
    auto client = SrtReceiver::calling(sink->host().info("url"));
    ASSERT_TRUE(comes_true([&] { return !sink->host().info("client.0.address").empty(); }));
    feed(*sink, 0, 100, milliseconds(1));
    ASSERT_TRUE(client->wait_for_messages(10));
    const std::uint64_t sent = sink->bytes_sent();
    EXPECT_GE(sent, 10 * kMessage);
    client.reset();
    ASSERT_TRUE(comes_true([&] { return sink->host().info("client.0.address").empty(); }));
    EXPECT_GE(sink->bytes_sent(), sent);
    EXPECT_TRUE(was_told(*sink, " left"));
}

TEST(SrtSink, the_port_of_a_listener_is_kept_over_connections_and_outputs) {
    const auto sink = listening_sink();
    const std::string url = sink->host().info("url");
    int rounds = 0;
    for (const bool final : {false, true, false}) {
        const auto client = SrtReceiver::calling(url);
        ++rounds;
        ASSERT_TRUE(comes_true([&] { return times_told(*sink, " connected, latency") == rounds; }));
        feed(*sink, 0, 40, milliseconds(0));
        ASSERT_EQ(sink->disconnect(final), RINGCAST_SINK_OK);
        ASSERT_EQ(sink->connect(), RINGCAST_SINK_OK) << sink->host().error();
        ASSERT_EQ(sink->headers(media()), RINGCAST_SINK_OK);
        EXPECT_EQ(sink->host().info("url"), url);
        EXPECT_TRUE(!final || client->wait_for_end()) << "the show is over for who saw it";
    }
    const auto other = sink_for(url + "?mode=listener");
    EXPECT_EQ(other->connect(), RINGCAST_SINK_E_CONFIG);
    expect_one_line(other->host().error(), "cannot listen at " + url);
}

TEST(SrtSink, the_65th_client_is_told_that_there_is_no_room_until_one_leaves) {
    const auto sink = listening_sink();
    const srt::SrtLibrary library;
    const auto address = srt::read_srt_address(sink->host().info("url"));
    srt::SrtPoll poll;
    std::vector<srt::SrtSocket> clients;
    clients.reserve(65);
    for (int i = 0; i < 64; ++i)
        clients.push_back(srt::connect_srt(address, poll, milliseconds(8000)));
    ASSERT_TRUE(comes_true([&] { return times_told(*sink, " connected, latency") == 64; }));
    try {
        const srt::SrtSocket one_more = srt::connect_srt(address, poll, milliseconds(8000));
        ADD_FAILURE() << "a 65th client got in";
    } catch (const srt::SrtError& error) {
        EXPECT_EQ(error.failure(), srt::Failure::transient);
        EXPECT_NE(std::string(error.what()).find("overloaded"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(comes_true([&] { return was_told(*sink, "was refused: 64 are here already"); }));
    clients.pop_back();
    ASSERT_TRUE(comes_true([&] { return times_told(*sink, " left") == 1; }));
    clients.push_back(srt::connect_srt(address, poll, milliseconds(8000)));
    EXPECT_TRUE(comes_true([&] { return times_told(*sink, " connected, latency") == 65; }));
}

TEST(SrtSink, a_connect_without_an_answer_is_interrupted) {
    const auto sink = sink_for("srt://127.0.0.1:1");
    auto code = std::async(std::launch::async, [&] { return sink->connect(); });
    // As the host does: an interrupt may come before the call it is for has begun.
    ASSERT_TRUE(comes_true([&] {
        sink->interrupt();
        return code.wait_for(milliseconds(100)) == std::future_status::ready;
    }));
    EXPECT_EQ(code.get(), RINGCAST_SINK_E_INTERRUPTED);
}

TEST(SrtSink, a_latency_longer_than_a_stop_waits_is_told) {
    const std::string told = "may not arrive when the sink stops";
    EXPECT_TRUE(was_told(*sink_for("srt://h:9000?latency=8000"), "latency=8000ms: the last 3.6 s " + told));
    EXPECT_FALSE(was_told(*sink_for("srt://h:9000?latency=4000"), told));
}

TEST(SrtSink, a_listener_that_waits_says_nothing_of_it) {
    const auto sink = listening_sink();
    std::this_thread::sleep_for(milliseconds(1500));
    EXPECT_EQ(times_told(*sink, "no pending connection"), 0);
}

TEST(SrtSink, a_lost_connection_is_transient_and_the_next_one_begins_anew) {
    const auto receiver = SrtReceiver::listening();
    const auto sink = sink_for(receiver->url());
    ASSERT_EQ(sink->feed(media(), 500'000), RINGCAST_SINK_OK) << sink->host().error();
    std::this_thread::sleep_for(milliseconds(1200));  // who hangs up within a second has refused
    receiver->hang_up();
    EXPECT_EQ(feed_until_refused(*sink, 60), RINGCAST_SINK_E_TRANSIENT);
    expect_one_line(sink->host().error(), "the connection to " + receiver->url() + " was lost");
    ASSERT_EQ(sink->disconnect(false), RINGCAST_SINK_OK);
    const std::size_t before = receiver->messages().size();
    ASSERT_EQ(sink->feed(media()), RINGCAST_SINK_OK) << sink->host().error();
    ASSERT_TRUE(receiver->wait_for_messages(before + 20));
    EXPECT_GE(keyframe_at(packets_of(receiver->messages()[before])), 2);
}

TEST(SrtSink, a_server_that_hangs_up_right_away_has_refused) {
    const auto receiver = SrtReceiver::listening();
    const auto sink = sink_for(receiver->url());
    ASSERT_EQ(sink->connect(), RINGCAST_SINK_OK) << sink->host().error();
    ASSERT_EQ(sink->headers(media()), RINGCAST_SINK_OK);
    ASSERT_EQ(sink->packet(media().packets[position_of_keyframe(0)]), RINGCAST_SINK_OK);
    ASSERT_TRUE(receiver->wait_for_messages(1));
    receiver->hang_up();
    EXPECT_EQ(feed_until_refused(*sink, 60), RINGCAST_SINK_E_REJECTED);
    expect_one_line(sink->host().error(), "wrong streamid");
}

TEST(SrtSink, figures_of_the_connection_are_shown) {
    const auto receiver = SrtReceiver::listening();
    const auto sink = sink_for(receiver->url());
    ASSERT_EQ(sink->connect(), RINGCAST_SINK_OK) << sink->host().error();
    ASSERT_EQ(sink->headers(media()), RINGCAST_SINK_OK);
    feed(*sink, 0, media().packets.size(), milliseconds(2));
    for (const char* name : {"rtt_us", "send_rate_bps"})
        EXPECT_GT(sink->host().stat(name), 0) << name;
    for (const char* name :
         {"loss_packets", "retransmitted_packets", "send_drop_packets", "bandwidth_bps", "send_buffer_ms"})
        EXPECT_GE(sink->host().stat(name), 0) << name;
    ASSERT_EQ(sink->disconnect(true), RINGCAST_SINK_OK);
    EXPECT_EQ(sink->host().stat("rtt_us"), RINGCAST_SINK_NO_STAT) << "there is no connection";
}

TEST(SrtSink, wrong_words_and_codecs_are_refused_before_anything_is_sent) {
    EXPECT_EQ(sink_for("srt://127.0.0.1:9000?latency=200000")->create_result(), RINGCAST_SINK_E_CONFIG);
    EXPECT_EQ(sink_for("srt://127.0.0.1:9000", {"passphrase=short"})->create_result(), RINGCAST_SINK_E_CONFIG);
    TestMedia opus = media();
    for (MediaStream& stream : opus.streams) {
        if (stream.description.media == RINGCAST_SINK_AUDIO) stream.description.codec = RINGCAST_SINK_OPUS;
    }
    const auto sink = sink_for("srt://127.0.0.1:0?mode=listener");
    ASSERT_EQ(sink->connect(), RINGCAST_SINK_OK);
    EXPECT_EQ(sink->headers(opus), RINGCAST_SINK_E_UNSUPPORTED);
    expect_one_line(sink->host().error(), "audio.codec=aac");
}

}  // namespace
}  // namespace ringcast::test
