// SPDX-License-Identifier: Apache-2.0
#include "hls/playlist_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <utility>

namespace ringcast::sink {

namespace {

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

// "2023-11-14T22:13:20.123Z"; 0 for anything else.
std::int64_t realtime_of(std::string_view text) {
    std::tm utc{};
    const std::string copy(text);
    const char* rest = ::strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &utc);
    if (rest == nullptr || *rest != '.') return 0;
    const std::string_view millis = std::string_view(rest).substr(1);
    std::int64_t number = 0;
    if (!millis.ends_with('Z') || !read_number(millis.substr(0, millis.size() - 1), number)) return 0;
    return static_cast<std::int64_t>(::timegm(&utc)) * 1'000'000'000 + number * 1'000'000;
}

}  // namespace

PlaylistReader::PlaylistReader(std::string_view text) : readable_(text.starts_with("#EXTM3U\n")) {
    while (readable_ && !text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const std::string_view tag = line.substr(0, line.find(':'));
        const std::string_view value = line.substr(std::min(tag.size() + 1, line.size()));
        if (!line.starts_with('#')) {
            if (!line.empty()) read_name(line);
        } else if (!read_header(tag, value)) {
            read_entry(tag, value);
        }
    }
}

bool PlaylistReader::read_header(std::string_view tag, std::string_view value) {
    if (tag == "#EXT-X-TARGETDURATION") {
        readable_ = read_number(value, target_duration_);
    } else if (tag == "#EXT-X-MEDIA-SEQUENCE") {
        readable_ = read_number(value, media_sequence_);
    } else if (tag == "#EXT-X-DISCONTINUITY-SEQUENCE") {
        readable_ = read_number(value, discontinuity_sequence_);
    } else if (tag == "#ringcast-stream") {
        stream_ = value;
    } else if (tag == "#EXT-X-PLAYLIST-TYPE") {
        event_ = value == "EVENT";
    } else if (tag == "#EXT-X-ENDLIST") {
        ended_ = true;
    } else {
        return false;
    }
    return true;
}

void PlaylistReader::read_entry(std::string_view tag, std::string_view value) {
    if (tag == "#EXT-X-DISCONTINUITY") {
        open_.entry.discontinuity = true;
    } else if (tag == "#EXT-X-MAP") {
        constexpr std::string_view key = "URI=\"";
        value.remove_prefix(value.starts_with(key) ? key.size() : 0);
        open_.map = value.substr(0, value.find('"'));
        open_.entry.init = SegmentNames::init_number(open_.map);
    } else if (tag == "#EXT-X-PROGRAM-DATE-TIME") {
        open_.entry.date_ns = realtime_of(value);
    } else if (tag == "#EXTINF") {
        double seconds = 0;
        if (read_number(value.substr(0, value.find(',')), seconds) && seconds >= 0 && seconds < 1e6) {
            open_.entry.length_us = std::llround(seconds * 1e6);
        }
    }
}

void PlaylistReader::read_name(std::string_view name) {
    open_.name = name;
    open_.entry.number = media_sequence_ + lines_.size();
    lines_.push_back(open_);
    // A map holds for all that follow.
    open_ = {.name = {}, .map = open_.map, .entry = {.init = open_.entry.init}};
}

std::optional<Playlist> PlaylistReader::resume(
    const PlaylistForm& form,
    const std::function<std::optional<std::uint64_t>(const std::string& name)>& size_of) const {
    const bool same = readable_ && !ended_ && !lines_.empty() && event_ == (form.mode == HlsMode::event);
    if (!same || stream_.empty() || form.segment_us > target_duration_ * 1'000'000) return std::nullopt;
    Playlist playlist(form, stream_, {media_sequence_, discontinuity_sequence_});
    playlist.target_duration_ = target_duration_;
    for (const Line& line : lines_) {
        Playlist::Entry entry = line.entry;
        const bool has_init = entry.init && size_of(line.map);
        const auto bytes = line.name == form.names.segment(entry.number) ? size_of(line.name) : std::nullopt;
        if (!bytes || has_init != (form.names.type() == SegmentType::fmp4)) return std::nullopt;
        entry.bytes = *bytes;
        playlist.append(entry);
    }
    return playlist;
}

Playlist::Counters PlaylistReader::counters() const {
    if (!readable_) return {};
    const auto listed = std::ranges::count_if(lines_, [](const Line& line) { return line.entry.discontinuity; });
    return {media_sequence_ + lines_.size(), discontinuity_sequence_ + static_cast<std::uint64_t>(listed) + 1};
}

std::vector<std::string> PlaylistReader::files() const {
    std::vector<std::string> names;
    if (!is_own()) return names;
    for (const Line& line : lines_) {
        names.push_back(line.name);
        if (!line.map.empty()) names.push_back(line.map);
    }
    return names;
}

}  // namespace ringcast::sink
