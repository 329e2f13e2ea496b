// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_lane.hpp"

#include <algorithm>
#include <utility>

namespace ringcast::runtime {

EncodedVideo::EncodedVideo(const VideoOptions& options, Size size, Rational fps)
    : encoder_(options, size, fps, static_cast<std::uint32_t>(Media::video)),
      converter_(size, options.scale, encoder_.pixel_format()) {}

ReadStatus EncodedVideo::read(FlowReader& flow, const Timeline& timeline) {
    AVFramePtr pixels;
    VideoRecord record;
    bool wanted = false;
    const ReadStatus status = flow.try_read([&](const Record& ring) {
        record.id = id_of(ring.index);
        record.pts_ns = ring.pts_ns;
        record.duration_ns = ring.duration_ns;
        record.capture_time_ns = ring.capture_time_ns;
        record.session = ring.session;
        record.discontinuity = (ring.flags & layout::kFlagDiscontinuity) != 0;
        record.explicit_pts = (ring.flags & layout::kFlagExplicitPts) != 0;
        wanted = timeline.wants_video(record);
        if (wanted) pixels = converter_.convert(ring.caps, ring.payload);
    });
    if (status != ReadStatus::ok) return status;
    if (wanted && !pixels) return ReadStatus::damaged;  // the bus checked the caps: the picture breaks its own rules
    next_id_ = record.id + 1;
    read_record_ = record;
    read_pixels_ = std::move(pixels);
    return status;
}

void EncodedVideo::tell(Timeline& timeline) {
    if (timeline.on_video(read_record_) && read_pixels_) {
        pictures_.push_back({read_record_.id, std::move(read_pixels_)});
    }
    read_pixels_.reset();
}

void EncodedVideo::forget_before(std::uint64_t id) {
    while (!pictures_.empty() && pictures_.front().id < id)
        pictures_.pop_front();
}

void EncodedVideo::encode(const EmitFrame& frame, const PacketHandler& handler) {
    const AVFrame* pixels = nullptr;
    if (frame.kind == FrameKind::stall_slate) {
        pixels = stall_slate_.get();
    } else if (frame.kind != FrameKind::slate) {
        const auto found = std::lower_bound(pictures_.begin(), pictures_.end(), frame.id,
                                            [](const Picture& picture, std::uint64_t id) { return picture.id < id; });
        if (found != pictures_.end() && found->id == frame.id) pixels = found->pixels.get();
    }
    if (pixels == nullptr) {
        if (!black_) black_ = converter_.black();
        pixels = black_.get();
    }
    encoder_.encode(*pixels, frame.tick, frame.capture_time_ns, handler);
}

}  // namespace ringcast::runtime
