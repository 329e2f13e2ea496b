// SPDX-License-Identifier: Apache-2.0
#include "hls/playlist.hpp"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <utility>

namespace ringcast::sink {

namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

std::int64_t rounded_up(std::int64_t us) {
    return (us + kMicrosPerSecond - 1) / kMicrosPerSecond;
}
std::int64_t rounded(std::int64_t us) {
    return (us + kMicrosPerSecond / 2) / kMicrosPerSecond;
}

std::string date_time(std::int64_t realtime_ns) {
    const auto seconds = static_cast<std::time_t>(realtime_ns / 1'000'000'000);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    std::array<char, 8> millis{};
    std::snprintf(millis.data(), millis.size(), ".%03dZ", static_cast<int>(realtime_ns / 1'000'000 % 1000));
    return std::string(text.data()) + millis.data();
}

std::string decimal_seconds(std::int64_t us) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%" PRId64 ".%06" PRId64, us / kMicrosPerSecond, us % kMicrosPerSecond);
    return text.data();
}

double bits_per_second(std::uint64_t bytes, std::int64_t us) {
    return us <= 0 ? 0 : 8.0 * static_cast<double>(bytes) * kMicrosPerSecond / static_cast<double>(us);
}

}  // namespace

Playlist::Playlist(PlaylistForm form, std::string stream, const Counters& counters)
    : form_(std::move(form)),
      stream_(std::move(stream)),
      next_number_(counters.next_number),
      discontinuity_sequence_(counters.discontinuities) {}

void Playlist::begin_encoding(std::int64_t epoch_realtime_ns, std::optional<std::uint64_t> init) {
    epoch_realtime_ns_ = epoch_realtime_ns;
    init_ = init;
}

// RFC 8216, 4.3.3.1: EXTINF rounded to the nearest second must not exceed TARGETDURATION.
bool Playlist::fits(const Segment& segment) const {
    return target_duration_ == 0 || rounded(segment.end_us - segment.start_us) <= target_duration_;
}

Playlist Playlist::next(std::string stream) const {
    Playlist following(form_, std::move(stream), counters());
    following.begin_encoding(epoch_realtime_ns_, init_);
    if (!empty()) following.past_ = oldest_kept();
    return following;
}

void Playlist::add(const Segment& segment) {
    const std::int64_t length_us = segment.end_us - segment.start_us;
    if (target_duration_ == 0) {
        target_duration_ = std::max({std::int64_t{1}, rounded_up(form_.segment_us), rounded(length_us)});
    }
    append({.number = segment.number,
            .length_us = length_us,
            .date_ns = epoch_realtime_ns_ == 0 ? 0 : epoch_realtime_ns_ + segment.start_us * 1000,
            .discontinuity = segment.discontinuity && !entries_.empty(),
            .init = init_,
            .bytes = segment.bytes});
}

void Playlist::append(const Entry& entry) {
    entries_.push_back(entry);
    next_number_ = entry.number + 1;
    listed_bytes_ += entry.bytes;
    listed_us_ += entry.length_us;
    measure_newest();
    if (form_.mode == HlsMode::event || entries_.size() <= form_.window) return;
    past_ = entries_.front();
    entries_.pop_front();
    listed_bytes_ -= past_->bytes;
    listed_us_ -= past_->length_us;
    // A player counts the tag of a segment that has left as seen.
    if (past_->discontinuity) ++discontinuity_sequence_;
}

// Of all runs of segments only those that end with the newest are new.
void Playlist::measure_newest() {
    const std::int64_t target_us = target_duration_ * kMicrosPerSecond;
    std::uint64_t bytes = 0;
    std::int64_t us = 0;
    for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
        bytes += entry->bytes;
        us += entry->length_us;
        if (2 * us > 3 * target_us) break;
        if (2 * us >= target_us) peak_bps_ = std::max(peak_bps_, bits_per_second(bytes, us));
    }
}

std::uint64_t Playlist::average_bps() const {
    return static_cast<std::uint64_t>(std::llround(bits_per_second(listed_bytes_, listed_us_)));
}

std::uint64_t Playlist::peak_bps() const {
    return std::max(average_bps(), static_cast<std::uint64_t>(std::ceil(peak_bps_)));
}

Playlist::Counters Playlist::counters() const {
    const auto listed = std::ranges::count_if(entries_, &Entry::discontinuity);
    // Whatever follows is another encoding.
    return {next_number_, discontinuity_sequence_ + static_cast<std::uint64_t>(listed) + (entries_.empty() ? 0 : 1)};
}

std::string Playlist::text() const {
    const bool event = form_.mode == HlsMode::event;
    // EXT-X-MAP in a playlist of whole pictures needs version 6, fMP4 segments 7.
    std::string text = form_.names.type() == SegmentType::fmp4 ? "#EXTM3U\n#EXT-X-VERSION:7\n"  //
                                                               : "#EXTM3U\n#EXT-X-VERSION:3\n";
    text += "#EXT-X-TARGETDURATION:" + std::to_string(target_duration_) + "\n";
    text += "#EXT-X-MEDIA-SEQUENCE:" + std::to_string(empty() ? next_number_ : entries_.front().number) + "\n";
    if (!event || discontinuity_sequence_ != 0) {
        text += "#EXT-X-DISCONTINUITY-SEQUENCE:" + std::to_string(discontinuity_sequence_) + "\n";
    }
    if (event) text += "#EXT-X-PLAYLIST-TYPE:EVENT\n";
    text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
    // EVENT playlists start at the live edge in most players unless EXT-X-START says otherwise.
    if (event) text += "#EXT-X-START:TIME-OFFSET=0\n";
    text += "#ringcast-stream:" + stream_ + "\n";
    std::optional<std::uint64_t> init;
    for (const Entry& entry : entries_) {
        if (entry.discontinuity) text += "#EXT-X-DISCONTINUITY\n";
        if (entry.init && entry.init != init) text += "#EXT-X-MAP:URI=\"" + SegmentNames::init(*entry.init) + "\"\n";
        init = entry.init;
        if (entry.date_ns != 0) text += "#EXT-X-PROGRAM-DATE-TIME:" + date_time(entry.date_ns) + "\n";
        text += "#EXTINF:" + decimal_seconds(entry.length_us) + ",\n" + form_.names.segment(entry.number) + "\n";
    }
    return text + (ended_ ? "#EXT-X-ENDLIST\n" : "");
}

}  // namespace ringcast::sink
