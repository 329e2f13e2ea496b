// SPDX-License-Identifier: Apache-2.0
#include "runtime/audio_track.hpp"

#include <algorithm>

namespace ringcast::runtime {
namespace {

// Explicit pts of a running flow jitter (a model's own clock, ms rounding). Up to this the samples are simply counted
// on: following each wobble would put a click into the sound, while the ear accepts far more in lip sync.
constexpr std::int64_t kJitterNs = 10 * kMillisecondNs;

// An index jump is believed when pts confirms it; beyond this it is no loss on any ring.
constexpr std::int64_t kMaxLostSamples = std::int64_t{1} << 40;

}  // namespace

void AudioTrack::join(std::int64_t sample, std::int64_t pts_ns) {
    later_.reset();
    fill_to(sample);
    map_sample_ = sample;
    map_pts_ns_ = pts_ns;
    next_start_ = sample;
    resync_ = true;
    expected_index_.reset();
}

void AudioTrack::begin_segment(std::uint32_t rate, std::uint32_t format_id, bool silence_only) {
    segment_ = Segment{end_sample(), rate, format_id, silence_only};
    next_start_.reset();
    count_ = held_output_ = held_input_ = 0;
    spans_.push_back({SpanKind::start, *segment_, 0, 0, 0, 0, 0, 0});
}

std::int64_t AudioTrack::gap_before(const AudioRecord& record) const {
    const std::int64_t deviation_ns = pts_to_ns(record.pts_ns) - end_ns();
    if (expected_index_ && !resync_) {
        const auto lost = static_cast<std::int64_t>(record.sample_index - *expected_index_);
        if (lost >= 0 && lost < kMaxLostSamples) {
            const std::int64_t error_ns = deviation_ns - scale(lost, kSecondNs, record.sample_rate);
            if (error_ns <= kJitterNs && error_ns >= -kJitterNs) return lost;
        }
        if (deviation_ns <= kJitterNs && deviation_ns >= -kJitterNs) return 0;
    }
    return scale(deviation_ns, record.sample_rate, kSecondNs);
}

void AudioTrack::place(const AudioRecord& record) {
    const bool same = segment_ && !next_start_ && segment_->rate == record.sample_rate &&
                      segment_->format_id == record.format_id && !segment_->silence_only;
    if (!same) begin_segment(record.sample_rate, record.format_id, false);
    const std::int64_t gap = gap_before(record);
    const std::int64_t skipped = std::clamp<std::int64_t>(-gap, 0, record.sample_count);
    if (end_sample() > 0) late_ += static_cast<std::uint64_t>(skipped);
    append_silence(gap);
    trimmed_ += static_cast<std::uint64_t>(skipped);
    const std::int64_t count = record.sample_count - skipped;
    if (count > 0) {
        const std::int64_t skipped_ns = scale(skipped, kSecondNs, record.sample_rate);
        spans_.push_back(
            {SpanKind::copy, *segment_, count_, count, record.id, skipped, record.pts_ns + skipped_ns, record.quiet});
        count_ += count;
        resync_ = false;
        has_input_ = true;
        last_id_ = record.id;
    }
    expected_index_ = record.sample_index + record.sample_count;
    if (later_ && end_sample() >= later_->at) {
        const Hold due = *later_;
        later_.reset();
        hold(due.at, due.samples);
    }
}

void AudioTrack::append_silence(std::int64_t count) {
    if (count <= 0) return;
    Span* last = spans_.empty() ? nullptr : &spans_.back();
    if (last != nullptr && last->kind == SpanKind::silence && last->segment.start == segment_->start) {
        last->count += count;
    } else {
        spans_.push_back({SpanKind::silence, *segment_, count_, count, 0, 0, 0, 0});
    }
    count_ += count;
}

std::int64_t AudioTrack::input_before(const Segment& segment, std::int64_t sample) const {
    return saturate(floor_div(static_cast<Int128>(sample - segment.start) * segment.rate, grid_.rate()));
}

// Whole input samples only: what is missing up to `sample` is less than one of them, and the resampler pads it.
void AudioTrack::fill_to(std::int64_t sample) {
    if (sample <= end_sample()) return;
    if (later_ && sample > later_->at) {  // in silence only the place of what follows matters
        map_sample_ += later_->samples;
        later_.reset();
    }
    if (!segment_ || next_start_) begin_segment(static_cast<std::uint32_t>(grid_.rate()), 0, true);
    append_silence(input_before(*segment_, sample) - count_);
    resync_ = true;
}

void AudioTrack::cut_to(std::int64_t sample) {
    while (!spans_.empty() && position(spans_.back().segment, spans_.back().begin + spans_.back().count) > sample) {
        Span& last = spans_.back();
        const std::int64_t keep = input_before(last.segment, sample) - last.begin;
        last.count = std::clamp<std::int64_t>(keep, 0, last.count);
        segment_ = last.segment;
        count_ = last.begin + last.count;
        next_start_.reset();
        if (last.count > 0) break;
        // A segment that does not begin any more cannot be continued.
        if (last.kind == SpanKind::start) next_start_ = sample;
        spans_.pop_back();
    }
}

void AudioTrack::void_queued() {
    for (const Span& span : spans_) {
        if (span.kind == SpanKind::copy) trimmed_ += static_cast<std::uint64_t>(span.count);
    }
    spans_.clear();
    later_.reset();
    next_start_ = popped_end_;
    resync_ = true;
    expected_index_.reset();
}

std::int64_t AudioTrack::end_sample() const {
    if (next_start_) return *next_start_;
    return segment_ ? position(*segment_, count_) : 0;
}

std::int64_t AudioTrack::end_ns() const {
    if (next_start_ || !segment_) return grid_.sample_to_ns(end_sample());
    return grid_.sample_to_ns(segment_->start) + scale(count_, kSecondNs, segment_->rate);
}

std::int64_t AudioTrack::pts_to_ns(std::int64_t pts_ns) const {
    return saturate(static_cast<Int128>(pts_ns) - map_pts_ns_ + grid_.sample_to_ns(map_sample_));
}

std::int64_t AudioTrack::pts_at(std::int64_t output_ns) const {
    return saturate(static_cast<Int128>(map_pts_ns_) + output_ns - grid_.sample_to_ns(map_sample_));
}

std::optional<std::int64_t> AudioTrack::front_sample() const {
    return spans_.empty() ? std::nullopt : std::optional(position(spans_.front().segment, spans_.front().begin));
}

bool AudioTrack::can_pop(std::int64_t limit_sample) const {
    if (spans_.empty()) return false;
    const Span& span = spans_.front();
    if (span.kind == SpanKind::start) return span.segment.start <= limit_sample;
    return input_before(span.segment, limit_sample) > span.begin;
}

Operation AudioTrack::pop(std::int64_t limit_sample) {
    Span& span = spans_.front();
    const std::int64_t at = position(span.segment, span.begin);
    if (span.kind == SpanKind::start) {
        const StartSegment start{at, span.segment.rate, span.segment.format_id, span.segment.silence_only};
        popped_end_ = at;
        spans_.pop_front();
        return start;
    }
    const std::int64_t to_limit = input_before(span.segment, limit_sample) - span.begin;
    std::int64_t count = std::min(to_limit, span.count);
    if (span.kind == SpanKind::silence) count = std::min<std::int64_t>(count, std::max(1U, span.segment.rate / 10));

    Operation operation = EmitSilence{at, static_cast<std::uint32_t>(count)};
    if (span.kind == SpanKind::copy) {
        operation = CopySamples{at, span.id, static_cast<std::uint32_t>(span.offset), static_cast<std::uint32_t>(count),
                                span.pts_ns};
        span.offset += count;
        span.pts_ns += scale(count, kSecondNs, span.segment.rate);
    }
    span.begin += count;
    span.count -= count;
    popped_end_ = position(span.segment, span.begin);
    if (span.count == 0) spans_.pop_front();
    return operation;
}

std::optional<std::uint64_t> AudioTrack::first_id() const {
    for (const Span& span : spans_) {
        if (span.kind == SpanKind::copy) return span.id;
    }
    return std::nullopt;
}

}  // namespace ringcast::runtime
