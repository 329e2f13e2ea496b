// SPDX-License-Identifier: Apache-2.0
/// Formats of raw records and the arithmetic between counts and nanoseconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/layout.hpp"

namespace ringcast {

using layout::FlowKind;

enum class PixelFormat : std::uint32_t { rgb24 = 1, bgr24 = 2, rgba = 3, bgra = 4, i420 = 5, nv12 = 6 };
enum class SampleFormat : std::uint32_t { s16 = 1, f32 = 2 };  ///< interleaved; f32 full scale is 1.0
enum class Codec : std::uint32_t { h264 = 1, h265 = 2, aac = 3, opus = 4 };

struct Rational {
    std::uint32_t num = 0;
    std::uint32_t den = 1;
    friend bool operator==(const Rational&, const Rational&) = default;
};

/// Planes are stored without padding unless the writer says otherwise; odd sizes have chroma planes rounded up.
struct VideoFormat {
    PixelFormat format = PixelFormat::bgr24;
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    Rational fps{25, 1};
    friend bool operator==(const VideoFormat&, const VideoFormat&) = default;
};

struct AudioFormat {
    SampleFormat format = SampleFormat::s16;
    std::uint32_t rate = 0;      ///< Hz, 8000..192000
    std::uint32_t channels = 0;  ///< 1..8
    friend bool operator==(const AudioFormat&, const AudioFormat&) = default;
};

/// Names as options and JSON show them ("bgr24", "s16", "video").
std::string_view name_of(PixelFormat format);
std::string_view name_of(SampleFormat format);
std::string_view name_of(Codec codec);
std::string_view name_of(FlowKind kind);
std::optional<PixelFormat> pixel_format_from(std::string_view name);
std::optional<SampleFormat> sample_format_from(std::string_view name);

/// Tightly packed numeric caps. Throw Error(invalid_argument) with the offending value outside the limits
/// (1..16384 pixels a side, 1..1000 fps, 8000..192000 Hz, 1..8 channels).
layout::Caps make_caps(const VideoFormat& format);
layout::Caps make_caps(const AudioFormat& format);

/// The way back; nullopt when the caps, which may come from a hostile object, are not valid or do not fit payload_size
/// (pass SIZE_MAX to leave the size unchecked).
std::optional<VideoFormat> video_format_of(const layout::Caps& caps, std::uint64_t payload_size);
std::optional<AudioFormat> audio_format_of(const layout::Caps& caps);

/// What caps of a packets flow say of their stream; 0 where it is not known. nullopt when the codec is not one of ours.
struct PacketFormat {
    Codec codec = Codec::h264;
    std::uint32_t width = 0;  ///< video
    std::uint32_t height = 0;
    Rational fps{0, 1};
    std::uint32_t rate = 0;  ///< audio
    std::uint32_t channels = 0;
};
std::optional<PacketFormat> packet_format_of(const layout::Caps& caps);

/// Lines of one plane of these (valid) caps.
std::uint32_t plane_lines(const layout::Caps& caps, std::uint32_t plane);
/// Bytes of one frame with these (valid) caps; bytes of one sample of all channels.
std::uint64_t frame_bytes(const layout::Caps& caps);
std::uint32_t sample_bytes(const layout::Caps& caps);

/// Exact, rounded to nearest, no drift: count · den / num seconds in ns (128-bit inside), and the way back.
std::int64_t count_to_ns(std::uint64_t count, Rational per_second);
std::uint64_t ns_to_count(std::int64_t ns, Rational per_second);

/// "25", "30000/1001", "29.97" (the NTSC rates by name: 23.976, 29.97, 59.94).
std::optional<Rational> parse_fps(std::string_view text);
std::string format_fps(Rational fps);

}  // namespace ringcast
