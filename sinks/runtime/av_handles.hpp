// SPDX-License-Identifier: Apache-2.0
/// Owners of libav's objects, each next to its release call, and libav's error text.
#pragma once

#include <memory>
#include <new>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/audio_fifo.h>
#include <libavutil/buffer.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/frame.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

namespace ringcast::runtime {

// av_frame_free() also drops the references to the picture or the samples.
struct AVFrameDeleter {
    void operator()(AVFrame* frame) const noexcept { av_frame_free(&frame); }
};
using AVFramePtr = std::unique_ptr<AVFrame, AVFrameDeleter>;

// av_packet_free() also unrefs the payload.
struct AVPacketDeleter {
    void operator()(AVPacket* packet) const noexcept { av_packet_free(&packet); }
};
using AVPacketPtr = std::unique_ptr<AVPacket, AVPacketDeleter>;

// avcodec_free_context() closes the codec first.
struct AVCodecContextDeleter {
    void operator()(AVCodecContext* context) const noexcept { avcodec_free_context(&context); }
};
using AVCodecContextPtr = std::unique_ptr<AVCodecContext, AVCodecContextDeleter>;

struct SwsContextDeleter {
    void operator()(SwsContext* context) const noexcept { sws_freeContext(context); }
};
using SwsContextPtr = std::unique_ptr<SwsContext, SwsContextDeleter>;

struct SwrContextDeleter {
    void operator()(SwrContext* context) const noexcept { swr_free(&context); }
};
using SwrContextPtr = std::unique_ptr<SwrContext, SwrContextDeleter>;

struct AVAudioFifoDeleter {
    void operator()(AVAudioFifo* fifo) const noexcept { av_audio_fifo_free(fifo); }
};
using AVAudioFifoPtr = std::unique_ptr<AVAudioFifo, AVAudioFifoDeleter>;

// The pool's memory lives until its last buffer comes back, so frames may outlive the owner of the pool.
struct AVBufferPoolDeleter {
    void operator()(AVBufferPool* pool) const noexcept { av_buffer_pool_uninit(&pool); }
};
using AVBufferPoolPtr = std::unique_ptr<AVBufferPool, AVBufferPoolDeleter>;

// av_buffer_unref() drops one reference; the object goes with the last.
struct AVBufferRefDeleter {
    void operator()(AVBufferRef* reference) const noexcept { av_buffer_unref(&reference); }
};
using AVBufferRefPtr = std::unique_ptr<AVBufferRef, AVBufferRefDeleter>;

struct AVDictionaryDeleter {
    void operator()(AVDictionary* dictionary) const noexcept { av_dict_free(&dictionary); }
};
using AVDictionaryPtr = std::unique_ptr<AVDictionary, AVDictionaryDeleter>;

/// libav's own words for a negative return code: "Invalid argument".
inline std::string av_error_text(int code) {
    char text[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(code, text, sizeof text);
    return text;
}

/// Every alloc call of libav returns NULL only when memory is out.
template <typename Pointer>
Pointer av_owned(typename Pointer::pointer raw) {
    if (raw == nullptr) throw std::bad_alloc();
    return Pointer(raw);
}

}  // namespace ringcast::runtime
