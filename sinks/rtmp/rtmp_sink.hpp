// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mux/host.hpp"
#include "mux/options.hpp"
#include "rtmp/session.hpp"
#include "rtmp/stream_clock.hpp"
#include "rtmp/target.hpp"

namespace ringcast::sink {

/// Publishes to an RTMP or RTMPS server: connect() gets as far as the server's consent to the app, headers() asks to
/// publish, since a publisher that sends nothing is thrown out after a while. Errors are SinkError.
/// Thread safety: as the ABI tags say.
class RtmpSink {
public:
    RtmpSink(Host host, const Options& options);

    void connect();
    void headers(std::span<const ringcast_sink_stream* const> streams);
    void packet(const ringcast_sink_packet& packet);
    void disconnect(bool final);
    void interrupt() noexcept { stop_.set(); }
    /// Without what nobody may have read.
    [[nodiscard]] std::uint64_t bytes_sent() const noexcept {
        const std::uint64_t doubted = doubted_.load();
        return doubted != 0 ? doubted : sent_.load();
    }

    /// New url= or key= for the next connection.
    void replace(const Options& changed);

private:
    template <class Step>
    void step(Step&& body);
    void note_trust(bool interrupted);
    void open();
    void publish();
    void send_headers(std::span<const ringcast_sink_stream* const> streams);

    Host host_;
    std::string url_;
    std::string key_;
    RtmpTarget target_;
    TlsTrust trust_;
    StopSignal stop_;
    std::atomic<std::uint64_t> sent_{0};
    std::atomic<std::uint64_t> doubted_{0};
    std::unique_ptr<RtmpSession> session_;
    StreamClock clock_;
    std::optional<std::chrono::steady_clock::time_point> lost_;  ///< when a connection that published was
    bool hung_up_early_ = false;                                 ///< the newest session that failed was
    AckTrust ack_trust_ = AckTrust::full;                        ///< in this server's acknowledgements
    std::vector<ringcast_sink_stream> streams_;                  ///< without their extradata, which ends with headers()
};

}  // namespace ringcast::sink
