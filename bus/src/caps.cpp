// SPDX-License-Identifier: Apache-2.0
#include "ringcast/caps.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "ringcast/error.hpp"

namespace ringcast {
namespace {

constexpr std::uint32_t kMaxSide = 16384;
constexpr std::uint32_t kMaxFps = 1000;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

__extension__ using Uint128 = unsigned __int128;  // count · ns · den passes 64 bits within days of media

struct PixelName {
    PixelFormat format;
    std::string_view name;
};
constexpr PixelName kPixelNames[] = {
    {PixelFormat::rgb24, "rgb24"}, {PixelFormat::bgr24, "bgr24"}, {PixelFormat::rgba, "rgba"},
    {PixelFormat::bgra, "bgra"},   {PixelFormat::i420, "i420"},   {PixelFormat::nv12, "nv12"},
};

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorCode::invalid_argument, what);
}

bool is_valid_fps(Rational fps) {
    return fps.num > 0 && fps.den > 0 && fps.num / fps.den <= kMaxFps && fps.den <= 1'000'000;
}

bool is_valid(const VideoFormat& format) {
    return format.width > 0 && format.width <= kMaxSide && format.height > 0 && format.height <= kMaxSide &&
           is_valid_fps(format.fps) && !name_of(format.format).empty();
}

bool is_valid(const AudioFormat& format) {
    return format.rate >= 8000 && format.rate <= 192'000 && format.channels >= 1 && format.channels <= 8 &&
           !name_of(format.format).empty();
}

std::uint32_t plane_line_bytes(const layout::Caps& caps, std::uint32_t plane) {
    const std::uint32_t chroma_width = (caps.width + 1) / 2;
    switch (static_cast<PixelFormat>(caps.format)) {
        case PixelFormat::rgb24:
        case PixelFormat::bgr24:
            return caps.width * 3;
        case PixelFormat::rgba:
        case PixelFormat::bgra:
            return caps.width * 4;
        case PixelFormat::i420:
            return plane == 0 ? caps.width : chroma_width;
        case PixelFormat::nv12:
            return plane == 0 ? caps.width : chroma_width * 2;
    }
    return 0;
}

std::uint32_t plane_count_of(PixelFormat format) {
    if (format == PixelFormat::i420) return 3;
    return format == PixelFormat::nv12 ? 2 : 1;
}

}  // namespace

std::string_view name_of(PixelFormat format) {
    for (const auto& entry : kPixelNames) {
        if (entry.format == format) return entry.name;
    }
    return {};
}

std::string_view name_of(SampleFormat format) {
    switch (format) {
        case SampleFormat::s16:
            return "s16";
        case SampleFormat::f32:
            return "f32";
    }
    return {};
}

std::string_view name_of(Codec codec) {
    switch (codec) {
        case Codec::h264:
            return "h264";
        case Codec::h265:
            return "h265";
        case Codec::aac:
            return "aac";
        case Codec::opus:
            return "opus";
    }
    return {};
}

std::string_view name_of(FlowKind kind) {
    switch (kind) {
        case FlowKind::video:
            return "video";
        case FlowKind::audio:
            return "audio";
        case FlowKind::packets:
            return "packets";
        case FlowKind::events:
            return "events";
    }
    return {};
}

std::optional<PixelFormat> pixel_format_from(std::string_view name) {
    for (const auto& entry : kPixelNames) {
        if (entry.name == name) return entry.format;
    }
    return std::nullopt;
}

std::optional<SampleFormat> sample_format_from(std::string_view name) {
    if (name == "s16") return SampleFormat::s16;
    if (name == "f32") return SampleFormat::f32;
    return std::nullopt;
}

layout::Caps make_caps(const VideoFormat& format) {
    if (!is_valid(format)) {
        refuse("video caps: size " + std::to_string(format.width) + "x" + std::to_string(format.height) + " at " +
               std::to_string(format.fps.num) + "/" + std::to_string(format.fps.den) +
               " fps is outside 1..16384 pixels a side and 1..1000 fps");
    }
    layout::Caps caps{};
    caps.format = static_cast<std::uint32_t>(format.format);
    caps.width = format.width;
    caps.height = format.height;
    caps.fps_num = format.fps.num;
    caps.fps_den = format.fps.den;
    caps.plane_count = plane_count_of(format.format);
    std::uint64_t offset = 0;
    for (std::uint32_t plane = 0; plane < caps.plane_count; ++plane) {
        caps.stride[plane] = plane_line_bytes(caps, plane);
        caps.plane_offset[plane] = offset;
        offset += std::uint64_t{caps.stride[plane]} * plane_lines(caps, plane);
    }
    return caps;
}

layout::Caps make_caps(const AudioFormat& format) {
    if (!is_valid(format)) {
        refuse("audio caps: " + std::to_string(format.rate) + " Hz, " + std::to_string(format.channels) +
               " channels is outside 8000..192000 Hz and 1..8 channels");
    }
    layout::Caps caps{};
    caps.format = static_cast<std::uint32_t>(format.format);
    caps.sample_rate = format.rate;
    caps.channels = format.channels;
    return caps;
}

