// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "file/container.hpp"
#include "file/finisher.hpp"
#include "file/recording.hpp"
#include "file/recording_file.hpp"
#include "file/recording_names.hpp"
#include "mux/host.hpp"
#include "mux/options.hpp"

namespace ringcast::sink {

/// Records to files: fragmented mp4, Matroska, MPEG-TS or FLV, by the extension. Once a second what was recorded is
/// complete on disk, so that after a kill -9 everything up to then plays. Each stream after the first goes to files of
/// its own: out.mp4, out-2.mp4, ... What is to be done to a file afterwards is done by the Finisher.
class FileSink final : private RecordingFiles {
public:
    FileSink(Host host, const Options& options);
    /// Waits a little for the Finisher; a host that knows linger() has given it all the time it takes.
    ~FileSink();
    FileSink(const FileSink&) = delete;
    FileSink& operator=(const FileSink&) = delete;

    /// Makes the folder and looks whether the file may be written; the file itself comes with the first headers(), so
    /// that a recorder that waits for a producer leaves no empty file. Takes on what a crash left there.
    void connect();
    void headers(std::span<const ringcast_sink_stream* const> streams);
    void packet(const ringcast_sink_packet& packet);
    void disconnect(bool final);
    void interrupt() { finisher_.give_up(); }
    /// Blocks while there is work in the background; interrupt() ends it.
    void linger();

    [[nodiscard]] std::uint64_t bytes_sent() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
    std::unique_ptr<RecordingFile> next_file() override;
    void on_closed(std::unique_ptr<RecordingFile> file, std::chrono::milliseconds length, bool torn) override;
    void on_nothing_whole(std::unique_ptr<RecordingFile> file) override;
    void on_progress(std::chrono::milliseconds length) override;

    [[nodiscard]] bool overwrites() const { return when_exists_ == "yes"; }
    void check_folder() const;
    void take_on_leftovers();
    void check_plain_name();
    void finish_recording();

    Host host_;
    RecordingNames names_;
    Recording::Settings settings_;
    std::string when_exists_;  ///< no, yes, number
    bool fast_start_;
    bool has_lingered_ = false;
    std::int64_t files_ = 0;
    std::atomic<std::uint64_t> bytes_{0};
    Finisher finisher_;
    std::unique_ptr<Recording> recording_;
};

}  // namespace ringcast::sink
