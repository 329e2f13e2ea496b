// SPDX-License-Identifier: Apache-2.0
/// libav's names for the formats of raw flows.
#pragma once

extern "C" {
#include <libavutil/pixfmt.h>
}

#include "ringcast/caps.hpp"

namespace ringcast::runtime {

/// The fourth byte of rgba and bgra counts as alpha: a file made of the flow keeps what the producer put there.
inline AVPixelFormat av_format_of(PixelFormat format) {
    switch (format) {
        case PixelFormat::rgb24:
            return AV_PIX_FMT_RGB24;
        case PixelFormat::bgr24:
            return AV_PIX_FMT_BGR24;
        case PixelFormat::rgba:
            return AV_PIX_FMT_RGBA;
        case PixelFormat::bgra:
            return AV_PIX_FMT_BGRA;
        case PixelFormat::i420:
            return AV_PIX_FMT_YUV420P;
        case PixelFormat::nv12:
            return AV_PIX_FMT_NV12;
    }
    return AV_PIX_FMT_NONE;
}

}  // namespace ringcast::runtime
