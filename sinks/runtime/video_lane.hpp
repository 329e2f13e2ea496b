// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "ringcast/reader.hpp"
#include "runtime/picture_file.hpp"
#include "runtime/timeline.hpp"
#include "runtime/video_converter.hpp"
#include "runtime/video_encoder.hpp"

namespace ringcast::runtime {

/// The video of one output: pictures straight from the ring into the encoder's own format, kept until the timeline has
/// no more use for them. One thread.
class VideoLane {
public:
    VideoLane(const VideoOptions& options, Size size, Rational fps);

    /// The picture shown when a stall has lasted too long.
    void set_stall_slate(const PictureFile& picture) {
        stall_slate_ = converter_.convert(picture.caps, picture.pixels);
    }

    /// Another bus counts from the start again; ids go on.
    void enter_bus(std::uint64_t cursor) { id_of_index_0_ = next_id_ - cursor; }
    [[nodiscard]] std::uint64_t id_of(std::uint64_t index) const { return index + id_of_index_0_; }

    /// Converts the record at the reader's cursor in place. It comes out only when it was whole all the time.
    ReadStatus read(FlowReader& flow, const Timeline& timeline);
    /// Tells the timeline of the record that was read last.
    void tell(Timeline& timeline);
    /// Pictures with lower ids are not needed any more.
    void forget_before(std::uint64_t id);

    void encode(const EmitFrame& frame, const PacketHandler& handler);
    void drain(const PacketHandler& handler) { encoder_.drain(handler); }
    void request_keyframe() noexcept { encoder_.request_keyframe(); }

    [[nodiscard]] const StreamInfo& stream() const noexcept { return encoder_.stream(); }
    [[nodiscard]] const std::string& note() const noexcept { return encoder_.note(); }  ///< VideoEncoder::note()

private:
    struct Picture {
        std::uint64_t id;
        AVFramePtr pixels;
    };

    VideoEncoder encoder_;
    VideoConverter converter_;
    VideoRecord read_record_;
    AVFramePtr read_pixels_;        // of it; none when it has no place
    std::deque<Picture> pictures_;  // by rising id
    AVFramePtr black_;
    AVFramePtr stall_slate_;
    std::uint64_t next_id_ = 1;  // 0 is the timeline's name for no picture
    std::uint64_t id_of_index_0_ = 1;
};

}  // namespace ringcast::runtime
