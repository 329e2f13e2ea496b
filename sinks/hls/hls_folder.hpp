// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "mux/muxer.hpp"

namespace ringcast::sink {

/// The folder a playlist and its segments live in. Files are written under a temporary name (".NAME.part") and renamed
/// when whole. The folder is locked while open: two sinks never write into one.
/// Thread safety: open() to clear() by one thread; the const members by any.
class HlsFolder {
public:
    explicit HlsFolder(const std::filesystem::path& path);
    HlsFolder(const HlsFolder&) = delete;
    HlsFolder& operator=(const HlsFolder&) = delete;
    ~HlsFolder();

    /// Makes and locks the folder and removes what an earlier run of this sink left in it; no other file is touched.
    /// Throws SinkError(E_CONFIG). Does nothing when open already.
    void open();

    /// Shows a segment that was written under its temporary name. Throws SinkError(E_STORAGE).
    void publish_segment(std::uint64_t number);

    /// Replaces the playlist; `ended`: it names its last segment. Throws SinkError(E_STORAGE).
    void publish_playlist(const std::string& text, bool ended);

    /// Removes playlist and segments, for a stream that begins anew.
    void clear();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::filesystem::path temporary_path(const std::string& name) const;

    /// Where the file of this name is, if the sink has published one: nothing else in the folder is ever served.
    [[nodiscard]] std::optional<std::filesystem::path> find(std::string_view name) const;
    [[nodiscard]] bool has_playlist() const;

    /// Names the stream the folder is for; another one for each stream, also after a restart of the sink.
    [[nodiscard]] std::string stream_name() const;

    /// True when there is a playlist and it names the segment with this media sequence number, or has ended without it.
    [[nodiscard]] bool playlist_answers(std::uint64_t number) const;

private:
    void remove_leftovers();
    void rename_into_place(const std::string& name);

    std::filesystem::path path_;
    int lock_fd_ = -1;

    mutable std::mutex mutex_;
    std::string stream_name_;
    bool has_playlist_ = false;
    bool has_ended_ = false;
    std::uint64_t first_segment_ = 0;  ///< published: [first_segment_, next_segment_)
    std::uint64_t next_segment_ = 0;
};

/// The segment being written; the muxer's output. Throws SinkError(E_STORAGE).
class SegmentWriter : public ByteSink {
public:
    SegmentWriter(HlsFolder& folder, std::atomic<std::uint64_t>& total_bytes)
        : folder_(folder), total_bytes_(total_bytes) {}
    ~SegmentWriter() override { abandon(); }

    void begin(std::uint64_t number);
    void publish();

    /// Removes an unfinished segment.
    void abandon() noexcept;

    void write(std::span<const std::uint8_t> bytes) override;
    void seek(std::int64_t position) override;

private:
    HlsFolder& folder_;
    std::atomic<std::uint64_t>& total_bytes_;
    std::uint64_t number_ = 0;
    std::filesystem::path path_;
    int fd_ = -1;
};

}  // namespace ringcast::sink
