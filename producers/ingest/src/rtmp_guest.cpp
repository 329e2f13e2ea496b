// SPDX-License-Identifier: Apache-2.0
#include "rtmp_guest.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "rtmp/byte_order.hpp"

namespace ringcast::ingest {
namespace {

using sink::AmfWriter;

constexpr std::size_t kSignature = 1536;
constexpr std::uint8_t kVersion = 3;
constexpr std::size_t kChunk = 128;  // what every peer takes without being told
constexpr std::uint32_t kWindow = 2'500'000;
constexpr std::uint32_t kStream = 1;
constexpr std::size_t kMostMessage = 7 * 1024 * 1024;  // a record on the bus is at most half its ring, 8 MB
constexpr std::size_t kMostUnsent = 256 * 1024;

enum Type : std::uint8_t {
    kAcknowledgement = 3,
    kUserControl = 4,
    kWindowSize = 5,
    kPeerBandwidth = 6,
    kAudio = 8,
    kVideo = 9,
    kData = 18,
    kCommand = 20,
};

void append_be(std::vector<std::uint8_t>& bytes, std::uint32_t number, unsigned count) {
    for (unsigned shift = 8 * count; shift > 0; shift -= 8)
        bytes.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
}

/// A message as an FLV tag.
void append_tag(std::vector<std::uint8_t>& flv, const sink::RtmpMessage& message, std::span<const std::uint8_t> body) {
    constexpr std::uint32_t kTagHeader = 11;
    flv.push_back(message.type);
    append_be(flv, static_cast<std::uint32_t>(body.size()), 3);
    append_be(flv, message.timestamp_ms & 0xFFFFFFU, 3);
    flv.push_back(static_cast<std::uint8_t>(message.timestamp_ms >> 24U));
    append_be(flv, 0, 3);
    flv.insert(flv.end(), body.begin(), body.end());
    append_be(flv, static_cast<std::uint32_t>(body.size()) + kTagHeader, 4);
}

/// onMetaData as FLV has it: without the publisher's "@setDataFrame" in front.
std::span<const std::uint8_t> without_set_data_frame(std::span<const std::uint8_t> body) {
    constexpr std::string_view kWord = "@setDataFrame";
    constexpr std::size_t kHead = 3;  // type and length of the string
    if (body.size() < kHead + kWord.size() || std::memcmp(body.data() + kHead, kWord.data(), kWord.size()) != 0)
        return body;
    return body.subspan(kHead + kWord.size());
}

}  // namespace

RtmpGuest::RtmpGuest(sink::UniqueFd socket, std::string address, House house)
    : socket_(std::move(socket)), address_(std::move(address)), house_(house) {}

void RtmpGuest::hear() {
    std::array<std::uint8_t, 64 * 1024> buffer;
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    if (got <= 0) {
        if (reason_.empty()) reason_ = got == 0 ? "it closed the connection" : std::strerror(errno);
        state_ = State::gone;
        return;
    }
    received_ += static_cast<std::uint64_t>(got);
    heard_ = std::chrono::steady_clock::now();
    if (state_ == State::leaving) return;
    const Bytes bytes(buffer.data(), static_cast<std::size_t>(got));
    try {
        if (has_shaken_) {
            reader_.feed(bytes);
        } else {
            greeting_.insert(greeting_.end(), bytes.begin(), bytes.end());
            if (!shake_hands()) return;
        }
        while (state_ != State::leaving) {
            const auto message = reader_.next();
            if (!message) break;
            take(*message);
        }
        acknowledge();
    } catch (const sink::RtmpGarbage& garbage) {
        reason_ = std::string("it sent ") + garbage.what();
        state_ = State::gone;
    }
}

/// The plain handshake: version bytes of 0 tell the other end that no digest is wanted.
bool RtmpGuest::shake_hands() {
    if (greeting_.front() != kVersion) throw sink::RtmpGarbage("no RTMP");
    if (!has_greeted_ && greeting_.size() >= 1 + kSignature) {
        unsent_.push_back(kVersion);
        unsent_.resize(1 + kSignature);
        unsent_.insert(unsent_.end(), greeting_.begin() + 1, greeting_.begin() + 1 + kSignature);
        has_greeted_ = true;
        flush();
    }
    if (greeting_.size() < 1 + 2 * kSignature) return false;
    has_shaken_ = true;
    reader_.feed(Bytes(greeting_).subspan(1 + 2 * kSignature));
    greeting_.clear();
    return true;
}

void RtmpGuest::take(const sink::RtmpMessage& message) {
    if (message.type == kCommand) return command(message.body);
    const bool is_media = message.type == kAudio || message.type == kVideo || message.type == kData;
    if (!is_media || state_ != State::publishing || message.body.empty()) return;
    if (!std::exchange(has_header_, true)) {
        constexpr std::uint8_t kHeader[] = {'F', 'L', 'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 0};
        media_.insert(media_.end(), std::begin(kHeader), std::end(kHeader));
    }
    append_tag(media_, message, message.type == kData ? without_set_data_frame(message.body) : Bytes(message.body));
}

void RtmpGuest::command(Bytes body) {
    if (body.size() > sink::ChunkReader::kMostCommandBytes)
        throw sink::RtmpGarbage("a command of " + std::to_string(body.size()) + " bytes");
    const auto command = sink::read_command(body);
    if (!command) throw sink::RtmpGarbage("a command that is none");
    const std::string& name = command->name;
    if (name == "connect") return connect(*command);
    if (!is_connected_) return refuse("it asked for " + name + " before it connected");
    if (name == "createStream" || name == "releaseStream" || name == "FCPublish") {
        AmfWriter words;
        words.value(std::string_view("_result")).value(command->transaction).null();
        if (name == "createStream") words.value(static_cast<double>(kStream));
        send(kCommand, 0, words.bytes());
    } else if (name == "publish") {
        publish(*command);
    } else if (name == "play") {
        answer("onStatus", 0, "error", "NetStream.Play.StreamNotFound", "This port takes a publisher.", kStream);
        refuse("it wanted to play");
    } else if ((name == "deleteStream" || name == "closeStream") && state_ == State::publishing) {
        leave("it ended its stream");
    }
}

void RtmpGuest::connect(const sink::AmfCommand& command) {
    std::string_view app = command.app;
    while (app.ends_with('/'))
        app.remove_suffix(1);
    if (app != house_.app) {
        answer("_error", command.transaction, "error", "NetConnection.Connect.Rejected", "There is no such app here.");
        return refuse("it asked for another app");
    }
    is_connected_ = true;
    send_number(kWindowSize, kWindow);
    std::vector<std::uint8_t> bandwidth;
    append_be(bandwidth, kWindow, 4);
    bandwidth.push_back(2);  // dynamic
    send(kPeerBandwidth, 0, bandwidth);
    answer("_result", command.transaction, "status", "NetConnection.Connect.Success", "Connection succeeded.");
}

void RtmpGuest::publish(const sink::AmfCommand& command) {
    const std::string_view asked = command.texts.empty() ? std::string_view{} : std::string_view(command.texts.front());
    const bool without_arguments = house_.key.find('?') == std::string::npos;
    const std::string_view key = without_arguments ? asked.substr(0, asked.find('?')) : asked;
    if (!house_.key.empty() && key != house_.key) {
        answer("onStatus", 0, "error", "NetStream.Publish.BadName", "This stream is not expected here.", kStream);
        return refuse("it came with another key");
    }
    if (house_.is_taken) {
        answer("onStatus", 0, "error", "NetStream.Publish.BadName", "Somebody else is publishing here.", kStream);
        return refuse("somebody else is publishing");
    }
    std::vector<std::uint8_t> begin;
    append_be(begin, 0, 2);
    append_be(begin, kStream, 4);
    send(kUserControl, 0, begin);
    answer("onStatus", 0, "status", "NetStream.Publish.Start", "Publishing.", kStream);
    state_ = State::publishing;
    has_published_ = true;
    reader_.allow(kMostMessage);
}

void RtmpGuest::answer(std::string_view name, double transaction, std::string_view level, std::string_view code,
                       std::string_view description, std::uint32_t stream) {
    AmfWriter words;
    words.value(name).value(transaction).null();
    words.object({{"level", level}, {"code", code}, {"description", description}});
    send(kCommand, stream, words.bytes());
}

void RtmpGuest::send_number(std::uint8_t type, std::uint32_t number) {
    std::vector<std::uint8_t> body;
    append_be(body, number, 4);
    send(type, 0, body);
}

void RtmpGuest::send(std::uint8_t type, std::uint32_t stream, Bytes body) {
    if (unsent_.size() + body.size() > kMostUnsent) throw sink::RtmpGarbage("questions and took no answers");
    const std::uint8_t channel = type == kCommand ? 3 : 2;
    unsent_.push_back(channel);
    append_be(unsent_, 0, 3);
    append_be(unsent_, static_cast<std::uint32_t>(body.size()), 3);
    unsent_.push_back(type);
    for (unsigned shift = 0; shift < 32; shift += 8)  // the one little-endian number of RTMP
        unsent_.push_back(static_cast<std::uint8_t>(stream >> shift));
    for (std::size_t at = 0; at < body.size(); at += kChunk) {
        if (at > 0) unsent_.push_back(static_cast<std::uint8_t>(0xC0U | channel));
        const Bytes part = body.subspan(at, std::min(kChunk, body.size() - at));
        unsent_.insert(unsent_.end(), part.begin(), part.end());
    }
    flush();
}

void RtmpGuest::flush() {
    if (unsent_.empty()) return;
    const ssize_t sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) unsent_.erase(unsent_.begin(), unsent_.begin() + sent);
    // That it is over is heard when reading. Who was told no reads that to its end, and closes.
    if (unsent_.empty() && state_ == State::leaving) ::shutdown(socket_.get(), SHUT_WR);
}

void RtmpGuest::acknowledge() {
    if (reader_.received() - acknowledged_ < kWindow / 2) return;
    acknowledged_ = reader_.received();
    send_number(kAcknowledgement, acknowledged_);
}

void RtmpGuest::refuse(std::string reason) {
    leave(std::move(reason));
    flush();
    if (unsent_.empty()) ::shutdown(socket_.get(), SHUT_WR);
}

void RtmpGuest::leave(std::string reason) {
    reason_ = std::move(reason);
    state_ = State::leaving;
    since_ = std::chrono::steady_clock::now();
}

}  // namespace ringcast::ingest
