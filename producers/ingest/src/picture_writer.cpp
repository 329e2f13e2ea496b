// SPDX-License-Identifier: Apache-2.0
#include "picture_writer.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <new>

#include "ringcast/error.hpp"

namespace ringcast::ingest {
namespace {

/// The bus has pictures in limited range; of H.264 that is what is meant when nothing is said.
bool fits(const AVFrame& frame) {
    const bool is_known = frame.format == AV_PIX_FMT_YUV420P || frame.format == AV_PIX_FMT_NV12;
    return is_known && frame.color_range != AVCOL_RANGE_JPEG;
}

}  // namespace

VideoFormat PictureWriter::format_of(const AVFrame& frame, Rational fps) {
    VideoFormat format;
    format.format = fits(frame) && frame.format == AV_PIX_FMT_NV12 ? PixelFormat::nv12 : PixelFormat::i420;
    format.width = static_cast<std::uint32_t>(frame.width);
    format.height = static_cast<std::uint32_t>(frame.height);
    if (fps.num > 0) format.fps = fps;
    return format;
}

const AVFrame& PictureWriter::converted(const AVFrame& frame) {
    auto* context =
        sws_getCachedContext(converter_.release(), frame.width, frame.height, static_cast<AVPixelFormat>(frame.format),
                             frame.width, frame.height, AV_PIX_FMT_YUV420P, SWS_BICUBIC, nullptr, nullptr, nullptr);
    if (context == nullptr) {
        const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format));
        throw Error(ErrorCode::unsupported,
                    std::string("pictures of the format ") + (name != nullptr ? name : "?") + " cannot be converted");
    }
    converter_.reset(context);
    const int* table = sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(context, table, frame.color_range == AVCOL_RANGE_JPEG ? 1 : 0, table, 0, 0, 1 << 16,
                             1 << 16);
    if (!target_ || target_->width != frame.width || target_->height != frame.height) {
        target_ = runtime::av_owned<runtime::AVFramePtr>(av_frame_alloc());
        target_->format = AV_PIX_FMT_YUV420P;
        target_->width = frame.width;
        target_->height = frame.height;
        if (av_frame_get_buffer(target_.get(), 0) < 0) throw std::bad_alloc();
    }
    sws_scale(context, frame.data, frame.linesize, 0, frame.height, target_->data, target_->linesize);
    return *target_;
}

void PictureWriter::write(Producer& producer, const AVFrame& frame) {
    const AVFrame& picture = fits(frame) ? frame : converted(frame);
    FrameView view;
    for (std::size_t plane = 0; plane < 3; ++plane) {
        view.planes[plane] = reinterpret_cast<const std::byte*>(picture.data[plane]);
        view.strides[plane] = picture.linesize[plane];
    }
    producer.write_video(view, frame.best_effort_timestamp);
}

}  // namespace ringcast::ingest
