// SPDX-License-Identifier: Apache-2.0
/// An RTMP server of the tests' own: it records every message as it stood on the wire, and answers as it is told to.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ringcast::test {

struct PeerMessage {
    std::uint8_t type = 0;
    std::uint32_t timestamp = 0;  ///< absolute, as sent
    std::uint32_t stream = 0;
    std::vector<std::uint8_t> body;

    [[nodiscard]] std::string text() const { return {body.begin(), body.end()}; }
};

/// What it answers to a command; by default what a server that agrees answers.
struct PeerManners {
    bool shakes_hands = true;
    std::string handshake_instead;  ///< sent instead of a handshake, when not empty
    std::string connect_error;      ///< description of an _error to connect
    std::string publish_code = "NetStream.Publish.Start";
    std::string publish_level = "status";
    std::string publish_description = "Publishing";
    bool answers_publish = true;
    bool closes_at_publish = false;
    int acknowledgements = 0;    ///< so many on each connection, whenever the window the client asked for is full
    int hangs_up_on = 0;         ///< the so-many-th connection ends at once
    bool counts_anew = false;    ///< an acknowledgement has what came since the one before, as livego's
    bool keeps_messages = true;  ///< false: media messages are only counted
};

/// Listens on a loopback port from construction on. All calls from the test's thread.
class RtmpPeer {
public:
    explicit RtmpPeer(PeerManners manners = {});
    RtmpPeer(const RtmpPeer&) = delete;
    RtmpPeer& operator=(const RtmpPeer&) = delete;
    ~RtmpPeer();

    [[nodiscard]] std::string url() const { return "rtmp://127.0.0.1:" + std::to_string(port_) + "/live"; }
    [[nodiscard]] std::vector<PeerMessage> messages() const;
    /// Waits until so many messages of that type have come; false after 20 s.
    bool waits_for(std::uint8_t type, std::size_t count = 1) const;
    /// Sends a message in chunks of its own present size.
    void send(std::uint8_t type, const std::vector<std::uint8_t>& body);
    /// Sends these bytes as they are.
    void send_raw(const std::vector<std::uint8_t>& bytes);
    void set_chunk_size(std::uint32_t size);
    void hang_up();
    /// Bytes, of all connections.
    [[nodiscard]] std::uint64_t read() const { return read_; }
    /// The end of a server that died with something unread: a reset.
    void reset();

    /// For each media message as it comes, before it is kept; on the peer's thread.
    std::function<void(const PeerMessage&)> on_media;

private:
    struct Chunks {
        PeerMessage message;
        std::uint32_t length = 0;
        bool extended = false;
    };

    void serve();
    bool shake_hands();
    bool read(void* into, std::size_t size);
    bool read_chunk();
    void acknowledge();
    void take(const PeerMessage& message);
    void answer(const PeerMessage& message);

    PeerManners manners_;
    int listener_ = -1;
    std::atomic<int> peer_{-1};
    std::uint16_t port_ = 0;
    std::uint32_t in_chunk_ = 128;
    std::uint32_t out_chunk_ = 128;
    std::uint32_t received_ = 0;
    std::atomic<std::uint64_t> read_{0};
    std::uint32_t acknowledged_ = 0;
    std::uint32_t window_ = UINT32_MAX;
    int acknowledgements_left_ = 0;
    std::map<std::uint32_t, Chunks> chunks_;
    mutable std::mutex mutex_;
    std::vector<PeerMessage> messages_;
    std::map<std::uint8_t, std::size_t> counts_;
    std::thread thread_;
};

}  // namespace ringcast::test
