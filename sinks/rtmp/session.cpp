// SPDX-License-Identifier: Apache-2.0
#include "rtmp/session.hpp"

#include <librtmp/log.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <ringcast/sink.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdarg>
#include <cstring>

#include "mux/sink_error.hpp"
#include "rtmp/byte_order.hpp"

namespace ringcast::sink {

using std::chrono::milliseconds;

namespace {

// For connect and for publish each. The host gives up after 8 s, without knowing what was waited for.
constexpr milliseconds kAnswerLimit{7000};
// A server that closes in order so soon after its consent, having acknowledged nothing, may have looked at the key only
// then, or have been restarted: only when it does so again it is the key.
constexpr milliseconds kSecondThoughts{3000};
constexpr std::string_view kFlashVersion = "FMLE/3.0 (compatible; FMSc/1.0)";
constexpr int kLookEvery = 100;  // ms, while held
constexpr int kChunkSize = 4096;
constexpr int kControlChannel = 2;
constexpr int kCommandChannel = 3;
constexpr int kAudioChannel = 4;
constexpr int kVideoChannel = 6;
constexpr int kStreamChannel = 8;

std::array<std::uint8_t, 4> be32(std::uint32_t number) {
    return {static_cast<std::uint8_t>(number >> 24U), static_cast<std::uint8_t>(number >> 16U),
            static_cast<std::uint8_t>(number >> 8U), static_cast<std::uint8_t>(number)};
}

/// librtmp sends without MSG_NOSIGNAL; a host that does not ignore SIGPIPE would die of a lost connection.
void block_sigpipe() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

/// librtmp says stream names and whole messages on some levels; nothing of what it says is for people, and the callback
/// takes none of it on any level.
void silence_librtmp() {
    RTMP_LogSetLevel(RTMP_LOGCRIT);
    RTMP_LogSetCallback([](int, const char*, va_list) {});
}

}  // namespace

RtmpSession::RtmpSession(const SessionParts& parts)
    : target_(parts.target),
      hung_up_before_(parts.hung_up_before),
      sent_(parts.sent),
      sent_before_(parts.sent.load()),
      doubted_(parts.doubted),
      ack_trust_(parts.ack_trust),
      flight_(parts.ack_trust),
      rtmp_(nullptr) {
    doubted_ = 0;
    silence_librtmp();
    block_sigpipe();
    const Patience patience(parts.stop, kAnswerLimit);
    asked_ = "connecting";
    pump_ = std::make_unique<Pump>(Transport(target_, parts.trust, patience), parts.stop, parts.sent);
    pump_->stop_at(patience.end());
    rtmp_.reset(RTMP_Alloc());
    if (!rtmp_) throw SinkError(RINGCAST_SINK_E_INTERNAL, "out of memory");
    RTMP_Init(rtmp_.get());
    rtmp_->m_sb.sb_socket = pump_->take_near_end();
    shake_hands();
    create_stream();
    pump_->never_stop();
    asked_.clear();
}

void RtmpSession::shake_hands() {
    rtmp_->Link.protocol = RTMP_PROTOCOL_RTMP | RTMP_FEATURE_WRITE;
    rtmp_->Link.app = aval(target_.app);
    rtmp_->Link.tcUrl = aval(target_.tc_url);
    rtmp_->Link.flashVer = aval(kFlashVersion);
    asked_ = "shaking hands";
    if (RTMP_Connect1(rtmp_.get(), nullptr) == FALSE) throw_closed();
    asked_ = "asking for the app " + target_.app.substr(0, target_.app.find_first_of("/?"));
    asked_in_rtmp_ = true;
    // librtmp may have read on behind the handshake, and acknowledgements count from the first byte on.
    reader_.feed(
        {reinterpret_cast<const std::uint8_t*>(rtmp_->m_sb.sb_start), static_cast<std::size_t>(rtmp_->m_sb.sb_size)});
    rtmp_->m_sb.sb_size = 0;
    handshake_bytes_ = static_cast<std::uint32_t>(rtmp_->m_nBytesIn);
    const AmfCommand answer = answer_to(1);
    if (answer.name == "_error") reject("the connection", answer);
    send_bytes(RTMP_PACKET_TYPE_CHUNK_SIZE, kControlChannel, 0, 0, be32(kChunkSize));
    rtmp_->m_outChunkSize = kChunkSize;
}

/// With the two commands in front that FMLE-like servers wait for; others answer them with an error, which says
/// nothing.
void RtmpSession::create_stream() {
    for (const std::string_view name : {"releaseStream", "FCPublish"}) {
        AmfWriter arguments;
        command(name, arguments.null().value(target_.stream), kCommandChannel);
    }
    asked_ = "asking for a stream";
    AmfWriter nothing;
    const AmfCommand answer = answer_to(command("createStream", nothing.null(), kCommandChannel));
    if (answer.name == "_error") reject("a stream", answer);
    const double number = answer.number.value_or(1);
    if (!(number >= 1 && number < 4294967296.0))
        throw SinkError(RINGCAST_SINK_E_TRANSIENT, target_.place + " made a stream without a number");
    new_stream_ = static_cast<std::uint32_t>(number);
}

void RtmpSession::publish() {
    asked_ = "asking to publish";
    pump_->stop_at(std::chrono::steady_clock::now() + kAnswerLimit);
    AmfWriter arguments;
    command("publish", arguments.null().value(target_.stream).value(std::string_view("live")), kStreamChannel,
            new_stream_);
    while (stream_ == 0)
        hear(true);
    consent_ = std::chrono::steady_clock::now();
    pump_->never_stop();
    asked_.clear();
}

double RtmpSession::command(std::string_view name, AmfWriter& arguments, int channel, std::uint32_t stream) {
    AmfWriter head;
    head.value(name).value(++transaction_);
    send_bytes(RTMP_PACKET_TYPE_INVOKE, channel, stream, 0, head.bytes(), arguments.bytes());
    return transaction_;
}

void RtmpSession::send(Kind kind, std::uint32_t timestamp_ms, std::span<const std::uint8_t> head,
                       std::span<const std::uint8_t> data) {
    wait_for_room(head.size() + data.size());
    const int channel = kind == Kind::video ? kVideoChannel : kAudioChannel;
    send_bytes(static_cast<std::uint8_t>(kind), channel, stream_, timestamp_ms, head, data);
    pump_->wait_while_congested();
    flight_.on_sent(sent_.load() - sent_before_, std::chrono::steady_clock::now());
    note_doubt();
}

void RtmpSession::note_doubt() {
    if (!flight_.is_in_doubt(std::chrono::steady_clock::now()))
        doubted_ = 0;
    else if (doubted_ == 0)
        doubted_ = sent_.load();
}

void RtmpSession::wait_for_room(std::uint64_t bytes) {
    const auto now = std::chrono::steady_clock::now;
    held_ = true;
    while (flight_.is_full_for(bytes, now())) {
        pollfd look{RTMP_Socket(rtmp_.get()), POLLIN, 0};
        if (::poll(&look, 1, kLookEvery) > 0) hear(true);
        flight_.on_held(pump_->is_taken(), now());
    }
    held_ = false;
    note_doubt();
}

void RtmpSession::expect_rate(std::uint64_t bytes_per_second) {
    flight_.expect(bytes_per_second);
    ask_for_window();
}

void RtmpSession::ask_for_window() {
    if (hanging_up_ || asked_window_ == flight_.window()) return;
    asked_window_ = flight_.window();
    send_bytes(RTMP_PACKET_TYPE_SERVER_BW, kControlChannel, 0, 0, be32(asked_window_));
}

/// Always with a full header: an absolute time cannot drift, and a server that joins in the middle understands it.
void RtmpSession::send_bytes(std::uint8_t type, int channel, std::uint32_t stream, std::uint32_t timestamp,
                             std::span<const std::uint8_t> head, std::span<const std::uint8_t> data) {
    if (hanging_up_) throw_closed();
    message_.resize(RTMP_MAX_HEADER_SIZE + head.size() + data.size());
    char* const body = message_.data() + RTMP_MAX_HEADER_SIZE;
    std::memcpy(body, head.data(), head.size());
    if (!data.empty()) std::memcpy(body + head.size(), data.data(), data.size());
    RTMPPacket packet{};
    packet.m_headerType = RTMP_PACKET_SIZE_LARGE;
    packet.m_packetType = type;
    packet.m_nChannel = channel;
    packet.m_nTimeStamp = timestamp;
    packet.m_nInfoField2 = static_cast<std::int32_t>(stream);
    packet.m_nBodySize = static_cast<std::uint32_t>(head.size() + data.size());
    packet.m_body = body;
    if (RTMP_IsConnected(rtmp_.get()) == FALSE) throw_closed();
    // librtmp closes its socket, our near end, when a send fails; what the server said last is read before.
    const int near = RTMP_Socket(rtmp_.get());
    pollfd look{near, POLLOUT, 0};
    if (::poll(&look, 1, -1) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0) {
        hanging_up_ = true;
        hear(false);
        throw_closed();
    }
    if (RTMP_SendPacket(rtmp_.get(), &packet, FALSE) == FALSE) throw_closed();
}

AmfCommand RtmpSession::answer_to(double transaction) {
    answer_ = {};
    while (answer_.transaction != transaction)
        hear(true);
    return answer_;
}

void RtmpSession::listen() {
    hear(false);
}

/// Reads what has come, at least something when `wait` is set; the pump ends the wait when time is up.
void RtmpSession::hear(bool wait) {
    try {
        while (const auto message = reader_.next()) {
            handle(*message);
            if (wait) return;
        }
        std::array<std::uint8_t, 4096> bytes{};
        for (;;) {
            const ssize_t count = ::recv(RTMP_Socket(rtmp_.get()), bytes.data(), bytes.size(), wait ? 0 : MSG_DONTWAIT);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0 && !wait && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
            if (count <= 0) throw_closed();
            reader_.feed(std::span(bytes).first(static_cast<std::size_t>(count)));
            while (const auto message = reader_.next())
                handle(*message);
            acknowledge();
            if (wait) return;
        }
    } catch (const RtmpGarbage& garbage) {
        throw SinkError(RINGCAST_SINK_E_TRANSIENT,
                        target_.place + " sent " + garbage.what() + "; is it an RTMP server?");
    }
}

/// Servers that count (SetWindowAck) stop listening to a peer that never says how far it has read.
void RtmpSession::acknowledge() {
    const std::uint32_t received = handshake_bytes_ + reader_.received();
    if (hanging_up_ || received - acknowledged_ < window_ / 2) return;
    acknowledged_ = received;
    send_bytes(RTMP_PACKET_TYPE_BYTES_READ_REPORT, kControlChannel, 0, 0, be32(acknowledged_));
}

void RtmpSession::handle(const RtmpMessage& message) {
    switch (message.type) {
        case RTMP_PACKET_TYPE_BYTES_READ_REPORT:
            note_acknowledgement(message.body);
            break;
        case RTMP_PACKET_TYPE_CONTROL:
        case RTMP_PACKET_TYPE_SERVER_BW:
        case RTMP_PACKET_TYPE_CLIENT_BW:
            if (!hanging_up_) handle_number(message);
            break;
        case RTMP_PACKET_TYPE_INVOKE:
        case RTMP_PACKET_TYPE_FLEX_MESSAGE:
            handle_command(message);
            break;
        default:
            break;
    }
}

void RtmpSession::note_acknowledgement(std::span<const std::uint8_t> body) {
    acknowledges_ = true;
    if (body.size() < 4) return;
    tcp_info network{};
    socklen_t size = sizeof network;
    ::getsockopt(pump_->socket(), IPPROTO_TCP, TCP_INFO, &network, &size);
    const auto now = std::chrono::steady_clock::now();
    flight_.on_sent(sent_.load() - sent_before_, now);
    flight_.on_acknowledged(read_be32(body), std::chrono::microseconds(network.tcpi_rtt), now);
    if (flight_.miscounts()) ack_trust_ = AckTrust::none;
    // Before the stream begins its rate is not known.
    if (asked_window_ != UINT32_MAX) ask_for_window();
}

void RtmpSession::handle_number(const RtmpMessage& message) {
    constexpr std::uint8_t kPing = 6;
    constexpr std::uint8_t kPong = 7;
    const std::span<const std::uint8_t> body(message.body);
    if (message.type == RTMP_PACKET_TYPE_CONTROL) {
        if (body.size() < 6 || body[0] != 0 || body[1] != kPing) return;
        const std::array<std::uint8_t, 6> pong{0, kPong, body[2], body[3], body[4], body[5]};
        send_bytes(RTMP_PACKET_TYPE_CONTROL, kControlChannel, 0, 0, pong);
        return;
    }
    if (body.size() < 4) return;
    const std::uint32_t number = read_be32(body);
    if (message.type == RTMP_PACKET_TYPE_SERVER_BW) {
        window_ = std::max<std::uint32_t>(number, 2);
    } else {
        // "Set peer bandwidth" asks for our window in return.
        send_bytes(RTMP_PACKET_TYPE_SERVER_BW, kControlChannel, 0, 0, be32(std::min(number, asked_window_)));
    }
}

void RtmpSession::handle_command(const RtmpMessage& message) {
    std::span<const std::uint8_t> body(message.body);
    // An AMF3 command message begins with a format byte and goes on in AMF0.
    if (message.type == RTMP_PACKET_TYPE_FLEX_MESSAGE && !body.empty()) body = body.subspan(1);
    auto command = read_command(body);
    if (!command) return;
    if (command->name == "_result" || command->name == "_error") {
        answer_ = std::move(*command);
    } else if (command->name == "onStatus") {
        handle_status(*command);
    }
}

void RtmpSession::handle_status(const AmfCommand& status) {
    if (status.level == "error" || status.code == "NetStream.Publish.BadName" ||
        status.code == "NetStream.Publish.Denied" || status.code == "NetConnection.Connect.Rejected") {
        reject(stream_ == 0 ? "the stream key" : "the stream", status);
    }
    if (status.code == "NetStream.Publish.Start") stream_ = new_stream_;
    if (status.code == "NetStream.Unpublish.Success" || status.code == "NetConnection.Connect.Closed") {
        throw SinkError(RINGCAST_SINK_E_TRANSIENT,
                        target_.place + " ended the stream (" + without_key(status.words(), target_) + ")");
    }
}

void RtmpSession::reject(const std::string& asked, const AmfCommand& answer) const {
    throw SinkError(RINGCAST_SINK_E_REJECTED,
                    target_.place + " refused " + asked + ": " + without_key(answer.words(), target_));
}

/// A server that closes in order in the middle of an answer has answered.
void RtmpSession::throw_closed() {
    const std::string doing = asked_.empty() ? "" : " while " + asked_;
    switch (pump_->end()) {
        case PumpEnd::interrupted:
            throw SinkError(RINGCAST_SINK_E_INTERRUPTED, "stopped" + doing);
        case PumpEnd::timed_out:
            throw SinkError(RINGCAST_SINK_E_TRANSIENT,
                            "no answer from " + target_.place + " within " + seconds_text(kAnswerLimit) + doing);
        case PumpEnd::lost:
            throw SinkError(RINGCAST_SINK_E_TRANSIENT,
                            "lost the connection to " + target_.place + doing + ": " + pump_->reason());
        case PumpEnd::open:
        case PumpEnd::finished:
            throw SinkError(RINGCAST_SINK_E_TRANSIENT,
                            target_.place + " does not answer as an RTMP server does" + doing);
        default:
            break;
    }
    if (asked_in_rtmp_ && !asked_.empty()) {
        throw SinkError(
            RINGCAST_SINK_E_REJECTED,
            target_.place + " hung up" + doing + (new_stream_ != 0 ? ": wrong key, or one in use?" : ": no such app?"));
    }
    check_second_thoughts();
    throw SinkError(RINGCAST_SINK_E_TRANSIENT, target_.place + " closed the connection" + doing);
}

void RtmpSession::check_second_thoughts() {
    const auto lasted = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - consent_);
    if (!publishes() || acknowledges_ || lasted >= kSecondThoughts) return;
    hung_up_early_ = true;
    if (hung_up_before_) {
        throw SinkError(RINGCAST_SINK_E_REJECTED,
                        target_.place + " hung up right after its consent, again: wrong key, or one in use?");
    }
    throw SinkError(RINGCAST_SINK_E_TRANSIENT, target_.place + " closed " + seconds_text(lasted) +
                                                   " after its consent (server restarted? wrong key?)");
}

void RtmpSession::goodbye(milliseconds limit) {
    if (!publishes() || !is_open()) return;
    pump_->stop_at(std::chrono::steady_clock::now() + limit);
    try {
        AmfWriter name;
        command("FCUnpublish", name.null().value(target_.stream), kCommandChannel);
        AmfWriter number;
        command("deleteStream", number.null().value(static_cast<double>(stream_)), kCommandChannel);
    } catch (const SinkError&) {
        return;  // it is over anyway
    }
    RTMP_Close(rtmp_.get());
    pump_->finish();
}

}  // namespace ringcast::sink
