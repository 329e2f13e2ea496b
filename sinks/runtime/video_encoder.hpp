// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "runtime/av_handles.hpp"
#include "runtime/hardware.hpp"
#include "runtime/packet.hpp"
#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

/// One libavcodec encoder of H.264 or H.265: pictures of one size in, length-prefixed packets out, a keyframe with the
/// first picture at or after every multiple of the GOP. Not thread-safe but for request_keyframe().
class VideoEncoder {
public:
    /// Opens the encoder, or options.fallback when it cannot run here. Throws Error with one line that names the
    /// encoder, the option and the fix.
    VideoEncoder(const VideoOptions& options, Size size, Rational fps, std::uint32_t stream_index = 0);
    VideoEncoder(const VideoEncoder&) = delete;
    VideoEncoder& operator=(const VideoEncoder&) = delete;

    /// extradata (avcC, hvcC) is there from the start.
    [[nodiscard]] const StreamInfo& stream() const noexcept { return stream_; }
    [[nodiscard]] std::uint32_t gop_frames() const noexcept { return gop_frames_; }

    /// What pictures must be.
    [[nodiscard]] AVPixelFormat pixel_format() const noexcept { return pixel_format_; }
    /// "libx264 instead of h264_nvenc: ..." when the fallback is at work; else empty.
    [[nodiscard]] const std::string& note() const noexcept { return note_; }

    /// `picture` has the encoder's size and pixel format; the encoder keeps its own reference to the pixels, which must
    /// not change any more (the same picture may be given again to repeat it). `tick` is the frame's place in the
    /// output, rising strictly. Throws Error(system) when the encoder fails.
    void encode(const AVFrame& picture, std::int64_t tick, std::int64_t capture_time_ns, const PacketHandler& handler);

    /// Gives the packets still inside. Afterwards encode() is refused.
    void drain(const PacketHandler& handler);

    /// The next picture becomes a keyframe. [any-thread]
    void request_keyframe() noexcept { keyframe_requested_.store(true, std::memory_order_relaxed); }

private:
    struct CaptureTime {
        std::int64_t tick;
        std::int64_t ns;
    };

    void open(const VideoOptions& options);
    [[nodiscard]] bool begins_gop(std::int64_t tick);
    void receive_all(const PacketHandler& handler);
    Packet finish_packet(AVPacketPtr raw);
    std::int64_t take_capture_time(std::int64_t tick);

    AVCodecContextPtr codec_;
    std::optional<HardwareUpload> upload_;
    AVPixelFormat pixel_format_ = AV_PIX_FMT_YUV420P;
    std::string note_;
    AVFramePtr input_;
    StreamInfo stream_;
    std::uint32_t stream_index_;
    std::uint32_t gop_frames_ = 0;
    std::int64_t last_gop_ = -1;  // number of the GOP the last picture was in
    bool annex_b_ = true;
    bool drained_ = false;
    std::atomic<bool> keyframe_requested_{false};
    std::deque<CaptureTime> capture_times_;  // of pictures inside the encoder, oldest first
};

}  // namespace ringcast::runtime
