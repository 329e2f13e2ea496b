// SPDX-License-Identifier: Apache-2.0
#pragma once

extern "C" {
#include <libavformat/avformat.h>
}

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "runtime/av_handles.hpp"

namespace ringcast::ingest {

/// libavformat's demuxer of one connection, opened without the probing that would hold the start up: the format is
/// known, and what the streams are is seen from their packets.
/// Thread safety: none.
class Demuxer {
public:
    /// Blocks until there are bytes; 0 at the end of the connection.
    using Pull = std::function<std::size_t(std::span<std::uint8_t>)>;
    /// True: give up whatever libavformat waits for.
    using Interrupt = std::function<bool()>;

    /// Asked when the bytes have ended: whether the stream of that id (MPEG-TS: PID) broke off within a packet.
    using Torn = std::function<bool(int id)>;

    /// `format` as libavformat calls it, over bytes that the caller brings.
    Demuxer(const char* format, Pull pull, Torn torn = {});
    /// `format` over an address of libavformat's own protocols. Throws std::runtime_error with libav's words.
    Demuxer(const char* format, const std::string& url, const std::map<std::string, std::string>& options,
            Interrupt interrupt);
    Demuxer(const Demuxer&) = delete;
    Demuxer& operator=(const Demuxer&) = delete;
    ~Demuxer();

    /// The next packet; nullptr at the end of the connection, whatever ended it.
    runtime::AVPacketPtr read();
    [[nodiscard]] std::span<AVStream* const> streams() const;
    /// Bytes taken from the connection so far.
    [[nodiscard]] std::uint64_t received() const;
    /// libav's words about the end, empty when it came in order.
    [[nodiscard]] const std::string& end_text() const noexcept { return end_text_; }

private:
    static int pull(void* self, std::uint8_t* into, int size);
    static int is_interrupted(void* self);
    void open(const char* format, const std::string& url, AVDictionary** options);
    void throw_kept();
    runtime::AVPacketPtr next();
    void leave_out_torn();

    Pull pull_;
    Torn torn_;
    bool bytes_ended_ = false;
    bool has_rest_ = false;
    std::deque<runtime::AVPacketPtr> rest_;  ///< of a connection whose bytes have ended
    Interrupt interrupt_;
    std::uint64_t pulled_ = 0;
    std::string end_text_;
    std::exception_ptr failure_;
    AVIOContext* io_ = nullptr;  ///< our own, nullptr over an address
    AVFormatContext* context_ = nullptr;
};

}  // namespace ringcast::ingest
