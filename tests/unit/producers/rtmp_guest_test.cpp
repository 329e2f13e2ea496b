// SPDX-License-Identifier: Apache-2.0
#include "rtmp_guest.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <random>

#include "rtmp_address.hpp"

namespace ringcast::ingest {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// A guest at one end of a pair of sockets, the test at the other.
struct Visit {
    std::string app = "live";
    std::string key = "talk";
    bool is_taken = false;
    sink::UniqueFd far;
    std::unique_ptr<RtmpGuest> guest;

    explicit Visit(std::string wanted = "talk") : key(std::move(wanted)) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        far = sink::UniqueFd(ends[0]);
        guest = std::make_unique<RtmpGuest>(sink::UniqueFd(ends[1]), "test", RtmpGuest::House{app, key, is_taken});
    }
    void send(const Bytes& bytes) {
        constexpr std::size_t kPart = 64 * 1024;  // what one hear() takes
        for (std::size_t at = 0; at < bytes.size() && guest->state() != RtmpGuest::State::gone; at += kPart) {
            const std::size_t size = std::min(kPart, bytes.size() - at);
            ASSERT_EQ(::send(far.get(), bytes.data() + at, size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
            guest->hear();
        }
    }
    void message(std::uint8_t type, std::uint32_t time, const Bytes& body) {
        Bytes bytes{4,
                    static_cast<std::uint8_t>(time >> 16U),
                    static_cast<std::uint8_t>(time >> 8U),
                    static_cast<std::uint8_t>(time),
                    static_cast<std::uint8_t>(body.size() >> 16U),
                    static_cast<std::uint8_t>(body.size() >> 8U),
                    static_cast<std::uint8_t>(body.size()),
                    type,
                    1,
                    0,
                    0,
                    0};
        for (std::size_t at = 0; at < body.size(); at += 128) {
            if (at > 0) bytes.push_back(0xC4);
            bytes.insert(bytes.end(), body.begin() + static_cast<std::ptrdiff_t>(at),
                         body.begin() + static_cast<std::ptrdiff_t>(std::min(at + 128, body.size())));
        }
        send(bytes);
    }
    void command(const sink::AmfWriter& words) { message(20, 0, {words.bytes().begin(), words.bytes().end()}); }
    void shake_hands() {
        Bytes hello(1 + 2 * 1536, 0);
        hello[0] = 3;
        send(hello);
    }
    void connect(std::string_view wanted = "live") {
        sink::AmfWriter words;
        words.value(std::string_view("connect")).value(1.0).object({{"app", wanted}});
        command(words);
    }
    void publish(std::string_view name) {
        sink::AmfWriter words;
        words.value(std::string_view("publish")).value(4.0).null().value(name).value(std::string_view("live"));
        command(words);
    }
    [[nodiscard]] std::string told() const {
        std::string text(64 * 1024, '\0');
        const ssize_t got = ::recv(far.get(), text.data(), text.size(), MSG_DONTWAIT);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return text;
    }
};

TEST(RtmpGuest, that_asks_for_the_right_stream_becomes_flv) {
    Visit visit;
    visit.shake_hands();
    visit.connect();
    visit.publish("talk?token=1");
    EXPECT_EQ(visit.guest->state(), RtmpGuest::State::publishing);
    EXPECT_NE(visit.told().find("NetStream.Publish.Start"), std::string::npos);
    visit.message(9, 0x123456, Bytes(300, 7));
    ASSERT_EQ(visit.guest->media().size(), 13U + 11 + 300 + 4);
    EXPECT_EQ(Bytes(visit.guest->media().begin(), visit.guest->media().begin() + 3), (Bytes{'F', 'L', 'V'}));
    EXPECT_EQ(Bytes(visit.guest->media().begin() + 13, visit.guest->media().begin() + 21),
              (Bytes{9, 0, 1, 44, 0x12, 0x34, 0x56, 0}));
    EXPECT_EQ(Bytes(visit.guest->media().end() - 5, visit.guest->media().end()), (Bytes{7, 0, 0, 1, 55})) << "300 + 11";
}

TEST(RtmpGuest, is_told_why_it_may_not_publish) {
    struct Case {
        std::string_view app;
        std::string_view key;
        bool is_taken;
        std::string answer;
        std::string reason;
    };
    for (const Case& each : {Case{"other", "talk", false, "NetConnection.Connect.Rejected", "another app"},
                             Case{"live", "walk", false, "NetStream.Publish.BadName", "another key"},
                             Case{"live", "", false, "NetStream.Publish.BadName", "another key"},
                             Case{"live", "talk", true, "Somebody else is publishing", "somebody else"}}) {
        Visit visit;
        visit.is_taken = each.is_taken;
        visit.shake_hands();
        visit.connect(each.app);
        if (each.app == "live") visit.publish(each.key);
        EXPECT_EQ(visit.guest->state(), RtmpGuest::State::leaving);
        EXPECT_NE(visit.told().find(each.answer), std::string::npos) << each.answer;
        EXPECT_NE(visit.guest->reason().find(each.reason), std::string::npos) << visit.guest->reason();
        visit.message(9, 0, Bytes(20, 7));
        EXPECT_TRUE(visit.guest->media().empty());
    }
}

TEST(RtmpGuest, may_bring_any_key_where_none_is_asked_for) {
    Visit visit("");
    visit.shake_hands();
    visit.connect("live/");
    visit.publish("whatever");
    EXPECT_EQ(visit.guest->state(), RtmpGuest::State::publishing);
}

TEST(RtmpGuest, that_ends_its_stream_is_let_to_close_by_itself) {
    Visit visit;
    visit.shake_hands();
    visit.connect();
    visit.publish("talk");
    sink::AmfWriter words;
    words.value(std::string_view("deleteStream")).value(5.0).null().value(1.0);
    visit.command(words);
    EXPECT_EQ(visit.guest->state(), RtmpGuest::State::leaving);
    visit.far = sink::UniqueFd();
    visit.guest->hear();
    EXPECT_EQ(visit.guest->state(), RtmpGuest::State::gone);
}

/// connect, with objects that hold each other.
Bytes nested_command(std::size_t levels) {
    sink::AmfWriter words;
    words.value(std::string_view("connect")).value(1.0);
    Bytes body(words.bytes().begin(), words.bytes().end());
    body.push_back(3);
    for (std::size_t level = 1; level < levels; ++level)
        body.insert(body.end(), {0, 0, 3});
    for (std::size_t level = 0; level < levels; ++level)
        body.insert(body.end(), {0, 0, 9});
    return body;
}

TEST(RtmpGuest, cannot_overflow_the_stack_with_objects_in_objects) {
    EXPECT_TRUE(sink::read_command(nested_command(20)));
    for (const std::size_t levels : {40U, 5'000U, 20'000U, 100'000U}) {
        EXPECT_FALSE(sink::read_command(nested_command(levels))) << levels;
        Visit visit;
        visit.shake_hands();
        visit.message(20, 0, nested_command(levels));
        EXPECT_EQ(visit.guest->state(), RtmpGuest::State::gone) << levels;
        Visit publisher;
        publisher.shake_hands();
        publisher.connect();
        publisher.publish("talk");
        publisher.message(20, 0, nested_command(levels));
        EXPECT_EQ(publisher.guest->state(), RtmpGuest::State::gone) << levels;
    }
}

TEST(RtmpGuest, may_send_large_messages_only_once_it_publishes) {
    const Bytes picture(3'000'000, 7);
    Visit stranger;
    stranger.shake_hands();
    stranger.connect();
    stranger.message(9, 0, picture);
    EXPECT_EQ(stranger.guest->state(), RtmpGuest::State::gone);
    Visit publisher;
    publisher.shake_hands();
    publisher.connect();
    publisher.publish("talk");
    publisher.message(9, 0, picture);
    EXPECT_EQ(publisher.guest->state(), RtmpGuest::State::publishing);
    EXPECT_GT(publisher.guest->media().size(), picture.size());
}

TEST(RtmpGuest, survives_any_bytes) {
    std::mt19937 random(3);
    for (int round = 0; round < 600; ++round) {
        Visit visit;
        if (round % 3 != 0) visit.shake_hands();
        if (round % 3 == 2) visit.connect();
        Bytes bytes(random() % 3000);
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random() % (round % 2 == 0 ? 256 : 24));
        visit.send(bytes);
        EXPECT_TRUE(visit.guest->media().empty());
    }
}

TEST(RtmpAddress, is_taken_apart) {
    struct Case {
        std::string url;
        std::string key;
        bool listens;
        std::string host;
        unsigned port;
        std::string app;
        std::string name;
    };
    for (const Case& each : {Case{"rtmp://h/live/talk", "", false, "h", 1935, "live", "talk"},
                             Case{"rtmps://h:444/live", "k?a=b", false, "h", 444, "live", "k?a=b"},
                             Case{"rtmp://h/a/b/talk?sign=x/y", "", false, "h", 1935, "a/b", "talk?sign=x/y"},
                             Case{"rtmp://:1936/live", "", true, "", 1936, "live", ""},
                             Case{"rtmp://:1936/live/talk/", "", true, "", 1936, "live", "talk"},
                             Case{"rtmp://127.0.0.1/live/talk?listen=1", "", true, "127.0.0.1", 1935, "live", "talk"},
                             Case{"rtmp://h/live/talk?a=b&listen=1", "", true, "h", 1935, "live", "talk?a=b"},
                             Case{"rtmp://h/live/talk?listen=1&a=b", "", true, "h", 1935, "live", "talk?a=b"},
                             Case{"rtmp://h/live/talk?listen=10", "", false, "h", 1935, "live", "talk?listen=10"},
                             Case{"rtmp://[::1]:7/live/talk", "", false, "::1", 7, "live", "talk"}}) {
        IngestAddress words;
        words.url = each.url;
        words.key = each.key;
        const RtmpAddress address = read_rtmp_address(words);
        EXPECT_EQ(address.listens, each.listens) << each.url;
        EXPECT_EQ(address.host, each.host) << each.url;
        EXPECT_EQ(address.port, each.port) << each.url;
        EXPECT_EQ(address.app, each.app) << each.url;
        EXPECT_EQ(address.key, each.name) << each.url;
        EXPECT_EQ(address.place.find("talk"), std::string::npos) << address.place;
    }
    for (const char* wrong : {"rtmp://h", "rtmp://h/live", "rtmp://h:0/a/b", "rtmp://h:x/a/b", "rtmp://u:p@h/a/b",
                              "rtmps://:444/live", "rtmp://[::1/a/b", "rtmp://fe80::1/a/b", "rtmp://h/a/b\nc"}) {
        IngestAddress words;
        words.url = wrong;
        EXPECT_THROW(read_rtmp_address(words), AddressError) << wrong;
    }
}

}  // namespace
}  // namespace ringcast::ingest
