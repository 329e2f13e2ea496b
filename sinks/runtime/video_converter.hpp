// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringcast/caps.hpp"
#include "runtime/av_handles.hpp"
#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

/// Turns raw records of any size and format into pictures of one size and format: BT.709, limited range.
///
/// yuv420p and nv12 are made by libyuv and rows of our own, any other format by swscale.
/// Works straight from the ring: the bytes may change while they are read, so every bound comes from `caps` and
/// `payload.size()`, never from the bytes. Pixel memory comes from a pool that lives as long as its last frame.
/// Not thread-safe.
class VideoConverter {
public:
    /// `output` must be even on both sides (even_size()).
    VideoConverter(Size output, Scale scale, AVPixelFormat format = AV_PIX_FMT_YUV420P);

    /// A new frame the caller owns, pts unset; nullptr when caps are not those of a raw picture that fits the payload.
    [[nodiscard]] AVFramePtr convert(const layout::Caps& caps, std::span<const std::byte> payload);

    /// A black picture of the output size.
    [[nodiscard]] AVFramePtr black();

    [[nodiscard]] Size output() const noexcept { return output_; }

    /// The next even size up: a picture of odd size is padded by one replicated line or column.
    static Size even_size(Size size) noexcept { return {(size.width + 1U) & ~1U, (size.height + 1U) & ~1U}; }

private:
    /// A planar 4:2:0 picture somewhere in memory.
    struct Planes {
        std::uint8_t* data[3] = {};
        int stride[3] = {};
        int width = 0;
        int height = 0;
    };
    /// Which part of the input is shown, and where in the output; everything in the output is even.
    struct Placement {
        int source_x = 0, source_y = 0, source_width = 0, source_height = 0;
        int x = 0, y = 0, width = 0, height = 0;
    };
    struct Input {
        VideoFormat format;
        const layout::Caps& caps;
        const std::uint8_t* bytes;
        /// Of the first plane.
        [[nodiscard]] const std::uint8_t* line(int number) const {
            return bytes + caps.plane_offset[0] + number * std::ptrdiff_t{caps.stride[0]};
        }
    };
    class Prefetch;
    /// How many lines are scaled in one go.
    struct Stripes {
        int source_lines;
        int target_lines;
        bool whole;  ///< all of them: the ratio has no short period, or the picture grows
    };

    [[nodiscard]] AVFramePtr new_frame();
    [[nodiscard]] Placement place(int width, int height) const;
    void fill_border(const AVFrame& frame, const Placement& placement) const;
    [[nodiscard]] Planes scratch(int width, int height);
    void fill_black(const AVFrame& frame) const;
    [[nodiscard]] static Planes planes_of(const AVFrame& frame, const Placement& placement);
    void draw_placed(const Input& input, const Placement& placement, const Planes& target);
    void draw_nv12(const Input& input, const Placement& placement, const AVFrame& frame);
    static void draw(const Input& input, int first, const Planes& target);
    static void draw_rgb(const Input& input, int first, const Planes& target);
    void draw_halved(const Input& input, const Placement& placement, const Planes& target);
    static void put_two_lines(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, int width,
                              const Planes& target, int line, Prefetch& prefetch);
    static void draw_planar(const Input& input, int first, const Planes& target);
    [[nodiscard]] static Stripes stripes_of(const Placement& placement, const Planes& target, int whole_height);
    void draw_scaled(const Input& input, const Placement& placement, const Planes& target);
    void draw_by_swscale(const Input& input, const Placement& placement, const AVFrame& frame);

    Size output_;
    Scale scale_;
    AVPixelFormat format_;
    AVBufferPoolPtr pool_;
    SwsContextPtr sws_;                  // for formats libyuv has no path to
    std::vector<std::uint8_t> chroma_;   // U and V apart, before they are merged for nv12
    std::vector<std::uint8_t> scratch_;  // the input as 4:2:0, before scaling
    std::vector<std::uint8_t> rows_;     // two lines of half the size
};

}  // namespace ringcast::runtime
