// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hls/audience.hpp"
#include "hls/hls_folder.hpp"
#include "hls/hls_options.hpp"
#include "hls/http_server.hpp"
#include "hls/master_playlist.hpp"
#include "hls/playlist.hpp"
#include "hls/segmenter.hpp"
#include "mux/host.hpp"

namespace ringcast::sink {

/// An HLS playlist in a folder, and with `listen` a web server with a player page for it. The server lives from the
/// first connect(), before there is a stream, to the end of the instance: viewers wait for the start on the page.
/// A playlist that was not ended (the process was killed) goes on where it broke off, with a discontinuity.
class HlsSink {
public:
    HlsSink(Host host, const Options& options);

    void connect();

    /// After an end: a fresh playlist. After a lost connection or new encoder settings: the playlist goes on with a
    /// discontinuity.
    void headers(std::span<const ringcast_sink_stream* const> streams);
    void packet(const ringcast_sink_packet& packet);

    /// At the end of a stream this stays until viewers have fetched the last segment, for at most 4 s.
    void disconnect(bool final);
    void interrupt() { audience_.interrupt(); }

    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
    void refuse_foreign_playlist() const;
    void serve();
    void resume();
    void begin_stream();
    void publish(Segment segment);
    void begin_next_playlist(const Segment& segment);
    void publish_playlist(const Playlist& playlist);
    void end_segmenter();
    void stay_for_viewers();
    void announce() const;

    Host host_;
    HlsOptions options_;
    HlsFolder folder_;
    std::atomic<std::uint64_t> bytes_{0};
    SegmentWriter writer_{folder_, bytes_};
    std::unique_ptr<Segmenter> segmenter_;
    std::optional<Playlist> playlist_;    ///< none: the next headers() begin a stream
    Playlist::Counters counters_;         ///< numbers go on over all streams of a folder
    std::vector<std::string> stale_;      ///< files of an earlier run's playlist, gone with the next stream
    std::optional<Rendition> rendition_;  ///< none until the first headers()
    bool resumed_ = false;
    bool discontinuity_ = false;
    bool ending_ = false;
    Audience audience_;
    // Last: its thread reads the folder, so it ends first.
    std::unique_ptr<HttpServer> server_;
};

}  // namespace ringcast::sink
