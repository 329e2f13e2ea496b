// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "mux/host.hpp"
#include "mux/options.hpp"
#include "srt/srt_audience.hpp"
#include "srt/srt_connect.hpp"
#include "srt/srt_peer.hpp"
#include "srt/ts_messages.hpp"

namespace ringcast::sink {

/// Sends MPEG-TS over SRT: to one peer, called or met in rendezvous mode, or to all clients of a listening socket,
/// which stays bound from the first connect() on. Nothing here waits for a peer that does not keep up: what is too late
/// is worth nothing. Errors are SinkError. Thread safety: as the ABI tags say.
class SrtSink {
public:
    SrtSink(Host host, const Options& options);
    SrtSink(const SrtSink&) = delete;
    SrtSink& operator=(const SrtSink&) = delete;
    ~SrtSink();

    void connect();
    void headers(std::span<const ringcast_sink_stream* const> streams);
    void packet(const ringcast_sink_packet& packet);
    void disconnect(bool final);
    void interrupt() noexcept { poll_.wake(); }
    [[nodiscard]] std::uint64_t bytes_sent();

    /// New url=, streamid= or passphrase= for the next connection.
    void replace(const Options& changed);

    /// Of a listener; 1 otherwise.
    [[nodiscard]] std::uint32_t peers();
    [[nodiscard]] std::string waits_for();

private:
    [[nodiscard]] bool listens() const noexcept { return address_.mode == srt::Mode::listener; }
    template <class Step>
    void step(Step&& body);
    void listen();
    void call();
    void deliver(std::span<const std::uint8_t> message, bool start);
    void note(SrtPeer::Sent sent);
    void look_after_peer();
    void hang_up();
    void drain(std::chrono::milliseconds limit);
    [[nodiscard]] bool is_drained();
    [[nodiscard]] std::chrono::milliseconds latency();

    Host host_;
    srt::SrtLibrary library_;
    srt::SrtWords words_;
    std::string url_;
    srt::SrtAddress address_;
    srt::SrtPoll poll_;
    std::unique_ptr<TsMessages> messages_;

    std::mutex mutex_;  ///< of the peer, the audience and the sum, which other threads ask for
    std::optional<SrtPeer> peer_;
    std::unique_ptr<SrtAudience> audience_;
    srt::SrtFigures past_;  ///< of connections that are over

    // Of the packet that is being sent, to one peer.
    bool lost_ = false;
    bool jammed_ = false;
    bool was_jammed_ = false;
    std::chrono::steady_clock::time_point next_complaint_{};
    std::chrono::steady_clock::time_point next_figures_{};
};

}  // namespace ringcast::sink
