// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>

#include "ringcast/reader.hpp"
#include "runtime/timeline.hpp"
#include "runtime/video_converter.hpp"
#include "runtime/video_encoder.hpp"

namespace ringcast::runtime {

/// The video of one output: pictures straight from the ring into the encoder's own format, kept until the timeline has
/// no more use for them. One thread.
class VideoLane {
public:
    VideoLane(const VideoOptions& options, Size size, Rational fps);

    /// Converts the record at the reader's cursor in place and tells the timeline, once it was whole all the time.
    ReadStatus read(FlowReader& flow, Timeline& timeline);
    /// Pictures with lower ids are not needed any more.
    void forget_before(std::uint64_t id);

    void encode(const EmitFrame& frame, const PacketHandler& handler);
    void drain(const PacketHandler& handler) { encoder_.drain(handler); }
    void request_keyframe() noexcept { encoder_.request_keyframe(); }

    [[nodiscard]] const StreamInfo& stream() const noexcept { return encoder_.stream(); }

private:
    struct Picture {
        std::uint64_t id;
        AVFramePtr pixels;
    };

    VideoConverter converter_;
    VideoEncoder encoder_;
    std::deque<Picture> pictures_;  // by rising id
    AVFramePtr black_;
    std::uint64_t next_id_ = 1;  // 0 is the timeline's name for no picture
};

}  // namespace ringcast::runtime