std::optional<VideoFormat> video_format_of(const layout::Caps& caps, std::uint64_t payload_size) {
    const VideoFormat format{
        static_cast<PixelFormat>(caps.format), caps.width, caps.height, {caps.fps_num, caps.fps_den}};
    if (!is_valid(format) || caps.plane_count != plane_count_of(format.format)) return std::nullopt;
    for (std::uint32_t plane = 0; plane < caps.plane_count; ++plane) {
        const std::uint64_t bytes = std::uint64_t{caps.stride[plane]} * plane_lines(caps, plane);
        if (caps.stride[plane] < plane_line_bytes(caps, plane) || caps.plane_offset[plane] > payload_size ||
            bytes > payload_size - caps.plane_offset[plane]) {
            return std::nullopt;
        }
    }
    return format;
}

std::optional<AudioFormat> audio_format_of(const layout::Caps& caps) {
    const AudioFormat format{static_cast<SampleFormat>(caps.format), caps.sample_rate, caps.channels};
    if (!is_valid(format)) return std::nullopt;
    return format;
}

std::optional<PacketFormat> packet_format_of(const layout::Caps& caps) {
    PacketFormat format;
    format.codec = static_cast<Codec>(caps.format);
    if (name_of(format.codec).empty() || caps.width > kMaxSide || caps.height > kMaxSide) return std::nullopt;
    format.width = caps.width;
    format.height = caps.height;
    if (const Rational fps{caps.fps_num, caps.fps_den}; is_valid_fps(fps)) format.fps = fps;
    format.rate = caps.sample_rate;
    format.channels = caps.channels;
    return format;
}

std::uint32_t plane_lines(const layout::Caps& caps, std::uint32_t plane) {
    const bool subsampled = caps.format == static_cast<std::uint32_t>(PixelFormat::i420) ||
                            caps.format == static_cast<std::uint32_t>(PixelFormat::nv12);
    return plane > 0 && subsampled ? (caps.height + 1) / 2 : caps.height;
}

std::uint64_t frame_bytes(const layout::Caps& caps) {
    std::uint64_t end = 0;
    for (std::uint32_t plane = 0; plane < caps.plane_count; ++plane) {
        end = std::max(end, caps.plane_offset[plane] + std::uint64_t{caps.stride[plane]} * plane_lines(caps, plane));
    }
    return end;
}

std::uint32_t sample_bytes(const layout::Caps& caps) {
    const std::uint32_t bytes = static_cast<SampleFormat>(caps.format) == SampleFormat::f32 ? 4 : 2;
    return caps.channels * bytes;
}

std::int64_t count_to_ns(std::uint64_t count, Rational per_second) {
    const Uint128 scaled = static_cast<Uint128>(count) * kNsPerSecond * per_second.den;
    return static_cast<std::int64_t>((scaled + per_second.num / 2) / per_second.num);
}

std::uint64_t ns_to_count(std::int64_t ns, Rational per_second) {
    if (ns <= 0) return 0;
    const Uint128 divisor = static_cast<Uint128>(kNsPerSecond) * per_second.den;
    const Uint128 scaled = static_cast<Uint128>(ns) * per_second.num;
    return static_cast<std::uint64_t>((scaled + divisor / 2) / divisor);
}

std::optional<Rational> parse_fps(std::string_view text) {
    // The NTSC rates are n·1000/1001 exactly (SMPTE ST 12-1); their decimal names are roundings.
    if (text == "23.976" || text == "23.98") return Rational{24000, 1001};
    if (text == "29.97") return Rational{30000, 1001};
    if (text == "59.94") return Rational{60000, 1001};
    const auto number = [](std::string_view digits) -> std::optional<std::uint32_t> {
        std::uint32_t value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
        return value;
    };
    Rational fps{0, 1};
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        const auto num = number(text.substr(0, slash));
        const auto den = number(text.substr(slash + 1));
        if (!num || !den) return std::nullopt;
        fps = {*num, *den};
    } else if (const auto point = text.find('.'); point != std::string_view::npos) {
        const std::string_view fraction = text.substr(point + 1);
        const auto whole = number(text.substr(0, point));
        const auto part = number(fraction);
        if (!whole || !part || fraction.size() > 3 || *whole > kMaxFps) return std::nullopt;
        std::uint32_t den = 1;
        for (std::size_t i = 0; i < fraction.size(); ++i)
            den *= 10;
        const std::uint32_t num = *whole * den + *part;
        const std::uint32_t common = num == 0 ? 1 : std::gcd(num, den);
        fps = {num / common, den / common};
    } else {
        const auto whole = number(text);
        if (!whole) return std::nullopt;
        fps = {*whole, 1};
    }
    if (!is_valid_fps(fps)) return std::nullopt;
    return fps;
}

std::string format_fps(Rational fps) {
    if (fps.den == 1) return std::to_string(fps.num);
    return std::to_string(fps.num) + "/" + std::to_string(fps.den);
}

}  // namespace ringcast
