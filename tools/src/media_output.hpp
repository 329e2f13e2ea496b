// SPDX-License-Identifier: Apache-2.0
/// Records of a bus as a stream of bytes that other programs understand: what `ringcast cat` writes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "byte_output.hpp"
#include "ringcast/caps.hpp"

namespace ringcast::tools {

enum class MediaFormat { nut, y4m, wav, raw };
std::string_view media_name(MediaFormat format);
std::optional<MediaFormat> media_format_from(std::string_view name);
/// By the suffix of a file name.
std::optional<MediaFormat> media_format_of(std::string_view file_name);

struct MediaStreams {
    std::optional<VideoFormat> video;
    std::optional<AudioFormat> audio;
};

/// A frame, or a run of samples, that is whole and fits its caps.
struct MediaPiece {
    const layout::Caps& caps;
    std::span<const std::byte> payload;
    std::int64_t pts_ns = 0;  ///< on the output's own timeline: starts near 0, never falls within a stream
};

/// Life cycle: made with the formats of all streams, pieces in any order of streams, finish() once or never.
/// Thread safety: none. Errors are VerbError; ReaderLeft and Stopped come out of ByteOutput.
class MediaOutput {
public:
    MediaOutput() = default;
    MediaOutput(const MediaOutput&) = delete;
    MediaOutput& operator=(const MediaOutput&) = delete;
    virtual ~MediaOutput() = default;
    virtual void video(const MediaPiece& frame) = 0;
    virtual void audio(const MediaPiece& samples) = 0;
    virtual void finish() {}
};

/// raw: payloads as they are. y4m: I420 at a constant rate, a missing frame is the one before again. wav: a gap is
/// silence. nut: raw video and PCM with their times. The streams a format cannot carry must not be given.
std::unique_ptr<MediaOutput> make_media_output(MediaFormat format, const MediaStreams& streams, ByteOutput& out);

std::unique_ptr<MediaOutput> make_y4m_output(const VideoFormat& video, ByteOutput& out);
std::unique_ptr<MediaOutput> make_lav_output(MediaFormat format, const MediaStreams& streams, ByteOutput& out);

}  // namespace ringcast::tools
