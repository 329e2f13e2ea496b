// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>

#include "mux/host.hpp"
#include "srt/srt_connect.hpp"
#include "srt/srt_figures.hpp"
#include "srt/srt_peer.hpp"

namespace ringcast::sink {

/// The clients of a listening socket. Each begins at the next start and loses only what it does not take itself.
/// Life cycle: the socket is bound as long as the object lives, so that nobody else gets the port between two outputs;
/// clients come and go on a thread of its own, packets or not.
/// Thread safety: every call from any thread.
class SrtAudience {
public:
    static constexpr std::size_t kMost = 64;

    /// Throws srt::SrtError(config) when it cannot listen there.
    SrtAudience(const srt::SrtAddress& address, const Host& host);
    SrtAudience(const SrtAudience&) = delete;
    SrtAudience& operator=(const SrtAudience&) = delete;
    ~SrtAudience();

    void send(std::span<const std::uint8_t> message, bool start);
    /// Everybody who keeps up has got everything.
    [[nodiscard]] bool is_drained();
    /// The longest of all clients.
    [[nodiscard]] std::chrono::milliseconds latency();
    /// Closes all connections; the socket listens on.
    void dismiss();
    /// Passphrase and streamid for those who come from here on.
    void expect(const srt::SrtAddress& address);

    /// Who gets what is sent: whoever has come and seen a start.
    [[nodiscard]] std::size_t served();
    /// "waits for a client at srt://..."
    [[nodiscard]] std::string waits_for();
    [[nodiscard]] std::uint64_t bytes_sent();
    /// "srt://host:port", as people can reach it.
    [[nodiscard]] const std::string& place() const noexcept { return place_; }

private:
    struct Client {
        SrtPeer peer;
        std::string address;
    };
    using Clients = std::map<int, Client>;  ///< by the number it is shown with

    void run();
    void look_around(bool somebody_stirs, bool is_time);
    void welcome();
    void tell_failed();
    void reap();
    void show();
    int admit(const std::string& client, std::string_view streamid);
    Clients::iterator part_with(Clients::iterator client, const std::string& why);
    [[nodiscard]] bool is_news(const std::string& client);

    Host host_;
    srt::SrtPoll poll_;
    std::mutex mutex_;  ///< of what follows
    std::string streamid_;
    bool is_encrypted_ = false;
    Clients clients_;
    srt::SrtFigures past_;                                                  ///< of those who left
    std::map<std::string, std::chrono::steady_clock::time_point> refused_;  ///< by host: when that was told
    srt::SrtListener listener_;  ///< its thread asks admit(): after all that needs
    std::string place_;
    std::thread thread_;
};

}  // namespace ringcast::sink
