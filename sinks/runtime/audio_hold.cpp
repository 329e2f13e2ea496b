// SPDX-License-Identifier: Apache-2.0
/// How sound is held: silence inside of what is queued, at a place where the ear forgives it.
#include <algorithm>
#include <iterator>

#include "runtime/audio_track.hpp"

namespace ringcast::runtime {

std::int64_t AudioTrack::hold(std::int64_t at, std::int64_t samples) {
    if (later_) {  // nothing came that far: all of it at the end
        samples += later_->samples;
        later_.reset();
    }
    const auto behind_place = [&](const Span& span) {
        return span.kind != SpanKind::start && position(span.segment, span.begin + span.count) > at;
    };
    const auto found = std::find_if(spans_.begin(), spans_.end(), behind_place);
    map_sample_ += samples;
    if (found != spans_.end()) {
        insert_silence(static_cast<std::size_t>(found - spans_.begin()), at, samples);
        return at + samples;
    }
    if (!segment_ || next_start_) {
        fill_to(end_sample() + samples);
    } else {
        append_silence(hold_input(samples));
    }
    return end_sample();
}

void AudioTrack::shift(std::int64_t samples) {
    map_sample_ += samples;
    resync_ = true;
}

std::int64_t AudioTrack::hold_input(std::int64_t samples) {
    held_output_ += samples;
    const std::int64_t input = scale(held_output_, segment_->rate, grid_.rate()) - held_input_;
    held_input_ += input;
    return input;
}

void AudioTrack::insert_silence(std::size_t index, std::int64_t at, std::int64_t samples) {
    const Span whole = spans_[index];
    const auto begin = spans_.begin() + static_cast<std::ptrdiff_t>(index);
    const auto next = std::find_if(begin, spans_.end(), [](const Span& span) { return span.kind == SpanKind::start; });
    const bool in_last_segment = next == spans_.end();
    // Up to the last whole sample before the next segment: the resampler pads the rest, but it cannot overlap.
    const std::int64_t silence = in_last_segment ? hold_input(samples)
                                                 : input_before(whole.segment, next->segment.start + samples) -
                                                       (std::prev(next)->begin + std::prev(next)->count);
    const std::int64_t head = std::clamp<std::int64_t>(input_before(whole.segment, at) - whole.begin, 0, whole.count);

    bool same_segment = true;
    for (std::size_t i = index + 1; i < spans_.size(); ++i) {
        same_segment = same_segment && spans_[i].kind != SpanKind::start;
        if (same_segment) {
            spans_[i].begin += silence;
        } else {
            spans_[i].segment.start += samples;
        }
    }
    if (in_last_segment && !next_start_) {
        count_ += silence;
    } else if (!in_last_segment) {
        segment_->start += samples;
    }
    if (next_start_) *next_start_ += samples;

    Span tail = whole;
    tail.begin += head + silence;
    tail.count -= head;
    tail.offset += head;
    tail.pts_ns += scale(head, kSecondNs, whole.segment.rate);
    spans_[index] = {SpanKind::silence, whole.segment, whole.begin + head, silence, 0, 0, 0, 0};
    const auto place = spans_.begin() + static_cast<std::ptrdiff_t>(index);
    if (tail.count > 0) spans_.insert(place + 1, tail);
    if (head > 0) {
        Span first = whole;
        first.count = head;
        spans_.insert(spans_.begin() + static_cast<std::ptrdiff_t>(index), first);
    }
}

std::int64_t AudioTrack::quiet_place(std::int64_t from, std::int64_t to) const {
    for (const Span& span : spans_) {
        const std::int64_t begin = position(span.segment, span.begin);
        if (begin > to) break;
        if (span.kind == SpanKind::start || position(span.segment, span.begin + span.count) <= from) continue;
        if (span.kind == SpanKind::silence) return std::max(from, begin);
        for (std::int64_t piece = 0; piece < kQuietPieces; ++piece) {
            const std::int64_t middle = (2 * piece + 1) * span.segment.rate / (2 * kQuietPiecesPerSecond);
            if (middle < span.offset || (span.quiet >> piece & 1U) == 0) continue;
            if (middle >= span.offset + span.count) break;
            const std::int64_t place = position(span.segment, span.begin + middle - span.offset);
            if (place >= from && place <= to) return place;
        }
    }
    return from;
}

}  // namespace ringcast::runtime
