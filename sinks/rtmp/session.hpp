// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librtmp/rtmp.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rtmp/amf.hpp"
#include "rtmp/chunk_reader.hpp"
#include "rtmp/flight.hpp"
#include "rtmp/pump.hpp"
#include "rtmp/target.hpp"

namespace ringcast::sink {

/// What a session needs of its sink; all of it outlives the session.
struct SessionParts {
    const RtmpTarget& target;
    TlsTrust& trust;
    const StopSignal& stop;
    std::atomic<std::uint64_t>& sent;
    std::atomic<std::uint64_t>& doubted;  ///< what was sent when Flight::is_in_doubt() began; 0: it is not
    bool hung_up_before;                  ///< the session before was hung_up_early()
    AckTrust& ack_trust;                  ///< `none` once the server's acknowledgements were no count
};

/// One RTMP connection as a publisher: librtmp shakes hands, says connect and cuts messages into chunks; commands,
/// answers and everything the server says are read here. Errors are SinkError: TRANSIENT, REJECTED with the server's
/// words, INTERRUPTED. Life cycle: the constructor connects; publish() once; send()* and listen()*; goodbye() or not;
/// destruction. Thread safety: none.
class RtmpSession {
public:
    explicit RtmpSession(const SessionParts& parts);
    RtmpSession(const RtmpSession&) = delete;
    RtmpSession& operator=(const RtmpSession&) = delete;
    ~RtmpSession() = default;

    /// Asks for the right to publish and waits for the answer.
    void publish();
    [[nodiscard]] bool publishes() const noexcept { return stream_ != 0; }

    enum class Kind : std::uint8_t { audio = 8, video = 9, metadata = 18 };
    /// Sends one message whose body is `head` and `data`. Blocks while the network does, and while so much is under way
    /// that the server would read this one late.
    void send(Kind kind, std::uint32_t timestamp_ms, std::span<const std::uint8_t> head,
              std::span<const std::uint8_t> data = {});

    /// What follows is a stream of that rate: asks the server to say often enough how far it has read.
    void expect_rate(std::uint64_t bytes_per_second);

    /// Hears what the server has said meanwhile: answers pings, acknowledges; throws when it ended the stream.
    void listen();

    /// The server closed in order soon after its consent: it did not like the key, or was restarted.
    [[nodiscard]] bool hung_up_early() const noexcept { return hung_up_early_; }

    /// The newest send() waited for an acknowledgement when it ended.
    [[nodiscard]] bool was_held() const noexcept { return held_; }
    /// It could be: acknowledgements come often enough.
    [[nodiscard]] bool believes_acknowledgements() const { return flight_.is_believed(); }

    /// False once the connection is over.
    [[nodiscard]] bool is_open() const { return pump_->end() == PumpEnd::open; }

    /// Ends the stream in order: all that was sent gets there, at most within `limit`.
    void goodbye(std::chrono::milliseconds limit);

private:
    // librtmp says no farewell of its own here (it could block): it never learns the number of our stream.
    struct RtmpDeleter {
        void operator()(RTMP* rtmp) const noexcept {
            RTMP_Close(rtmp);
            RTMP_Free(rtmp);
        }
    };

    void shake_hands();
    void create_stream();
    double command(std::string_view name, AmfWriter& arguments, int channel, std::uint32_t stream = 0);
    void send_bytes(std::uint8_t type, int channel, std::uint32_t stream, std::uint32_t timestamp,
                    std::span<const std::uint8_t> head, std::span<const std::uint8_t> data = {});
    AmfCommand answer_to(double transaction);
    void wait_for_room(std::uint64_t bytes);
    void note_doubt();
    void hear(bool wait);
    void acknowledge();
    void ask_for_window();
    void note_acknowledgement(std::span<const std::uint8_t> body);
    void handle(const RtmpMessage& message);
    void handle_number(const RtmpMessage& message);
    void handle_command(const RtmpMessage& message);
    void handle_status(const AmfCommand& status);
    [[noreturn]] void reject(const std::string& asked, const AmfCommand& answer) const;
    [[noreturn]] void throw_closed();
    void check_second_thoughts();

    const RtmpTarget target_;
    const bool hung_up_before_;
    bool hung_up_early_ = false;
    const std::atomic<std::uint64_t>& sent_;  ///< of all sessions
    const std::uint64_t sent_before_;
    std::atomic<std::uint64_t>& doubted_;
    AckTrust& ack_trust_;
    Flight flight_;
    bool held_ = false;
    bool hanging_up_ = false;  ///< the connection is over, only the server's last words are left: nothing is answered
    std::unique_ptr<Pump> pump_;
    std::unique_ptr<RTMP, RtmpDeleter> rtmp_;  ///< goes before pump_: it owns the near end
    ChunkReader reader_;
    AmfCommand answer_;  ///< the newest _result or _error
    std::string asked_;  ///< what the server is to answer now, for messages; empty: nothing
    bool asked_in_rtmp_ = false;
    double transaction_ = 1;  ///< librtmp's connect has 1
    std::uint32_t stream_ = 0;
    std::uint32_t new_stream_ = 0;
    std::chrono::steady_clock::time_point consent_;
    bool acknowledges_ = false;
    std::uint32_t asked_window_ = UINT32_MAX;
    std::uint32_t window_ = 2'500'000;
    std::uint32_t handshake_bytes_ = 0;
    std::uint32_t acknowledged_ = 0;
    std::vector<char> message_;
};

}  // namespace ringcast::sink
