// SPDX-License-Identifier: Apache-2.0
#include "srt_source.hpp"

#include <srt/access_control.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <thread>
#include <utility>

#include "ts_tail.hpp"

namespace ringcast::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSlice{100};
constexpr milliseconds kRest{5};
constexpr milliseconds kCutOff{1000};      // who ends a stream has just sent the end of it
constexpr milliseconds kLastPackets{250};  // they may have been on the way
constexpr milliseconds kConnectPatience{3000};
constexpr std::size_t kMostPayload = 1456;

}  // namespace

/// One sender's media.
class SrtSource::Reception final : public Connection {
public:
    Reception(SrtSource& source, srt::SrtSocket socket, std::string peer, GoesOn goes_on)
        : source_(source), socket_(std::move(socket)), peer_(std::move(peer)), goes_on_(std::move(goes_on)) {
        source_.heard_ = std::chrono::steady_clock::now();
        source_.is_taken_ = true;
        source_.poll_.add(socket_.get(), SRT_EPOLL_IN | SRT_EPOLL_ERR);
    }
    Reception(const Reception&) = delete;
    Reception& operator=(const Reception&) = delete;
    ~Reception() override {
        demuxer_.reset();
        source_.poll_.remove(socket_.get());
        source_.is_taken_ = false;
    }

    Demuxer& demuxer() override {
        demuxer_ = std::make_unique<Demuxer>(
            "mpegts", [this](std::span<std::uint8_t> into) { return pull(into); },
            [this](int pid) { return was_cut_off_ && tail_.is_open(pid); });
        return *demuxer_;
    }
    [[nodiscard]] std::string peer() const override { return peer_; }
    [[nodiscard]] std::uint64_t received() const override { return received_; }
    [[nodiscard]] std::string end_text() const override { return end_text_; }
    [[nodiscard]] std::optional<SrtFigures> srt_figures() override;

private:
    std::size_t pull(std::span<std::uint8_t> into);
    /// The next message; 0: there is none now.
    std::size_t receive(std::span<std::uint8_t> into);
    [[nodiscard]] milliseconds latency() const;

    SrtSource& source_;
    srt::SrtSocket socket_;
    std::string peer_;
    GoesOn goes_on_;
    std::array<std::uint8_t, kMostPayload> message_{};
    std::size_t size_ = 0;
    std::size_t at_ = 0;
    std::optional<std::chrono::steady_clock::time_point> ended_;
    bool is_over_ = false;
    bool was_cut_off_ = false;  ///< not ended by its sender, who would have sent the last picture whole
    TsTail tail_;
    std::uint64_t received_ = 0;
    std::string end_text_;
    std::unique_ptr<Demuxer> demuxer_;
};

std::size_t SrtSource::Reception::receive(std::span<std::uint8_t> into) {
    const int got = srt_recvmsg(socket_.get(), reinterpret_cast<char*>(into.data()), static_cast<int>(into.size()));
    if (got > 0) {
        received_ += static_cast<std::uint64_t>(got);
        source_.heard_ = std::chrono::steady_clock::now();
        tail_.feed(into.first(static_cast<std::size_t>(got)));
        return static_cast<std::size_t>(got);
    }
    int system_error = 0;
    if (got < 0 && srt_getlasterror(&system_error) == SRT_EASYNCRCV) return 0;
    // What the latency still holds back comes at its time, also after the end.
    const auto now = std::chrono::steady_clock::now();
    if (!ended_) {
        ended_ = now;
        end_text_ = "the connection ended";
    }
    is_over_ = now - *ended_ > latency() + kLastPackets;
    // What was sent last has been heard a latency later.
    if (is_over_) was_cut_off_ = *ended_ + latency() - source_.heard_.load() > kCutOff;
    return 0;
}

milliseconds SrtSource::Reception::latency() const {
    int latency = 0;
    int size = sizeof latency;
    const bool is_known = srt_getsockflag(socket_.get(), SRTO_RCVLATENCY, &latency, &size) == 0;
    return is_known ? milliseconds(latency) : source_.address_.latency;
}

std::size_t SrtSource::Reception::pull(std::span<std::uint8_t> into) {
    // A message must be taken whole; the demuxer may want less.
    while (at_ == size_) {
        at_ = size_ = 0;
        size_ = receive(message_);
        if (size_ > 0) break;
        if (is_over_) return 0;
        if (!goes_on_()) {
            was_cut_off_ = std::chrono::steady_clock::now() - source_.heard_.load() > kCutOff;
            return 0;
        }
        // A socket that is over is always ready.
        if (ended_) {
            std::this_thread::sleep_for(kRest);
        } else {
            static_cast<void>(source_.poll_.wait(kSlice));
        }
        if (source_.turn_away()) {
            end_text_ = "nothing came any more, and another sender did";
            was_cut_off_ = true;
            return 0;
        }
    }
    const std::size_t taken = std::min(into.size(), size_ - at_);
    std::memcpy(into.data(), message_.data() + at_, taken);
    at_ += taken;
    return taken;
}

