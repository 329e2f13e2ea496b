// SPDX-License-Identifier: Apache-2.0
/// Puts somebody else's stream, as it comes over SRT or RTMP, onto a bus.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "ringcast/producer.hpp"

namespace ringcast::ingest {

/// The words are wrong: nothing was tried.
class AddressError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Tried, and trying again would not help. One line that names the thing and the fix.
class IngestError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Where the stream comes from. Secrets are values here; whoever shows the address leaves them out.
struct IngestAddress {
    std::string url;         ///< srt://, rtmp://, rtmps://
    std::string passphrase;  ///< SRT
    std::string streamid;    ///< SRT
    std::string key;         ///< RTMP: the name of the stream
    std::string latency;     ///< SRT
    std::string tls_ca;      ///< rtmps: a PEM file with the authorities to trust; empty: this machine's
    bool tls_verify = true;  ///< rtmps: false takes any certificate
    bool listen = false;     ///< RTMP: wait for a publisher; so does an address without a host
};

enum class IngestMode { packets, decode };

struct IngestOptions {
    IngestAddress address;
    IngestMode mode = IngestMode::packets;
    ProducerOptions producer;  ///< bus, name, permissions, group; the flows are set here
    bool once = false;         ///< end with the first connection that carried something
};

enum class IngestState {
    connecting,  ///< reaching the other end
    listening,   ///< waits for somebody to send
    live,        ///< media comes
    stalled,     ///< connected, and nothing has come for a second
    backoff,     ///< lost; tried again soon
    rejected,    ///< the other end said no
    ended,
};
std::string_view name_of(IngestState state);

/// What SRT knows of its connection.
struct SrtFigures {
    std::int64_t rtt_us = 0;
    std::uint64_t lost_packets = 0;     ///< missed at first; most come again
    std::uint64_t dropped_packets = 0;  ///< came too late or never: missing in the media
    std::int64_t buffer_ms = 0;         ///< media that waits for its time
    std::int64_t latency_ms = 0;        ///< as the two ends agreed
};

struct IngestFigures {
    IngestState state = IngestState::connecting;
    std::string reason;  ///< why, or where to; empty when there is nothing to say
    std::string peer;    ///< who sends, when that is known
    std::uint64_t received_bytes = 0;
    std::uint64_t received_bytes_per_second = 0;
    std::uint64_t frames = 0;         ///< pictures put on the bus
    std::uint64_t sound_packets = 0;  ///< packets of sound put on the bus
    std::uint64_t left_out = 0;       ///< packets before the first keyframe, and those whose time does not rise
    std::uint64_t refused = 0;        ///< others that wanted to send and were told no
    std::uint64_t reconnects = 0;
    std::uint64_t rebases = 0;  ///< times the source began a new clock
    std::optional<SrtFigures> srt;
};

/// Told what a person may want to see; from the thread that runs the ingest.
class IngestObserver {
public:
    virtual ~IngestObserver() = default;
    virtual void warned(const std::string& text) = 0;
    /// Once on each change.
    virtual void state_changed(const IngestFigures& figures) = 0;
    /// Once a second.
    virtual void progressed(const IngestFigures& figures) = 0;
};

/// Checks the words without touching the network. Throws AddressError.
void check_address(const IngestAddress& address);

/// Runs until `stop` gets true (or, with `once`, the source ends), then ends the stream.
/// Throws AddressError, IngestError, ringcast::Error.
IngestFigures run_ingest(const IngestOptions& options, IngestObserver& observer, const std::atomic<bool>& stop);

}  // namespace ringcast::ingest
