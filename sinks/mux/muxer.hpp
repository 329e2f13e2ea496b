// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <cstdint>
#include <exception>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mux/av_handles.hpp"

namespace ringcast::sink {

/// Where a muxer's bytes go. Both calls may throw SinkError; it comes out of the Muxer call that caused the write.
class ByteSink {
public:
    ByteSink() = default;
    ByteSink(const ByteSink&) = delete;
    ByteSink& operator=(const ByteSink&) = delete;
    virtual ~ByteSink() = default;

    virtual void write(std::span<const std::uint8_t> bytes) = 0;

    /// Moves the write position to this many bytes from the start; only called when seekable.
    virtual void seek(std::int64_t position) = 0;
};

using MuxerOptions = std::vector<std::pair<const char*, std::string>>;

/// Throws SinkError(E_UNSUPPORTED) for a codec that the format of this name cannot carry.
void check_codecs(const char* format, std::span<const ringcast_sink_stream* const> streams);

/// One libavformat muxer over the streams of headers(). All errors are SinkError.
/// Life cycle: constructor writes the header, write()* and flush()*, finish() once or never; without finish() nothing
/// more is written. Thread safety: none.
class Muxer {
public:
    struct Format {
        const char* name;      ///< as libavformat calls it
        bool seekable;         ///< the sink can seek: the muxer may amend what it wrote
        int max_delay_us = 0;  ///< MPEG-TS: how far the clock reference runs ahead of the packets
        MuxerOptions options;  ///< passed to libavformat; one it does not know is our bug
    };

    /// Throws SinkError(E_UNSUPPORTED) for a codec the format cannot carry.
    Muxer(const Format& format, std::span<const ringcast_sink_stream* const> streams, ByteSink& out);
    Muxer(const Muxer&) = delete;
    Muxer& operator=(const Muxer&) = delete;
    ~Muxer() = default;

    /// Writes one packet, shifted by `shift_us` microseconds on the container's timeline.
    void write(const ringcast_sink_packet& packet, std::int64_t shift_us = 0);

    /// Ends what the muxer holds back (an mp4 fragment, a PES packet); all bytes so far are with the ByteSink.
    void flush();

    /// Changes an option of the running muxer, such as mpegts_flags.
    void set_option(const char* name, const char* value);

    /// Writes the trailer.
    void finish();

private:
    static int on_write(void* self, std::uint8_t* data, int size);
    static std::int64_t on_seek(void* self, std::int64_t offset, int whence);
    void add_stream(const ringcast_sink_stream& stream);
    void check(int result, const char* attempt);

    ByteSink& out_;
    IoPtr io_;
    FormatPtr context_;
    PacketPtr packet_;
    std::vector<AVRational> timebases_;
    // Exceptions must not pass through libavformat's C frames: kept here and thrown by check().
    std::exception_ptr failure_;
};

}  // namespace ringcast::sink
