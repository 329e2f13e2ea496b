// SPDX-License-Identifier: Apache-2.0
/// The work on pixels that makes raw pictures BT.709 4:2:0 of another size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast::runtime {

/// A raw picture in the ring. Caps and format are checked; the bytes may change while they are read.
struct RawPicture {
    VideoFormat format;
    const layout::Caps& caps;
    const std::uint8_t* bytes;
    /// Of the first plane.
    [[nodiscard]] const std::uint8_t* line(int number) const {
        return bytes + caps.plane_offset[0] + number * std::ptrdiff_t{caps.stride[0]};
    }
    [[nodiscard]] bool is_rgb() const {
        return format.format != PixelFormat::i420 && format.format != PixelFormat::nv12;
    }
};

/// Which part of a picture is shown, and where in the output; everything in the output is even.
struct Placement {
    int source_x = 0, source_y = 0, source_width = 0, source_height = 0;
    int x = 0, y = 0, width = 0, height = 0;
};

/// A planar 4:2:0 picture somewhere in memory.
struct Planes {
    std::uint8_t* data[3] = {};
    int stride[3] = {};
    int width = 0;
    int height = 0;
};

/// Where the next line of pixels may begin, so that wide code finds its place.
int aligned_line(int bytes);

/// Draws with rows of our own (RGB to BT.709) and libyuv (everything else). Keeps scratch memory. Not thread-safe.
class Yuv420Drawer {
public:
    /// The part of `picture` that `placement` says, into `target`, which has the placement's size.
    void draw(const RawPicture& picture, const Placement& placement, const Planes& target);

private:
    class Prefetch;
    /// How many lines are scaled in one go.
    struct Stripes {
        int source_lines;
        int target_lines;
        bool whole;  ///< all of them: the ratio has no short period, or the picture grows
    };

    [[nodiscard]] Planes scratch(int width, int height);
    static void draw_lines(const RawPicture& picture, int first, const Planes& target);
    static void draw_rgb(const RawPicture& picture, int first, const Planes& target);
    static void draw_planar(const RawPicture& picture, int first, const Planes& target);
    static void put_two_lines(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, int width,
                              const Planes& target, int line, Prefetch& prefetch);
    static void put_block(PixelFormat format, const std::uint8_t* upper, const std::uint8_t* lower, int width,
                          const Planes& target, Prefetch& prefetch);
    [[nodiscard]] static Stripes stripes_of(const Placement& placement, const Planes& target, int whole_height);
    static void draw_halved(const RawPicture& picture, const Placement& placement, const Planes& target);
    void draw_scaled(const RawPicture& picture, const Placement& placement, const Planes& target);

    std::vector<std::uint8_t> scratch_;  // the input as 4:2:0, before scaling
};

}  // namespace ringcast::runtime
