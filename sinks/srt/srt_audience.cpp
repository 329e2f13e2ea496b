// SPDX-License-Identifier: Apache-2.0
#include "srt/srt_audience.hpp"

#include <srt/access_control.h>

#include <algorithm>
#include <exception>
#include <iterator>

namespace ringcast::sink {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// libsrt gives up a peer that is dead after 5 s. One that is alive and takes nothing gets a little longer, and less
// than the 10 s after which the host would take the whole sink for stuck.
constexpr std::chrono::seconds kJamPatience{8};
// Who tries a wrong passphrase once a second is told of this often.
constexpr std::chrono::seconds kTellEvery{10};
constexpr std::size_t kMostRefused = 256;
constexpr milliseconds kAfterFailure{100};

std::string prefix_of(int number) {
    return "client." + std::to_string(number) + ".";
}

}  // namespace

SrtAudience::SrtAudience(const srt::SrtAddress& address, const Host& host)
    : host_(host),
      streamid_(address.streamid),
      listener_(address, poll_, [this](const auto& client, auto streamid) { return admit(client, streamid); }),
      place_(srt::place_of(address.host, listener_.port())) {
    expect(address);
    thread_ = std::thread([this] { run(); });
}

SrtAudience::~SrtAudience() {
    poll_.wake();
    thread_.join();
    dismiss();
}

void SrtAudience::expect(const srt::SrtAddress& address) {
    listener_.set_encryption(address);
    const std::scoped_lock lock(mutex_);
    streamid_ = address.streamid;
    is_encrypted_ = !address.passphrase.empty();
}

void SrtAudience::run() {
    auto next_look = steady_clock::now();
    for (;;) {
        const auto left = std::chrono::ceil<milliseconds>(next_look - steady_clock::now());
        const auto end = poll_.wait(std::max(left, milliseconds(0)));
        if (end == srt::SrtPoll::End::woken) return;
        const bool is_time = steady_clock::now() >= next_look;
        if (is_time) next_look = steady_clock::now() + kFiguresEvery;
        try {
            look_around(end == srt::SrtPoll::End::ready, is_time);
        } catch (const std::exception& error) {
            host_.warn(std::string("looking after the clients: ") + error.what());
            std::this_thread::sleep_for(kAfterFailure);
        }
    }
}

void SrtAudience::look_around(bool somebody_stirs, bool is_time) {
    // libsrt writes a line into its log each time accept() finds nobody.
    if (somebody_stirs) welcome();
    reap();
    if (!is_time) return;
    tell_failed();
    show();
}

/// On a thread of libsrt.
int SrtAudience::admit(const std::string& client, std::string_view streamid) {
    const std::scoped_lock lock(mutex_);
    const bool full = clients_.size() >= kMost;
    if (!full && (streamid_.empty() || streamid == streamid_)) return 0;
    if (is_news(client)) {
        host_.warn(
            "client " + client + " was refused: " +
            (full ? std::to_string(kMost) + " are here already" : "it does not bring the streamid= of this sink"));
    }
    return full ? SRT_REJX_OVERLOAD : SRT_REJX_FORBIDDEN;
}

/// Somebody who comes again and again is told of now and then. Under the lock.
bool SrtAudience::is_news(const std::string& client) {
    const auto now = steady_clock::now();
    std::erase_if(refused_, [&](const auto& one) { return now - one.second >= kTellEvery; });
    if (refused_.size() >= kMostRefused) return false;
    return refused_.emplace(client.substr(0, client.rfind(':')), now).second;
}

