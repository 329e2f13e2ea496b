// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "ringcast/reader.hpp"
#include "runtime/packet_streams.hpp"
#include "runtime/picture_file.hpp"
#include "runtime/timeline.hpp"
#include "runtime/video_converter.hpp"
#include "runtime/video_encoder.hpp"

namespace ringcast::runtime {

/// The video of one output, from the records of a flow to packets. One thread.
class VideoLane {
public:
    VideoLane() = default;
    VideoLane(const VideoLane&) = delete;
    VideoLane& operator=(const VideoLane&) = delete;
    virtual ~VideoLane() = default;

    /// The picture shown when a stall has lasted too long.
    virtual void set_stall_slate(const PictureFile& /*picture*/) {}

    /// Another bus counts from the start again; ids go on.
    void enter_bus(std::uint64_t cursor) { id_of_index_0_ = next_id_ - cursor; }
    [[nodiscard]] std::uint64_t id_of(std::uint64_t index) const { return index + id_of_index_0_; }

    /// Takes the record at the reader's cursor. It comes out only when it was whole all the time.
    virtual ReadStatus read(FlowReader& flow, const Timeline& timeline) = 0;
    /// Tells the timeline of the record that was read last.
    virtual void tell(Timeline& timeline) = 0;
    /// Records with lower ids are not needed any more.
    virtual void forget_before(std::uint64_t id) = 0;

    /// The sound that was read last, when it stands in the same flow.
    virtual std::optional<AudioRecord> take_sound() { return std::nullopt; }

    virtual void encode(const EmitFrame& frame, const PacketHandler& handler) = 0;
    virtual void drain(const PacketHandler& handler) = 0;
    virtual void request_keyframe() noexcept {}

    [[nodiscard]] virtual const StreamInfo& stream() const noexcept = 0;
    /// Memory that a picture which waits for its sound takes; of encoded ones more than any will.
    [[nodiscard]] virtual std::size_t picture_bytes() const noexcept {
        return std::size_t{stream().width} * stream().height * 3 / 2;
    }
    [[nodiscard]] virtual std::string note() const { return {}; }  ///< VideoEncoder::note()
    /// The input is coded in another way from here on, which this output's headers do not describe.
    [[nodiscard]] virtual bool needs_new_output() const noexcept { return false; }
    [[nodiscard]] virtual std::optional<PassedStreams> next_streams() const { return std::nullopt; }
    /// What the timeline cannot know.
    virtual void adjust(TimelineCounters& /*counters*/) const {}

protected:
    std::uint64_t next_id_ = 1;  // 0 is the timeline's name for no picture

private:
    std::uint64_t id_of_index_0_ = 1;
};

/// Pictures straight from the ring into the encoder's own format, kept until the timeline has no more use for them.
class EncodedVideo final : public VideoLane {
public:
    EncodedVideo(const VideoOptions& options, Size size, Rational fps);

    void set_stall_slate(const PictureFile& picture) override {
        stall_slate_ = converter_.convert(picture.caps, picture.pixels);
    }

    ReadStatus read(FlowReader& flow, const Timeline& timeline) override;
    void tell(Timeline& timeline) override;
    void forget_before(std::uint64_t id) override;

    void encode(const EmitFrame& frame, const PacketHandler& handler) override;
    void drain(const PacketHandler& handler) override { encoder_.drain(handler); }
    void request_keyframe() noexcept override { encoder_.request_keyframe(); }

    [[nodiscard]] const StreamInfo& stream() const noexcept override { return encoder_.stream(); }
    [[nodiscard]] std::size_t picture_bytes() const noexcept override { return converter_.picture_bytes(); }
    [[nodiscard]] std::string note() const override { return encoder_.note(); }

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
};

}  // namespace ringcast::runtime
