// SPDX-License-Identifier: Apache-2.0
#include "media_output.hpp"

#include <array>

#include "command.hpp"

namespace ringcast::tools {

namespace {

constexpr std::array<MediaFormat, 4> kFormats{MediaFormat::nut, MediaFormat::y4m, MediaFormat::wav, MediaFormat::raw};

class RawOutput : public MediaOutput {
public:
    explicit RawOutput(ByteOutput& out) : out_(out) {}
    void video(const MediaPiece& frame) override { write(frame); }
    void audio(const MediaPiece& samples) override { write(samples); }

private:
    void write(const MediaPiece& piece) {
        out_.write({reinterpret_cast<const std::uint8_t*>(piece.payload.data()), piece.payload.size()});
    }
    ByteOutput& out_;
};

}  // namespace

std::string_view media_name(MediaFormat format) {
    constexpr std::array<std::string_view, 4> kNames{"nut", "y4m", "wav", "raw"};
    return kNames.at(static_cast<std::size_t>(format));
}

std::optional<MediaFormat> media_format_from(std::string_view name) {
    for (const MediaFormat format : kFormats) {
        if (media_name(format) == name) return format;
    }
    return std::nullopt;
}

std::optional<MediaFormat> media_format_of(std::string_view file_name) {
    const std::size_t dot = file_name.rfind('.');
    return dot == std::string_view::npos ? std::nullopt : media_format_from(file_name.substr(dot + 1));
}

std::unique_ptr<MediaOutput> make_media_output(MediaFormat format, const MediaStreams& streams, ByteOutput& out) {
    if (format == MediaFormat::raw) return std::make_unique<RawOutput>(out);
    if (format == MediaFormat::y4m) return make_y4m_output(streams.video.value(), out);
    return make_lav_output(format, streams, out);
}

}  // namespace ringcast::tools