void SrtAudience::welcome() {
    const std::scoped_lock lock(mutex_);
    while (auto client = listener_.accept()) {
        int number = 0;
        while (clients_.contains(number))
            ++number;
        // Several may have been let in at once for the last place.
        if (clients_.size() >= kMost) continue;
        try {
            poll_.add(client->socket.get(), SRT_EPOLL_ERR);
        } catch (const srt::SrtError&) {
            host_.info("client " + client->address + " left as soon as it had come");
            continue;
        }
        const auto [place, _] = clients_.emplace(number, Client{SrtPeer(std::move(client->socket)), client->address});
        host_.set_info((prefix_of(number) + "address").c_str(), client->address);
        const auto latency = place->second.peer.latency().count();
        host_.info("client " + client->address + " connected, latency " + std::to_string(latency) + " ms");
    }
}

void SrtAudience::tell_failed() {
    const std::scoped_lock lock(mutex_);
    for (const std::string& client : listener_.take_failed()) {
        if (!is_news(client)) continue;
        host_.warn("client " + client + " did not get in: " +
                   (is_encrypted_ ? "a wrong passphrase or none" : "it has a passphrase, and this sink none") +
                   ", or it went away");
    }
}

void SrtAudience::reap() {
    const std::scoped_lock lock(mutex_);
    for (auto client = clients_.begin(); client != clients_.end();) {
        const bool stuck = client->second.peer.jammed_for() >= kJamPatience;
        const bool gone = !client->second.peer.is_connected();
        client = gone    ? part_with(client, "left")
                 : stuck ? part_with(client, "took nothing for 8 s")
                         : std::next(client);
    }
}

SrtAudience::Clients::iterator SrtAudience::part_with(Clients::iterator client, const std::string& why) {
    auto& [number, who] = *client;
    host_.info("client " + who.address + " " + why);
    poll_.remove(who.peer.socket());
    add_counts(past_, who.peer.figures(false));
    withdraw_figures(host_, prefix_of(number), true);
    host_.set_info((prefix_of(number) + "address").c_str(), "");
    return clients_.erase(client);
}

void SrtAudience::show() {
    const std::scoped_lock lock(mutex_);
    srt::SrtFigures all = past_;
    for (auto& [number, client] : clients_) {
        const srt::SrtFigures figures = client.peer.figures(true);
        show_figures(host_, prefix_of(number), figures);
        add_figures(all, figures);
    }
    show_figures(host_, "", all);
    if (clients_.empty()) withdraw_figures(host_, "", false);
    host_.set_stat("clients", static_cast<std::int64_t>(clients_.size()));
}

void SrtAudience::send(std::span<const std::uint8_t> message, bool start) {
    const std::scoped_lock lock(mutex_);
    // Who is lost is seen to by the other thread, which says so.
    for (auto& [number, client] : clients_)
        client.peer.send(message, start);
}

bool SrtAudience::is_drained() {
    const std::scoped_lock lock(mutex_);
    bool all = true;
    for (auto& [number, client] : clients_) {
        SrtPeer& peer = client.peer;
        if (peer.is_jammed() || peer.is_drained() || !peer.is_connected()) continue;
        peer.probe();
        all = false;
    }
    return all;
}

milliseconds SrtAudience::latency() {
    const std::scoped_lock lock(mutex_);
    milliseconds longest{0};
    for (const auto& [number, client] : clients_)
        longest = std::max(longest, client.peer.latency());
    return longest;
}

void SrtAudience::dismiss() {
    const std::scoped_lock lock(mutex_);
    for (auto client = clients_.begin(); client != clients_.end();)
        client = part_with(client, "was dismissed: the output is over");
}

std::size_t SrtAudience::served() {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(clients_, [](const auto& one) { return one.second.peer.has_begun(); }));
}

std::string SrtAudience::waits_for() {
    const std::scoped_lock lock(mutex_);
    return clients_.empty() ? "waits for a client at " + place_ : "waits for a keyframe, to begin with at a client";
}

std::uint64_t SrtAudience::bytes_sent() {
    const std::scoped_lock lock(mutex_);
    std::uint64_t bytes = past_.sent_bytes;
    for (auto& [number, client] : clients_)
        bytes += client.peer.figures(false).sent_bytes;
    return bytes;
}

}  // namespace ringcast::sink
