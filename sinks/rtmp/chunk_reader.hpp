// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace ringcast::sink {

/// One RTMP message of the peer.
struct RtmpMessage {
    std::uint8_t type = 0;
    std::uint32_t timestamp_ms = 0;  ///< modulo 2^32
    std::vector<std::uint8_t> body;
};

/// The peer sent what no RTMP peer sends.
class RtmpGarbage : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Puts the peer's messages together from bytes as they come. Our own, because librtmp's reader blocks in the middle
/// of a message and writes past its buffer when a chunk changes the size of one (docs/decisions/0011). Bytes are
/// outside data: the size of a message is bounded, and so is that of all unfinished ones together. Thread safety: none.
class ChunkReader {
public:
    /// What a publisher hears: commands and figures; real ones stay below 2 KB.
    static constexpr std::size_t kMostCommandBytes = 16 * 1024;

    explicit ChunkReader(std::size_t most_message_bytes = kMostCommandBytes) : most_bytes_(most_message_bytes) {}

    /// From now on messages may be so long.
    void allow(std::size_t most_message_bytes) { most_bytes_ = most_message_bytes; }

    void feed(std::span<const std::uint8_t> bytes);

    /// The next whole message, nullopt when more bytes are needed. A new chunk size is taken before it is returned.
    /// Throws RtmpGarbage.
    std::optional<RtmpMessage> next();

    /// All bytes fed so far, modulo 2^32, as acknowledgements count.
    [[nodiscard]] std::uint32_t received() const noexcept { return received_; }

private:
    struct Channel {
        std::uint32_t timestamp_field = 0;  ///< absolute or a step, as the newest header with one says
        std::uint32_t timestamp = 0;
        std::uint32_t length = 0;
        std::uint8_t type = 0;
        bool known = false;
        std::vector<std::uint8_t> body;

        [[nodiscard]] Channel without_body() const { return {timestamp_field, timestamp, length, type, known, {}}; }
    };
    struct Header {
        std::uint32_t channel = 0;
        unsigned format = 0;
        std::size_t size = 0;
    };

    [[nodiscard]] std::span<const std::uint8_t> rest() const { return std::span(bytes_).subspan(at_); }
    [[nodiscard]] std::optional<Header> basic_header() const;
    bool take_chunk(std::optional<RtmpMessage>& message);
    void release(std::vector<std::uint8_t>& body);
    void finish(Channel& channel, std::optional<RtmpMessage>& message);

    std::size_t most_bytes_;
    std::vector<std::uint8_t> bytes_;
    std::size_t at_ = 0;
    std::map<std::uint32_t, Channel> channels_;
    std::size_t held_ = 0;  ///< bytes of all unfinished messages
    std::uint32_t chunk_size_ = 128;
    std::uint32_t received_ = 0;
};

}  // namespace ringcast::sink
