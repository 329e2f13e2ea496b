// SPDX-License-Identifier: Apache-2.0
#include "rtmp/chunk_reader.hpp"

#include <algorithm>

#include "rtmp/byte_order.hpp"

namespace ringcast::sink {

namespace {

constexpr std::uint8_t kSetChunkSize = 1;
constexpr std::uint8_t kAbort = 2;
constexpr std::uint32_t kExtended = 0xFFFFFF;
constexpr std::size_t kMostChannels = 32;
constexpr std::size_t kHeaderBytes[] = {11, 7, 3, 0};

}  // namespace

void ChunkReader::feed(std::span<const std::uint8_t> bytes) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    received_ += static_cast<std::uint32_t>(bytes.size());
}

std::optional<RtmpMessage> ChunkReader::next() {
    std::optional<RtmpMessage> message;
    while (!message && take_chunk(message)) {
    }
    return message;
}

std::optional<ChunkReader::Header> ChunkReader::basic_header() const {
    const auto bytes = rest();
    if (bytes.empty()) return std::nullopt;
    Header header{.channel = bytes[0] & 0x3FU, .format = static_cast<unsigned>(bytes[0] >> 6U), .size = 1};
    if (header.channel < 2) header.size += header.channel + 1;
    if (bytes.size() < header.size) return std::nullopt;
    if (header.size == 2) header.channel = 64U + bytes[1];
    if (header.size == 3) header.channel = 64U + bytes[1] + 256U * bytes[2];
    return header;
}

/// False: more bytes are needed. A chunk is taken whole or not at all.
bool ChunkReader::take_chunk(std::optional<RtmpMessage>& message) {
    const auto header = basic_header();
    if (!header) return false;
    const std::size_t fields = kHeaderBytes[header->format];
    auto bytes = rest();
    if (bytes.size() < header->size + fields) return false;
    bytes = bytes.subspan(header->size);

    const auto known = channels_.find(header->channel);
    if (known == channels_.end() && channels_.size() >= kMostChannels) throw RtmpGarbage("too many chunk streams");
    const Channel before = known == channels_.end() ? Channel{} : known->second.without_body();
    const std::size_t held = known == channels_.end() ? 0 : known->second.body.size();
    Channel next = before;
    if (header->format != 0 && !next.known) throw RtmpGarbage("a chunk that goes on with nothing");
    if (fields > 0 && held > 0) throw RtmpGarbage("a message that begins inside another");
    if (fields >= 3) next.timestamp_field = read_be24(bytes);
    if (fields >= 7) {
        next.length = read_be24(bytes.subspan(3));
        next.type = bytes[6];
        if (next.length > most_bytes_) throw RtmpGarbage("a message of " + std::to_string(next.length) + " bytes");
    }
    next.known = true;
    const std::size_t extended = next.timestamp_field == kExtended ? 4 : 0;
    const std::size_t part = std::min<std::size_t>(chunk_size_, next.length - held);
    if (bytes.size() < fields + extended + part) return false;
    if (held == 0) {
        const std::uint32_t time = extended > 0 ? read_be32(bytes.subspan(fields)) : next.timestamp_field;
        // Without a header of its own a message takes the step before again.
        next.timestamp = header->format == 0 ? time : before.timestamp + time;
    }
    const auto body = bytes.subspan(fields + extended, part);
    // Sound may stand between the parts of the largest picture.
    if (held_ + part > most_bytes_ + kMostCommandBytes) throw RtmpGarbage("too many unfinished messages");
    Channel& channel = channels_[header->channel];
    next.body = std::move(channel.body);
    channel = std::move(next);
    channel.body.insert(channel.body.end(), body.begin(), body.end());
    held_ += part;
    at_ += header->size + fields + extended + part;
    if (channel.body.size() == channel.length) finish(channel, message);
    return true;
}

void ChunkReader::release(std::vector<std::uint8_t>& body) {
    held_ -= body.size();
    body = {};
}

void ChunkReader::finish(Channel& channel, std::optional<RtmpMessage>& message) {
    message = RtmpMessage{channel.type, channel.timestamp, {}};
    message->body.swap(channel.body);
    held_ -= message->body.size();
    const bool has_number = message->body.size() >= 4;
    if (channel.type == kSetChunkSize && has_number) {
        const std::uint32_t size = read_be32(message->body);
        if (size == 0 || size > 0x7FFFFFFF) throw RtmpGarbage("a chunk size of " + std::to_string(size));
        chunk_size_ = size;
    }
    if (channel.type == kAbort && has_number) {
        const auto aborted = channels_.find(read_be32(message->body));
        if (aborted != channels_.end()) release(aborted->second.body);
    }
}

}  // namespace ringcast::sink
