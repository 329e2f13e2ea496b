// SPDX-License-Identifier: Apache-2.0
/// The libav handles of the built-in sinks, each alias next to its deleter.
#pragma once

extern "C" {
#include <libavcodec/packet.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
}

#include <memory>

namespace ringcast::sink {

// av_packet_free() also nulls the pointer and unrefs the payload; no separate unref needed.
struct PacketDeleter {
    void operator()(AVPacket* p) const noexcept { av_packet_free(&p); }
};
using PacketPtr = std::unique_ptr<AVPacket, PacketDeleter>;

// libavformat may have replaced the buffer, so it is freed through the context, never by the pointer first given.
struct IoDeleter {
    void operator()(AVIOContext* io) const noexcept {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
};
using IoPtr = std::unique_ptr<AVIOContext, IoDeleter>;

// Frees what an unfinished muxer still buffers; writes nothing.
struct FormatDeleter {
    void operator()(AVFormatContext* context) const noexcept { avformat_free_context(context); }
};
using FormatPtr = std::unique_ptr<AVFormatContext, FormatDeleter>;

}  // namespace ringcast::sink
