// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "file/recording_file.hpp"
#include "mux/host.hpp"
#include "mux/muxer.hpp"
#include "mux/options.hpp"

namespace ringcast::sink {

/// Records to one file: fragmented mp4 or Matroska, by the extension. Once a second what was recorded is complete on
/// disk, so that after a kill -9 everything up to the last whole fragment plays. Each stream after the first goes to a
/// part of its own: out.mp4, out-2.mp4, ...
class FileSink {
public:
    FileSink(Host host, const Options& options);

    /// Makes the folder and looks whether the file may be written; the file itself comes with the first headers(), so
    /// that a recorder that waits for a producer leaves no empty file.
    void connect();
    void headers(std::span<const ringcast_sink_stream* const> streams);
    void packet(const ringcast_sink_packet& packet);
    void disconnect(bool final);

    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
    /// One file between headers() and its trailer.
    struct Part {
        Part(std::filesystem::path path, bool replace, std::atomic<std::uint64_t>& total_bytes)
            : file(std::move(path), replace, total_bytes) {}

        RecordingFile file;
        std::unique_ptr<Muxer> muxer;
        std::uint32_t lead_stream = 0;  ///< the stream that fragments are counted on: video when there is one
        AVRational lead_timebase{1, 1};
        std::optional<std::int64_t> first_dts;
        std::int64_t fragment_dts = 0;  ///< where the open fragment begins
        std::int64_t end_dts = 0;       ///< where the newest packet of the lead stream ends
        bool first_fragment = true;
    };

    void start_fragment_when_due(const ringcast_sink_packet& packet);
    void finish_part();
    [[nodiscard]] std::filesystem::path next_path();
    [[nodiscard]] Muxer::Format format() const;

    Host host_;
    std::filesystem::path path_;
    bool overwrite_;
    bool is_mp4_;
    unsigned next_part_ = 1;
    std::atomic<std::uint64_t> bytes_{0};
    std::unique_ptr<Part> part_;
};

}  // namespace ringcast::sink
