// SPDX-License-Identifier: Apache-2.0
/// Connections between real libsrt peers over loopback.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <srt/access_control.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <new>
#include <thread>

#include "srt/srt_connect.hpp"

namespace ringcast::srt {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPatience{8000};
const SrtWords kEncrypted{{"passphrase", "correct horse"}};

SrtAddress listening(const SrtWords& words = {}) {
    return read_srt_address("srt://127.0.0.1:0?mode=listener", words);
}

SrtAddress calling(const SrtListener& listener, const SrtWords& words = {}) {
    return read_srt_address("srt://127.0.0.1:" + std::to_string(listener.port()), words);
}

int welcome(const std::string&, std::string_view) {
    return 0;
}

/// The first client within the patience of the test.
std::optional<SrtClient> wait_for_client(SrtListener& listener, SrtPoll& poll) {
    const auto end = poll.wait(kPatience);
    return end == SrtPoll::End::ready ? listener.accept() : std::nullopt;
}

/// Why a connection did not come about.
std::pair<Failure, std::string> refusal(const SrtAddress& address, milliseconds limit = kPatience) {
    SrtPoll poll;
    try {
        const SrtSocket socket = connect_srt(address, poll, limit);
        return {Failure::config, "it connected"};
    } catch (const SrtError& error) {
        return {error.failure(), error.what()};
    }
}

class SrtConnect : public testing::Test {
protected:
    SrtLibrary library;
    SrtPoll near;
    SrtPoll far;
};

TEST_F(SrtConnect, a_caller_reaches_a_listener_and_says_what_it_wants) {
    SrtListener listener(listening(kEncrypted), far, &welcome);
    SrtWords words = kEncrypted;
    words["streamid"] = "#!::r=app/stream,m=publish";
    words["latency"] = "300ms";
    const SrtSocket caller = connect_srt(calling(listener, words), near, kPatience);
    const auto client = wait_for_client(listener, far);
    ASSERT_TRUE(client.has_value());
    EXPECT_EQ(client->streamid, "#!::r=app/stream,m=publish");
    EXPECT_TRUE(client->address.starts_with("127.0.0.1:")) << client->address;
    EXPECT_EQ(peer_latency_of(caller.get()), milliseconds(300)) << "the longer of the two";
    EXPECT_EQ(listener.take_failed(), std::vector<std::string>{});

    const std::string sent(1316, 'x');
    ASSERT_EQ(srt_sendmsg2(caller.get(), sent.data(), 1316, nullptr), 1316);
    far.add(client->socket.get(), SRT_EPOLL_IN);
    ASSERT_EQ(far.wait(kPatience), SrtPoll::End::ready);
    std::array<char, 1456> received{};
    ASSERT_EQ(srt_recvmsg2(client->socket.get(), received.data(), received.size(), nullptr), 1316);
    EXPECT_EQ(std::string(received.data(), 1316), sent);
    EXPECT_EQ(figures_of(caller.get(), false).sent_bytes, 1316U);
}

std::uint16_t free_udp_port() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof name;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&name), size), 0);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size);
    ::close(fd);
    return ntohs(name.sin_port);
}

/// The other side of a rendezvous on one machine: it needs another address at the same port.
SrtSocket meet_from(const char* local, const char* remote, std::uint16_t port) {
    SrtSocket socket = make_srt_socket(read_srt_address("srt://h:1?mode=rendezvous"));
    sockaddr_in ends[2]{};
    for (int i = 0; i < 2; ++i) {
        ends[i].sin_family = AF_INET;
        ends[i].sin_port = htons(port);
        ::inet_pton(AF_INET, i == 0 ? local : remote, &ends[i].sin_addr);
    }
    srt_rendezvous(socket.get(), reinterpret_cast<sockaddr*>(&ends[0]), sizeof ends[0],
                   reinterpret_cast<sockaddr*>(&ends[1]), sizeof ends[1]);
    return socket;
}

TEST_F(SrtConnect, two_ends_meet_in_rendezvous_mode) {
    const std::uint16_t port = free_udp_port();
    const SrtSocket other = meet_from("127.0.0.2", "127.0.0.1", port);
    const auto address = read_srt_address("srt://127.0.0.2:" + std::to_string(port) + "?mode=rendezvous");
    const SrtSocket socket = connect_srt(address, near, kPatience);
    EXPECT_TRUE(socket.is_connected());
}

TEST_F(SrtConnect, who_is_alone_in_a_rendezvous_is_told_what_to_look_at) {
    const auto address = read_srt_address("srt://127.0.0.2:" + std::to_string(free_udp_port()) + "?mode=rendezvous");
    const auto [failure, text] = refusal(address, milliseconds(1000));
    EXPECT_EQ(failure, Failure::transient);
    EXPECT_NE(text.find("rendezvous mode, too"), std::string::npos) << text;
}

TEST_F(SrtConnect, a_wrong_passphrase_is_a_rejection_and_known_at_both_ends) {
    SrtListener listener(listening(kEncrypted), far, &welcome);
    for (const SrtWords& words : {SrtWords{{"passphrase", "battery staple"}}, SrtWords{}}) {
        const auto [failure, text] = refusal(calling(listener, words));
        EXPECT_EQ(failure, Failure::rejected);
        EXPECT_NE(text.find("passphrase"), std::string::npos) << text;
        EXPECT_EQ(text.find("battery"), std::string::npos) << text;
        std::vector<std::string> failed;
        for (const auto end = steady_clock::now() + kPatience; failed.empty() && steady_clock::now() < end;) {
            std::this_thread::sleep_for(milliseconds(10));
            failed = listener.take_failed();
        }
        ASSERT_EQ(failed.size(), 1U);
        EXPECT_TRUE(failed.front().starts_with("127.0.0.1:"));
    }
    EXPECT_FALSE(listener.accept().has_value());
}

