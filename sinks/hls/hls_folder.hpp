// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hls/playlist.hpp"
#include "mux/muxer.hpp"
#include "mux/unique_fd.hpp"

namespace ringcast::sink {

/// The folder playlists and segments live in. Files are written under a temporary name (".NAME.part") and renamed when
/// whole. The folder is locked while open: two sinks never write into one.
/// Thread safety: the non-const members by one thread; the const ones by any.
class HlsFolder {
public:
    HlsFolder(const std::filesystem::path& path, SegmentNames names);
    HlsFolder(const HlsFolder&) = delete;
    HlsFolder& operator=(const HlsFolder&) = delete;
    ~HlsFolder() = default;

    /// Makes and locks the folder; changes nothing in it. Throws SinkError(E_CONFIG). Does nothing when open already.
    void open();

    /// The playlist an earlier run left; empty when there is none.
    [[nodiscard]] std::string saved_playlist() const;
    [[nodiscard]] std::optional<std::uint64_t> size_of(const std::string& name) const;

    /// Goes on with what an earlier run published: serves the files `playlist` names, removes those of this sink that
    /// no playlist names (a segment that was being written).
    void adopt(const Playlist& playlist);

    /// A stream begins anew: removes every playlist and segment of this sink, `more` among them; other files stay.
    void begin_stream(const std::string& stream, HlsMode mode, const std::vector<std::string>& more);

    /// Shows a file that was written under its temporary name. Throws SinkError(E_STORAGE).
    void publish_segment(std::uint64_t number);
    void publish_init(std::uint64_t number);

    /// Replaces the media playlist, and the master playlist unless `master` is empty. Throws SinkError(E_STORAGE).
    void publish_playlist(const Playlist& playlist, const std::string& master);

    /// Removes what is older than `oldest`.
    void remove_before(const Playlist::Entry& oldest);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] const SegmentNames& names() const noexcept { return names_; }
    [[nodiscard]] std::filesystem::path temporary_path(const std::string& name) const;

    /// Where the file of this name is, if the sink has published one: nothing else in the folder is ever served.
    [[nodiscard]] std::optional<std::filesystem::path> find(std::string_view name) const;
    [[nodiscard]] bool has_playlist() const;

    /// The stream the folder is for: another name for each one, the same after a restart of the sink that goes on.
    struct Stream {
        std::string name;
        HlsMode mode = HlsMode::event;
    };
    [[nodiscard]] Stream stream() const;

    /// True when there is a playlist and it names the segment with this media sequence number, or has ended without it.
    [[nodiscard]] bool playlist_answers(std::uint64_t number) const;

private:
    [[nodiscard]] bool is_own_name(std::string_view name) const;
    void remove_own_files_except(const std::set<std::string>& wanted) noexcept;
    void replace_file(const std::string& name, const std::string& text);
    void rename_into_place(const std::string& name);

    std::filesystem::path path_;
    SegmentNames names_;
    UniqueFd lock_;
    std::string master_text_;  ///< as it stands in the folder

    mutable std::mutex mutex_;
    Stream stream_;
    bool has_playlist_ = false;
    bool has_ended_ = false;
    std::uint64_t first_segment_ = 0;  ///< published: [first_segment_, next_segment_)
    std::uint64_t next_segment_ = 0;
    std::uint64_t next_listed_ = 0;  ///< what the playlist names ends before this one
    std::set<std::uint64_t> inits_;
};

/// The file being written; the muxer's output. Throws SinkError(E_STORAGE).
class SegmentWriter : public ByteSink {
public:
    SegmentWriter(HlsFolder& folder, std::atomic<std::uint64_t>& total_bytes)
        : folder_(folder), total_bytes_(total_bytes) {}
    ~SegmentWriter() override { abandon(); }

    void begin_init(std::uint64_t number);
    void publish_init();
    void begin(std::uint64_t number);

    /// Returns the segment's size.
    std::uint64_t publish();

    /// Removes an unfinished file.
    void abandon() noexcept;

    void write(std::span<const std::uint8_t> bytes) override;
    void seek(std::int64_t position) override;

private:
    void open(const std::string& name, std::uint64_t number);
    void close();

    HlsFolder& folder_;
    std::atomic<std::uint64_t>& total_bytes_;
    std::uint64_t number_ = 0;
    std::uint64_t bytes_ = 0;
    std::filesystem::path path_;
    UniqueFd fd_;
};

}  // namespace ringcast::sink
