// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringcast/caps.hpp"
#include "runtime/av_handles.hpp"
#include "runtime/sink_options.hpp"
#include "runtime/yuv420_drawer.hpp"

namespace ringcast::runtime {

/// Turns raw records of any size and format into pictures of one size and format: BT.709, limited range.
///
/// yuv420p and nv12 are made by Yuv420Drawer, any other format by swscale.
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
    /// Memory that one picture takes.
    [[nodiscard]] std::size_t picture_bytes() const noexcept { return picture_bytes_; }

    /// The next even size up: a picture of odd size is padded by one replicated line or column.
    static Size even_size(Size size) noexcept { return {(size.width + 1U) & ~1U, (size.height + 1U) & ~1U}; }

private:
    [[nodiscard]] AVFramePtr new_frame();
    [[nodiscard]] Placement place(int width, int height) const;
    void fill_border(const AVFrame& frame, const Placement& placement) const;
    void fill_black(const AVFrame& frame) const;
    [[nodiscard]] static Planes planes_of(const AVFrame& frame, const Placement& placement);
    void draw_nv12(const RawPicture& picture, const Placement& placement, const AVFrame& frame);
    void draw_by_swscale(const RawPicture& picture, const Placement& placement, const AVFrame& frame);

    Size output_;
    Scale scale_;
    AVPixelFormat format_;
    std::size_t picture_bytes_;
    AVBufferPoolPtr pool_;
    SwsContextPtr sws_;                 // for formats libyuv has no path to
    std::vector<std::uint8_t> chroma_;  // U and V apart, before they are merged for nv12
    std::vector<std::uint8_t> copy_;    // of the input, for swscale
    Yuv420Drawer drawer_;
};

}  // namespace ringcast::runtime
