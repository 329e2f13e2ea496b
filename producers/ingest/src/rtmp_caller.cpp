// SPDX-License-Identifier: Apache-2.0
#include "rtmp_caller.hpp"

#include <chrono>
#include <utility>

namespace ringcast::ingest {
namespace {

using Clock = std::chrono::steady_clock;

/// A server lets us wait as long as nobody publishes; one that has died in silence is not waited for longer.
constexpr std::chrono::seconds kPatience{60};

std::string without(std::string text, const std::string& secret) {
    constexpr std::size_t kLeast = 4;
    if (secret.size() < kLeast) return text;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at))
        text.replace(at, secret.size(), "***");
    return text;
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
        return {{"rtmp_app", address_.app},
                {"rtmp_playpath", address_.key},
                {"rtmp_live", "live"},
                {"rtmp_buffer", "200"},
                {"tls_verify", "1"}};
    }
    [[noreturn]] void explain(const std::string& words, bool waited) const {
        using Kind = SourceError::Kind;
        if (waited) throw SourceError(Kind::waited, "nobody publishes that stream there yet");
        const bool refused = words.find("Server error") != std::string::npos;
        throw SourceError(refused ? Kind::rejected : Kind::transient, without(words, address_.key));
    }

    const RtmpAddress& address_;
    GoesOn goes_on_;
    std::unique_ptr<Demuxer> demuxer_;
};

}  // namespace

std::unique_ptr<Connection> RtmpCaller::connect(const GoesOn& goes_on) {
    if (!goes_on()) return nullptr;
    return std::make_unique<RtmpPlay>(address_, goes_on);
}

}  // namespace ringcast::ingest