TEST_F(SrtConnect, a_listener_refuses_with_a_reason_that_the_caller_reads) {
    std::string asked;
    SrtListener listener(listening(), far, [&](const std::string&, std::string_view streamid) {
        asked = streamid;
        return SRT_REJX_FORBIDDEN;
    });
    const auto [failure, text] = refusal(calling(listener, {{"streamid", "s3cret"}}));
    EXPECT_EQ(asked, "s3cret");
    EXPECT_EQ(failure, Failure::rejected);
    EXPECT_NE(text.find("forbidden"), std::string::npos) << text;
    EXPECT_NE(text.find("1403"), std::string::npos) << text;
    EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
}

TEST_F(SrtConnect, what_admit_throws_goes_through_no_code_of_libsrt_and_refuses_the_client) {
    SrtListener listener(listening(), far, [](const std::string&, std::string_view) -> int { throw std::bad_alloc(); });
    EXPECT_NE(refusal(calling(listener)).second, "it connected");
    EXPECT_FALSE(listener.accept().has_value());
}

TEST_F(SrtConnect, a_new_passphrase_of_a_listener_holds_for_those_who_come_later) {
    SrtListener listener(listening(kEncrypted), far, &welcome);
    const SrtWords changed{{"passphrase", "battery staple"}};
    listener.set_encryption(listening(changed));
    const SrtSocket caller = connect_srt(calling(listener, changed), near, kPatience);
    EXPECT_TRUE(wait_for_client(listener, far).has_value());
    EXPECT_EQ(refusal(calling(listener, kEncrypted)).first, Failure::rejected);
}

TEST_F(SrtConnect, nobody_there_is_told_with_the_time_it_took) {
    std::uint16_t port = 0;
    {
        const SrtListener gone(listening(), far, &welcome);
        port = gone.port();
    }
    const auto address = read_srt_address("srt://127.0.0.1:" + std::to_string(port));
    const auto [failure, text] = refusal(address, milliseconds(1000));
    EXPECT_EQ(failure, Failure::transient);
    EXPECT_NE(text.find("no answer from srt://127.0.0.1:"), std::string::npos) << text;
    EXPECT_NE(text.find("within 1 s"), std::string::npos) << text;
}

TEST_F(SrtConnect, a_host_nobody_knows_is_told) {
    const auto [failure, text] = refusal(read_srt_address("srt://no-such-host.invalid:9000"));
    EXPECT_EQ(failure, Failure::transient);
    EXPECT_NE(text.find("no-such-host.invalid"), std::string::npos) << text;
}

TEST_F(SrtConnect, a_connect_that_waits_ends_when_it_is_woken) {
    const auto address = read_srt_address("srt://127.0.0.1:1");
    auto ended = std::async(std::launch::async, [&] {
        try {
            const SrtSocket socket = connect_srt(address, near, std::chrono::seconds(60));
        } catch (const SrtError& error) {
            return error.failure();
        }
        return Failure::config;
    });
    std::this_thread::sleep_for(milliseconds(100));
    near.wake();
    ASSERT_EQ(ended.wait_for(std::chrono::seconds(20)), std::future_status::ready);
    EXPECT_EQ(ended.get(), Failure::interrupted);
}

TEST_F(SrtConnect, a_port_that_is_taken_is_told_at_once) {
    const SrtListener first(listening(), far, &welcome);
    SrtAddress second = listening();
    second.port = first.port();
    try {
        const SrtListener listener(second, near, &welcome);
        ADD_FAILURE() << "two listeners share a port";
    } catch (const SrtError& error) {
        EXPECT_EQ(error.failure(), Failure::config);
        EXPECT_NE(std::string(error.what()).find("cannot listen at srt://127.0.0.1:"), std::string::npos);
    }
}

TEST_F(SrtConnect, without_a_host_both_families_are_listened_to) {
    SrtListener listener(read_srt_address("srt://:0"), far, &welcome);
    const SrtSocket ipv4 = connect_srt(calling(listener), near, kPatience);
    const auto client = wait_for_client(listener, far);
    ASSERT_TRUE(client.has_value());
    EXPECT_TRUE(client->address.starts_with("127.0.0.1:")) << client->address;
}

TEST(SrtLog, goes_where_it_is_told) {
    std::string told;
    const SrtLibrary library;
    set_srt_log([&](std::string_view line) { told += line; });
    SrtPoll poll;
    const SrtListener listener(listening(kEncrypted), poll, &welcome);
    EXPECT_EQ(refusal(calling(listener)).first, Failure::rejected);
    set_srt_log({});
    EXPECT_NE(told, "") << "libsrt says something of a refused handshake";
    EXPECT_EQ(told.find("correct horse"), std::string::npos) << told;
}

TEST(SrtReasons, every_code_has_words) {
    EXPECT_EQ(refusal_of(SRT_REJ_BADSECRET).failure, Failure::rejected);
    EXPECT_EQ(refusal_of(SRT_REJX_OVERLOAD).failure, Failure::transient);
    EXPECT_EQ(refusal_of(2345).failure, Failure::rejected);
    for (int code = SRT_REJ_SYSTEM; code < SRT_REJ_TIMEOUT; ++code) {
        EXPECT_EQ(refusal_of(code).words.find("of its own"), std::string::npos) << code;
    }
}

}  // namespace
}  // namespace ringcast::srt
