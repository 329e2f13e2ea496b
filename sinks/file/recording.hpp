// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "file/container.hpp"
#include "file/limits.hpp"
#include "file/recording_file.hpp"
#include "mux/muxer.hpp"
#include "mux/seam.hpp"

namespace ringcast::sink {

/// Where a recording gets its files from and gives them back to.
class RecordingFiles {
public:
    virtual std::unique_ptr<RecordingFile> next_file() = 0;
    /// The file plays; with `torn` its end had to be cut off.
    virtual void on_closed(std::unique_ptr<RecordingFile> file, std::chrono::milliseconds length, bool torn) = 0;
    /// Its disk was full before there was anything in it that plays.
    virtual void on_nothing_whole(std::unique_ptr<RecordingFile> file) = 0;
    /// Once a second: so much is recorded and whole.
    virtual void on_progress(std::chrono::milliseconds length) = 0;

protected:
    ~RecordingFiles() = default;
};

/// One stream on its way into one file or, with a limit, many. Each file begins with a keyframe at its own time 0 (in
/// MPEG-TS the time runs on, so that the files joined end to end are one stream); every packet is in exactly one file:
/// pictures from the cut on and the sound that begins after it are in the next. The last sound of a file is said to end
/// at the cut, so that the file is as long as its pictures and players that join files find no seam.
/// Life cycle: the constructor opens the first file; packet()*; finish(). All errors are SinkError; after one of
/// packet() what was written so far has been made whole. Thread safety: none.
class Recording {
public:
    struct Settings {
        Container container = Container::mp4;
        SplitLimit split;
        std::uint64_t min_free = 0;  ///< bytes; below it the recording ends with E_STORAGE
    };

    Recording(const Settings& settings, std::span<const ringcast_sink_stream* const> streams, RecordingFiles& files);

    void packet(const ringcast_sink_packet& packet);
    void finish();

private:
    /// The muxers write here, whatever file is open.
    class OpenFile : public ByteSink {
    public:
        void write(std::span<const std::uint8_t> bytes) override { file->write(bytes); }
        void seek(std::int64_t position) override { file->seek(position); }

        std::unique_ptr<RecordingFile> file;
    };

    /// What is counted anew in each file; times in ticks of the lead stream.
    struct Part {
        std::optional<std::int64_t> first_pts;
        std::int64_t fragment_dts = 0;  ///< where the open fragment begins
        std::int64_t end_pts = 0;       ///< where the newest picture ends
        std::int64_t whole_pts = 0;     ///< as far as truncate_to_whole() keeps it
        bool first_fragment = true;
        std::uint64_t bytes = 0;         ///< of the packets
        std::uint64_t bytes_at_key = 0;  ///< when the newest GOP began
        std::uint64_t largest_gop = 0;
    };

    struct Stream {
        ringcast_sink_stream description;
        std::vector<std::uint8_t> extradata;
        AVRational timebase;
        std::int64_t origin = 0;  ///< pts of the stream's own where the open file begins
    };

    [[nodiscard]] const Stream& lead() const { return streams_[lead_stream_]; }
    [[nodiscard]] bool is_lead(const ringcast_sink_packet& packet) const { return packet.stream == lead_stream_; }
    [[nodiscard]] std::chrono::milliseconds length_to(std::int64_t pts) const;
    void mark_whole();
    [[nodiscard]] bool is_due(const ringcast_sink_packet& key) const;
    [[nodiscard]] bool seam_is_complete(const ringcast_sink_packet& packet) const;
    void take(const ringcast_sink_packet& packet);
    void release_newest();
    void route(const ringcast_sink_packet& packet);
    void write(const ringcast_sink_packet& packet);
    void note_lead(const ringcast_sink_packet& packet);
    void start_fragment_when_due(const ringcast_sink_packet& packet);
    void check_space();
    void cut();
    void open_file();
    void open_muxer();
    void close_file(bool torn);
    void save_after_failure() noexcept;

    const Settings settings_;
    RecordingFiles& files_;
    std::vector<Stream> streams_;
    std::int64_t shift_us_ = 0;      ///< on the time of the open file
    std::uint32_t lead_stream_ = 0;  ///< the stream that everything is counted on: video when there is one
    OpenFile out_;
    std::unique_ptr<Muxer> muxer_;
    Part part_;
    std::optional<std::int64_t> cut_pts_;  ///< where the next file begins; its packets are held until the seam is whole
    std::int64_t cut_dts_ = 0;
    std::vector<HeldPacket> held_;
    std::vector<HeldPacket> newest_;  ///< with a limit: the newest sound and the pictures after it
};

}  // namespace ringcast::sink
