// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hls/playlist.hpp"

namespace ringcast::sink {

/// Reads back a playlist that Playlist has written. Whatever stands in the file, nothing is thrown: people edit files.
class PlaylistReader {
public:
    explicit PlaylistReader(std::string_view text);

    /// The playlist, to go on with; none when it has ended or was written in another form (mode, names, longer segments
    /// than its TARGETDURATION allows), or when `size_of` finds a file of it missing.
    [[nodiscard]] std::optional<Playlist> resume(
        const PlaylistForm& form,
        const std::function<std::optional<std::uint64_t>(const std::string& name)>& size_of) const;

    /// What a fresh playlist in the same folder begins with.
    [[nodiscard]] Playlist::Counters counters() const;

    /// Written by this sink, whatever its options were: it names its stream.
    [[nodiscard]] bool is_own() const noexcept { return readable_ && !stream_.empty(); }

    /// The files it names, some perhaps more than once; none when another program wrote it: those are not ours.
    [[nodiscard]] std::vector<std::string> files() const;

private:
    struct Line {
        std::string name;
        std::string map;
        Playlist::Entry entry;
    };

    bool read_header(std::string_view tag, std::string_view value);
    void read_entry(std::string_view tag, std::string_view value);
    void read_name(std::string_view name);

    bool readable_ = false;
    bool event_ = false;
    bool ended_ = false;
    std::int64_t target_duration_ = 0;
    std::uint64_t media_sequence_ = 0;
    std::uint64_t discontinuity_sequence_ = 0;
    std::string stream_;
    std::vector<Line> lines_;
    Line open_;  ///< what the tags so far say of the segment to come
};

}  // namespace ringcast::sink