std::optional<SrtFigures> SrtSource::Reception::srt_figures() {
    const srt::SrtFigures counted = srt::figures_of(socket_.get(), false);
    if (counted.received_packets == 0) return std::nullopt;
    SrtFigures figures;
    figures.rtt_us = counted.rtt_us;
    figures.lost_packets = static_cast<std::uint64_t>(counted.receive_lost_packets);
    figures.dropped_packets = static_cast<std::uint64_t>(counted.receive_drop_packets);
    SRT_TRACEBSTATS buffers{};
    if (srt_bstats(socket_.get(), &buffers, 0) == 0) figures.buffer_ms = buffers.msRcvBuf;
    figures.latency_ms = latency().count();
    return figures;
}

SrtSource::SrtSource(srt::SrtAddress address) : address_(std::move(address)), place_(address_.place()) {
    for (const std::string& warning : address_.warnings)
        note("warning: " + warning);
    // libsrt's own lines say nothing that the errors do not, and would stand between ours.
    srt::set_srt_log({});
    if (address_.mode != srt::Mode::listener) return;
    try {
        listener_ = std::make_unique<srt::SrtListener>(
            address_, poll_,
            [this](const std::string& client, std::string_view streamid) { return admit(client, streamid); });
        place_ = srt::place_of(address_.host, listener_->port());
    } catch (const srt::SrtError& error) {
        throw IngestError(error.what());
    }
}

SrtSource::~SrtSource() = default;

/// On a thread of libsrt.
int SrtSource::admit(const std::string& client, std::string_view streamid) {
    int code = 0;
    std::string reason;
    if (!address_.streamid.empty() && streamid != address_.streamid) {
        code = SRT_REJX_FORBIDDEN;
        reason = "it came with another streamid";
    } else if (is_taken_ && !is_silent()) {
        code = SRT_REJX_CONFLICT;
        reason = "somebody else is sending";
    }
    if (code == 0) return 0;
    ++refused_;
    try {
        note("refused " + client + ": " + reason);
    } catch (const std::bad_alloc&) {
        return code;
    }
    return code;
}

void SrtSource::note(std::string text) {
    const std::scoped_lock lock(mutex_);
    if (notes_.size() < kMostNotes) notes_.push_back(std::move(text));
}

std::vector<std::string> SrtSource::take_notes() {
    if (listener_) {
        for (const std::string& client : listener_->take_failed()) {
            ++refused_;
            note("refused " + client + ": the passphrase is not the same, or it went away");
        }
    }
    const std::scoped_lock lock(mutex_);
    return std::exchange(notes_, {});
}

std::unique_ptr<Connection> SrtSource::connect(const GoesOn& goes_on) {
    return listener_ ? accept(goes_on) : call(goes_on);
}

std::unique_ptr<Connection> SrtSource::accept(const GoesOn& goes_on) {
    while (goes_on()) {
        auto client = next_ ? std::exchange(next_, {}) : listener_->accept();
        if (client) {
            return std::make_unique<Reception>(*this, std::move(client->socket), client->address, goes_on);
        }
        static_cast<void>(poll_.wait(kSlice));
    }
    return nullptr;
}

bool SrtSource::turn_away() {
    if (!listener_) return false;
    while (auto client = listener_->accept()) {
        if (is_silent()) {
            next_ = std::move(client);
            return true;
        }
        // Let in at the same moment as the one that sends now.
        ++refused_;
        note("refused " + client->address + ": somebody else is sending");
    }
    return false;
}

std::unique_ptr<Connection> SrtSource::call(const GoesOn& goes_on) {
    poll_.clear_wake();
    // libsrt's wait knows nothing of a stop: it is on a thread of its own, and woken from here.
    auto calling =
        std::async(std::launch::async, [this] { return srt::connect_srt(address_, poll_, kConnectPatience); });
    bool stops = false;
    while (calling.wait_for(kSlice) != std::future_status::ready) {
        stops = stops || !goes_on();
        if (stops) poll_.wake();
    }
    try {
        srt::SrtSocket socket = calling.get();
        poll_.clear_wake();
        if (stops) return nullptr;
        return std::make_unique<Reception>(*this, std::move(socket), place_, goes_on);
    } catch (const srt::SrtError& error) {
        poll_.clear_wake();
        using Kind = SourceError::Kind;
        if (error.failure() == srt::Failure::interrupted) return nullptr;
        if (error.failure() == srt::Failure::config) throw IngestError(error.what());
        throw SourceError(error.failure() == srt::Failure::rejected ? Kind::rejected : Kind::transient, error.what());
    }
}

}  // namespace ringcast::ingest
