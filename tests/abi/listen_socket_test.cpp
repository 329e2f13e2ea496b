// SPDX-License-Identifier: Apache-2.0
#include "host/listen_socket.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/plugin_error.hpp"

namespace ringcast::host {
namespace {

sockaddr_in address_of(int fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return address;
}

std::string socket_refusal(const std::string& address) {
    try {
        close(open_listen_socket(address));
    } catch (const PluginError& error) {
        return error.what();
    }
    return {};
}

TEST(ListenSocket, is_bound_to_loopback_by_default_and_ready_for_a_plugin) {
    const int fd = open_listen_socket("0");
    const sockaddr_in address = address_of(fd);
    EXPECT_EQ(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    EXPECT_NE(address.sin_port, 0);
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    int listening = 0;
    socklen_t size = sizeof listening;
    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
    EXPECT_EQ(listening, 1);
    close(fd);
}

TEST(ListenSocket, takes_a_host) {
    const int fd = open_listen_socket("0.0.0.0:0");
    EXPECT_EQ(address_of(fd).sin_addr.s_addr, INADDR_ANY);
    close(fd);
}

TEST(ListenSocket, names_address_and_holder_when_the_port_is_taken) {
    const int fd = open_listen_socket("0");
    const std::string address = "127.0.0.1:" + std::to_string(ntohs(address_of(fd).sin_port));
    const std::string text = socket_refusal(address);
    EXPECT_NE(text.find(address), std::string::npos) << text;
    EXPECT_NE(text.find("pid " + std::to_string(getpid())), std::string::npos) << text;
    close(fd);
}

TEST(ListenSocket, refuses_what_is_not_an_address) {
    for (const char* wrong : {"", "http", "127.0.0.1", "127.0.0.1:", "80x", "70000", "127.0.0.1:-1"}) {
        EXPECT_NE(socket_refusal(wrong).find("[HOST:]PORT"), std::string::npos) << wrong;
    }
    EXPECT_NE(socket_refusal("no.such.host.invalid:80").find("no.such.host.invalid"), std::string::npos);
}

}  // namespace
}  // namespace ringcast::host
