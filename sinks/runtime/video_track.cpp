// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_track.hpp"

#include <algorithm>

namespace ringcast::runtime {

void VideoTrack::join(std::int64_t tick, std::int64_t pts_ns) {
    fill_to(tick);
    map_tick_ = tick;
    map_pts_ns_ = pts_ns;
    previous_.reset();
    last_end_tick_ = tick;
}

// Nearest tick, halves down (of two frames per tick the exact one wins). A source whose frames are whole ticks apart
// (to a quarter), but stand between two ticks, would flip from side to side: it keeps its side until it is 0.6 ticks
// off.
VideoTrack::Assignment VideoTrack::assign(const VideoRecord& record) const {
    const Int128 tick_length = grid_.tick_den();
    const Int128 offset = (static_cast<Int128>(record.pts_ns) - map_pts_ns_) * grid_.tick_num();
    const auto nearest = static_cast<std::int64_t>(ceil_div(2 * offset - tick_length, 2 * tick_length));
    Assignment assignment{map_tick_ + nearest, offset};
    if (!previous_ || record.discontinuity) return assignment;

    const Int128 step = offset - previous_->offset;
    const Int128 whole = round_div(step, tick_length);
    const Int128 kept = previous_->tick - map_tick_ + whole;
    const Int128 jitter = step - whole * tick_length;
    const Int128 error = offset - kept * tick_length;
    const bool in_step = whole >= 1 && jitter * 4 <= tick_length && jitter * 4 >= -tick_length;
    if (in_step && error * 10 <= 6 * tick_length && error * 10 >= -6 * tick_length) {
        assignment.tick = map_tick_ + static_cast<std::int64_t>(kept);
    }
    return assignment;
}

bool VideoTrack::place(const VideoRecord& record, bool show_early) {
    const Assignment assignment = assign(record);
    previous_ = assignment;
    if (assignment.tick < next_tick_) {
        ++dropped_;
        return false;
    }
    if (assignment.tick > next_tick_) {
        if (!has_picture_ && show_early) append(FrameKind::repeat, record.id, assignment.tick - next_tick_, 0);
        fill_to(assignment.tick);
    }
    append(FrameKind::fresh, record.id, 1, record.capture_time_ns);
    has_picture_ = true;
    fill_ = FrameKind::repeat;
    last_id_ = record.id;
    const std::int64_t shown_ns = std::clamp<std::int64_t>(record.duration_ns, 0, kSecondNs);
    last_end_tick_ = assignment.tick + std::max<std::int64_t>(1, scale(shown_ns, grid_.tick_num(), grid_.tick_den()));
    return true;
}

void VideoTrack::hold(std::int64_t ticks) {
    for (Span& span : spans_) {
        span.tick += ticks;
        span.first_tick += ticks;
    }
    const std::int64_t tick = spans_.empty() ? next_tick_ : spans_.front().tick - ticks;
    const FrameKind kind = popped_id_ == 0 ? FrameKind::slate : fill_;
    spans_.push_front({kind, popped_id_, tick, ticks, 0, tick, pts_at(grid_.tick_to_ns(tick))});
    next_tick_ += ticks;
    last_end_tick_ += ticks;
    shift(ticks);
}

void VideoTrack::shift(std::int64_t ticks) {
    map_tick_ += ticks;
    if (previous_) previous_->tick += ticks;
}

void VideoTrack::void_queued() {
    next_tick_ = last_end_tick_ = popped_tick();
    dropped_ += held_;
    held_ = 0;
    spans_.clear();
    last_id_ = popped_id_;
    has_picture_ = popped_id_ != 0;
}

void VideoTrack::fill_to(std::int64_t tick) {
    if (tick <= next_tick_) return;
    append(fill_kind(), last_id_, tick - next_tick_, 0);
}

void VideoTrack::cut_to(std::int64_t tick) {
    while (!spans_.empty() && spans_.back().tick + spans_.back().count > tick) {
        Span& last = spans_.back();
        last.count = std::max<std::int64_t>(0, tick - last.tick);
        next_tick_ = last.tick + last.count;
        if (last.count > 0) break;
        if (last.kind == FrameKind::fresh) {
            ++dropped_;
            --held_;
        }
        spans_.pop_back();
    }
}

std::int64_t VideoTrack::nominal_end() const {
    return std::max(next_tick_, last_end_tick_);
}

std::int64_t VideoTrack::pts_to_ns(std::int64_t pts_ns) const {
    return saturate(static_cast<Int128>(pts_ns) - map_pts_ns_ + grid_.tick_to_ns(map_tick_));
}

std::int64_t VideoTrack::pts_at(std::int64_t output_ns) const {
    return saturate(static_cast<Int128>(map_pts_ns_) + output_ns - grid_.tick_to_ns(map_tick_));
}

void VideoTrack::append(FrameKind kind, std::uint64_t id, std::int64_t count, std::int64_t capture_time_ns) {
    if (kind == FrameKind::fresh) ++held_;
    const bool extends =
        kind != FrameKind::fresh && !spans_.empty() && spans_.back().kind == kind && spans_.back().id == id;
    if (extends) {
        spans_.back().count += count;
    } else {
        spans_.push_back({kind, id, next_tick_, count, capture_time_ns, next_tick_, pts_at(end_ns())});
    }
    next_tick_ += count;
}

std::optional<std::int64_t> VideoTrack::front_tick() const {
    return spans_.empty() ? std::nullopt : std::optional(spans_.front().tick);
}

EmitFrame VideoTrack::pop() {
    Span& span = spans_.front();
    const std::int64_t since_first_ns = grid_.tick_to_ns(span.tick) - grid_.tick_to_ns(span.first_tick);
    const EmitFrame frame{span.tick, span.kind, span.id, span.capture_time_ns, span.first_pts_ns + since_first_ns};
    popped_id_ = std::max(popped_id_, span.id);
    if (span.kind == FrameKind::fresh) --held_;
    ++span.tick;
    if (--span.count == 0) spans_.pop_front();
    return frame;
}

}  // namespace ringcast::runtime
