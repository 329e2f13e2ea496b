// SPDX-License-Identifier: Apache-2.0
/// Owners of cairo objects. Linking cairo is left to the library that includes this.
#pragma once

#include <cairo/cairo.h>

#include <memory>

namespace ringcast::producers {

struct SurfaceDeleter {
    void operator()(cairo_surface_t* surface) const noexcept { cairo_surface_destroy(surface); }
};
using SurfacePtr = std::unique_ptr<cairo_surface_t, SurfaceDeleter>;

struct ContextDeleter {
    void operator()(cairo_t* context) const noexcept { cairo_destroy(context); }
};
using ContextPtr = std::unique_ptr<cairo_t, ContextDeleter>;

struct PatternDeleter {
    void operator()(cairo_pattern_t* pattern) const noexcept { cairo_pattern_destroy(pattern); }
};
using PatternPtr = std::unique_ptr<cairo_pattern_t, PatternDeleter>;

/// Draws into memory that the caller keeps: premultiplied BGRA, lines without padding.
inline SurfacePtr surface_over(unsigned char* pixels, int width, int height) {
    return SurfacePtr(cairo_image_surface_create_for_data(pixels, CAIRO_FORMAT_ARGB32, width, height, width * 4));
}

}  // namespace ringcast::producers
