// SPDX-License-Identifier: Apache-2.0
/// YUV4MPEG2: a text header, then "FRAME" and the three planes without padding.
#include <cstdio>
#include <string>
#include <vector>

#include "command.hpp"
#include "media_output.hpp"
#include "runtime/video_converter.hpp"

namespace ringcast::tools {

namespace {

using runtime::Scale;
using runtime::VideoConverter;

// A hole longer than this is a jump of the model's pts, not frames to be made up.
constexpr std::uint64_t kLongestFillFrames = 1500;

class Y4mOutput : public MediaOutput {
public:
    Y4mOutput(const VideoFormat& video, ByteOutput& out)
        : out_(out), video_(video), converter_(VideoConverter::even_size({video.width, video.height}), Scale::fit) {
        const std::string header = "YUV4MPEG2 W" + std::to_string(video.width) + " H" + std::to_string(video.height) +
                                   " F" + std::to_string(video.fps.num) + ":" + std::to_string(video.fps.den) +
                                   " Ip A1:1 C420 XCOLORRANGE=LIMITED\n";
        write_text(header);
    }

    void video(const MediaPiece& frame) override {
        const std::uint64_t tick = ns_to_count(frame.pts_ns, video_.fps) + shift_;
        if (tick < ticks_) return;  // a rate above the header's: one frame per tick
        if (tick - ticks_ > kLongestFillFrames) {
            shift_ -= tick - ticks_;  // wraps on purpose: shift_ is added to ticks in the same arithmetic
        } else {
            for (; !picture_.empty() && ticks_ < tick; ++ticks_)
                write_picture();
        }
        take(frame);
        write_picture();
        ++ticks_;
    }

    void audio(const MediaPiece& /*samples*/) override {}

private:
    void write_text(const std::string& text) {
        out_.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    }

    void write_picture() {
        write_text("FRAME\n");
        out_.write(picture_);
    }

    /// Planes of the size in the header; chroma is rounded up.
    void take(const MediaPiece& frame) {
        const auto converted = converter_.convert(frame.caps, frame.payload);
        if (!converted) throw VerbError("a frame's caps do not fit its bytes; the bus is damaged");
        picture_.clear();
        for (int plane = 0; plane < 3; ++plane) {
            const std::uint32_t shift = plane == 0 ? 0 : 1;
            const std::uint32_t width = (video_.width + shift) >> shift;
            const std::uint32_t height = (video_.height + shift) >> shift;
            for (std::uint32_t line = 0; line < height; ++line) {
                const std::uint8_t* from =
                    converted->data[plane] + static_cast<std::ptrdiff_t>(line) * converted->linesize[plane];
                picture_.insert(picture_.end(), from, from + width);
            }
        }
    }

    ByteOutput& out_;
    VideoFormat video_;
    VideoConverter converter_;
    std::vector<std::uint8_t> picture_;
    std::uint64_t ticks_ = 0;  // frames written
    std::uint64_t shift_ = 0;
};

}  // namespace

std::unique_ptr<MediaOutput> make_y4m_output(const VideoFormat& video, ByteOutput& out) {
    return std::make_unique<Y4mOutput>(video, out);
}

}  // namespace ringcast::tools
