// SPDX-License-Identifier: Apache-2.0
#include "rtmp_caller.hpp"

#include <netdb.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <future>
#include <string_view>
#include <thread>
#include <utility>

namespace ringcast::ingest {
namespace {

using Clock = std::chrono::steady_clock;

/// A server lets us wait as long as nobody publishes; one that has died in silence is not waited for longer.
constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::seconds kLookUpPatience{30};
constexpr std::chrono::milliseconds kLookUpSlice{50};

std::string without(std::string text, const std::string& secret) {
    constexpr std::size_t kLeast = 4;
    if (secret.size() < kLeast) return text;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
        text.replace(at, secret.size(), "***");
    return text;
}

/// Servers that do not let us wait until somebody publishes say so; it is no refusal.
bool says_nobody_publishes(std::string words) {
    std::transform(words.begin(), words.end(), words.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (words.find("server error") == std::string::npos) return false;
    constexpr std::string_view kSigns[] = {"streamnotfound",       "stream not found",     "not found",
                                           "no one is publishing", "nobody is publishing", "no stream is available"};
    return std::any_of(std::begin(kSigns), std::end(kSigns),
                       [&](std::string_view sign) { return words.find(sign) != std::string::npos; });
}

/// libavformat looks names up without asking whether it is to give up: it is done before, on a thread that may be left
/// behind. False: `goes_on` said no.
bool look_up(const std::string& host, const GoesOn& goes_on) {
    std::packaged_task<int()> task([host] {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
        if (found != nullptr) ::freeaddrinfo(found);
        return code;
    });
    std::future<int> answer = task.get_future();
    std::thread(std::move(task)).detach();
    const auto deadline = Clock::now() + kLookUpPatience;
    while (answer.wait_for(kLookUpSlice) != std::future_status::ready) {
        if (!goes_on()) return false;
        if (Clock::now() > deadline)
            throw SourceError(SourceError::Kind::transient, "no name server answers for the host " + host);
    }
    if (const int code = answer.get(); code != 0) {
        throw SourceError(SourceError::Kind::transient, "cannot find the host " + host + ": " + ::gai_strerror(code) +
                                                            "; check the address and this machine's network");
    }
    return true;
}

class RtmpPlay final : public Connection {
public:
    RtmpPlay(const RtmpAddress& address, GoesOn goes_on) : address_(address), goes_on_(std::move(goes_on)) {}

    Demuxer& demuxer() override {
        const auto deadline = Clock::now() + kPatience;
        const auto gives_up = [this, deadline] { return !goes_on_() || (!demuxer_ && Clock::now() > deadline); };
        try {
            demuxer_ = std::make_unique<Demuxer>("flv", url(), options(), gives_up);
        } catch (const std::runtime_error& error) {
            explain(error.what(), Clock::now() > deadline);
        }
        return *demuxer_;
    }
    [[nodiscard]] std::string peer() const override { return address_.place; }
    [[nodiscard]] std::uint64_t received() const override { return demuxer_ ? demuxer_->received() : 0; }

private:
    [[nodiscard]] std::string url() const {
        const bool is_ipv6 = address_.host.find(':') != std::string::npos;
        return std::string(address_.tls ? "rtmps://" : "rtmp://") + (is_ipv6 ? "[" : "") + address_.host +
               (is_ipv6 ? "]" : "") + ":" + std::to_string(address_.port) + "/" + address_.app;
    }
    [[nodiscard]] std::map<std::string, std::string> options() const {
        std::map<std::string, std::string> options{{"rtmp_app", address_.app},
                                                   {"rtmp_playpath", address_.key},
                                                   {"rtmp_live", "live"},
                                                   {"rtmp_buffer", "200"},
                                                   {"tls_verify", address_.tls_verify ? "1" : "0"}};
        if (!address_.tls_ca.empty()) options["ca_file"] = address_.tls_ca;
        return options;
    }
    [[noreturn]] void explain(const std::string& words, bool waited) const {
        using Kind = SourceError::Kind;
        if (waited || says_nobody_publishes(words))
            throw SourceError(Kind::waited, "nobody publishes that stream there yet");
        if (words.find("certificate") != std::string::npos) {
            const bool is_of_another = words.find("hostname") != std::string::npos;
            throw SourceError(Kind::rejected,
                              "TLS: the certificate of " + address_.host +
                                  (is_of_another ? " is made out for another name; use a name that stands in it"
                                                 : " is signed by nobody trusted here or has expired; --tls-ca FILE "
                                                   "names an authority"));
        }
        const bool refused = words.find("Server error") != std::string::npos;
        throw SourceError(refused ? Kind::rejected : Kind::transient, without(words, address_.key));
    }

    const RtmpAddress& address_;
    GoesOn goes_on_;
    std::unique_ptr<Demuxer> demuxer_;
};

}  // namespace

std::unique_ptr<Connection> RtmpCaller::connect(const GoesOn& goes_on) {
    if (!goes_on() || !look_up(address_.host, goes_on)) return nullptr;
    if (address_.tls && !address_.tls_verify) {
        notes_.push_back("warning: --tls-verify no: ANYBODY on the way to " + address_.place +
                         " can read the key and the stream, and send another");
    }
    return std::make_unique<RtmpPlay>(address_, goes_on);
}

}  // namespace ringcast::ingest
