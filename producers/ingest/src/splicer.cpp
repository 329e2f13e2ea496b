// SPDX-License-Identifier: Apache-2.0
#include "splicer.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::ingest {
namespace {

using std::chrono::milliseconds;

// As docs/timing.md has them for records: less is jitter, more is another clock.
constexpr std::int64_t kBackwardNs = 100'000'000;
constexpr std::int64_t kFarNs = 3'600'000'000'000;

constexpr milliseconds kSoundPatience{500};
/// Sound alone: nothing has announced a picture.
constexpr milliseconds kPicturePatience{1000};
/// A keyframe comes every 10 s with most encoders' own settings.
constexpr milliseconds kKeyframePatience{15'000};
constexpr std::int64_t kMostSoundHeldNs = 2'000'000'000;
constexpr std::size_t kMostSoundHeld = 1000;  // where the times stand still

}  // namespace

void Splicer::begin_connection() {
    announced_ = {};
    for (Sample& each : std::exchange(ready_, {}))
        leave_out(each);
    begin_life();
    for (Line& each : lines_)
        each.is_new = true;
}

void Splicer::begin_life() {
    for (Sample& each : std::exchange(held_, {}))
        leave_out(each);
    has_held_ = {};
    has_key_ = false;
    is_open_ = false;
    for (Line& each : lines_) {
        each.is_new = false;
        each.source_dts_ns.reset();
    }
}

void Splicer::put(Sample sample, Clock::time_point now) {
    announce(sample.track);
    Line& own = line(sample.track);
    const std::int64_t dts_ns = sample.dts_ns;
    if (own.source_dts_ns) {
        const std::int64_t step = dts_ns - *own.source_dts_ns;
        if (step < -kBackwardNs || step > kFarNs) {
            // The other track's packets of the old life may still be under way: they are told by their times.
            if (is_open_ || own.is_new) {
                const Line rest = line(other(sample.track));
                begin_life();
                line(other(sample.track)).source_dts_ns = rest.source_dts_ns;
            }
            own.is_new = true;
        }
    } else {
        own.is_new = true;
    }
    own.source_dts_ns = dts_ns;
    if (!own.is_new) {
        // A life has begun without it, and it goes on in the old one.
        is_open_ ? leave_out(sample) : emit(std::move(sample));
    } else if (is_open_ && sample.track == Track::video && !has_key_ && !sample.key) {
        leave_out(sample);  // the sound went ahead
    } else if (is_open_) {
        has_key_ = has_key_ || sample.track == Track::video;
        emit(std::move(sample));
    } else {
        hold(std::move(sample), now);
    }
}

void Splicer::hold(Sample sample, Clock::time_point now) {
    const bool is_video = sample.track == Track::video;
    if (is_video && !has_held_[index_of(Track::video)] && !sample.key) {
        leave_out(sample);
        return;
    }
    const bool is_first = is_video ? !has_held_[index_of(Track::video)] : held_.empty();
    if (is_first) held_since_ = now;
    has_held_[index_of(sample.track)] = true;
    has_key_ = has_key_ || is_video;
    const std::int64_t newest_ns = sample.dts_ns;
    held_.push_back(std::move(sample));
    while (!has_held_[index_of(Track::video)] &&
           (newest_ns - held_.front().dts_ns > kMostSoundHeldNs || held_.size() > kMostSoundHeld)) {
        leave_out(held_.front());
        held_.pop_front();
    }
}

bool Splicer::may_open(Clock::time_point now) const {
    if (held_.empty()) return false;
    const auto waited = now - held_since_;
    const bool video = has_held_[index_of(Track::video)];
    const bool audio = has_held_[index_of(Track::audio)];
    if (video) return audio || waited >= kSoundPatience;
    return waited >= (announced_[index_of(Track::video)] ? kKeyframePatience : kPicturePatience);
}

bool Splicer::lacks_keyframe(Clock::time_point now) const {
    constexpr std::chrono::seconds kWorthTelling{5};
    return !is_open_ && !held_.empty() && !has_held_[index_of(Track::video)] && now - held_since_ >= kWorthTelling;
}

void Splicer::open() {
    const auto first =
        std::find_if(held_.begin(), held_.end(), [](const Sample& s) { return s.track == Track::video; });
    const Sample& start = first == held_.end() ? held_.front() : *first;
    const std::int64_t start_dts_ns = start.dts_ns;
    const std::int64_t start_pts_ns = start.pts_ns;
    if (has_written_) {
        offset_ns_ = std::max(lines_[0].bus_end_ns, lines_[1].bus_end_ns) - start_dts_ns;
        ++rebases_;
    }
    is_open_ = has_written_ = true;
    bool is_first = true;
    for (; !held_.empty(); held_.pop_front()) {
        Sample& each = held_.front();
        if (each.track == Track::audio && each.pts_ns < start_pts_ns) {
            leave_out(each);
        } else {
            if (std::exchange(is_first, false)) each.others = first_format(other(each.track));
            emit(std::move(each));
        }
    }
    has_held_ = {};
}

/// Of a track that begins with this life; nullptr when it only goes on, or is not there.
std::shared_ptr<const TrackFormat> Splicer::first_format(Track track) const {
    if (const auto& due = due_format_[index_of(track)]) return due;
    const auto found =
        std::find_if(held_.begin(), held_.end(), [&](const Sample& s) { return s.track == track && s.format; });
    return found == held_.end() ? nullptr : found->format;
}

/// What it says of the packets that follow does not go with it.
void Splicer::leave_out(Sample& sample) {
    ++left_out_;
    if (sample.format) due_format_[index_of(sample.track)] = std::move(sample.format);
}

void Splicer::emit(Sample sample) {
    Line& own = line(sample.track);
    sample.dts_ns += offset_ns_;
    sample.pts_ns += offset_ns_;
    if (sample.dts_ns == own.bus_dts_ns) ++sample.dts_ns;  // rounded by the container to one and the same
    if (sample.dts_ns < own.bus_dts_ns) return leave_out(sample);
    if (auto format = std::exchange(due_format_[index_of(sample.track)], {}); format && !sample.format)
        sample.format = std::move(format);
    sample.pts_ns = std::max(sample.pts_ns, sample.dts_ns);
    own.bus_dts_ns = sample.dts_ns;
    own.bus_end_ns = std::max(own.bus_end_ns, sample.dts_ns + sample.duration_ns);
    ready_.push_back(std::move(sample));
}

std::optional<Sample> Splicer::take(Clock::time_point now) {
    if (!is_open_ && may_open(now)) open();
    if (ready_.empty()) return std::nullopt;
    std::optional<Sample> next(std::move(ready_.front()));
    ready_.pop_front();
    return next;
}

}  // namespace ringcast::ingest
