// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mux/unique_fd.hpp"
#include "rtmp/amf.hpp"
#include "rtmp/chunk_reader.hpp"

namespace ringcast::ingest {

/// One who has connected to our RTMP port: greeted, asked what it wants, and told yes or no. Once it publishes, its
/// messages are FLV tags. Everything it sends is outside data. Thread safety: none.
class RtmpGuest {
public:
    /// What somebody may ask for. `is_taken` may change while it talks.
    struct House {
        const std::string& app;
        const std::string& key;  ///< empty: any
        const bool& is_taken;
    };
    enum class State {
        talking,
        publishing,
        leaving,  ///< it was told no, or has ended its stream: the close is its own
        gone,
    };

    RtmpGuest(sink::UniqueFd socket, std::string address, House house);

    /// Reads what is there without waiting.
    void hear();
    /// Its media as FLV, for the reader to take out.
    [[nodiscard]] std::vector<std::uint8_t>& media() noexcept { return media_; }
    /// Sends what still waits to be sent, as far as the socket takes it.
    void flush();

    /// Ends it at once.
    void drop(std::string reason) {
        leave(std::move(reason));
        state_ = State::gone;
    }

    [[nodiscard]] State state() const noexcept { return state_; }
    [[nodiscard]] int socket() const noexcept { return socket_.get(); }
    [[nodiscard]] bool wants_to_send() const noexcept { return !unsent_.empty(); }
    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    /// When it came, or began to leave.
    [[nodiscard]] std::chrono::steady_clock::time_point since() const noexcept { return since_; }
    [[nodiscard]] std::chrono::steady_clock::time_point heard() const noexcept { return heard_; }
    [[nodiscard]] bool has_published() const noexcept { return has_published_; }
    /// Why it was told no, or left; one line.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    [[nodiscard]] std::uint64_t received() const noexcept { return received_; }

private:
    using Bytes = std::span<const std::uint8_t>;

    bool shake_hands();
    void take(const sink::RtmpMessage& message);
    void command(Bytes body);
    void connect(const sink::AmfCommand& command);
    void publish(const sink::AmfCommand& command);
    void answer(std::string_view name, double transaction, std::string_view level, std::string_view code,
                std::string_view description, std::uint32_t stream = 0);
    void send(std::uint8_t type, std::uint32_t stream, Bytes body);
    void send_number(std::uint8_t type, std::uint32_t number);
    void acknowledge();
    void refuse(std::string reason);
    void leave(std::string reason);

    sink::UniqueFd socket_;
    std::string address_;
    House house_;
    State state_ = State::talking;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    std::vector<std::uint8_t> greeting_;  ///< bytes of the handshake so far
    bool has_greeted_ = false;
    bool has_shaken_ = false;
    bool is_connected_ = false;
    bool has_published_ = false;
    bool has_header_ = false;
    sink::ChunkReader reader_;  ///< of a stranger it takes no more than commands need
    std::vector<std::uint8_t> unsent_;
    std::uint32_t acknowledged_ = 0;
    std::uint64_t received_ = 0;
    std::chrono::steady_clock::time_point heard_ = since_;
    std::vector<std::uint8_t> media_;
    std::string reason_;
};

}  // namespace ringcast::ingest
