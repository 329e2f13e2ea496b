// SPDX-License-Identifier: Apache-2.0
#include "wav.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>

#include "ringcast/error.hpp"

namespace ringcast::producers {
namespace {

constexpr std::uint16_t kTagPcm = 1;
constexpr std::uint16_t kTagFloat = 3;
constexpr std::uint16_t kTagExtensible = 0xFFFE;
constexpr std::uint32_t kUnknownLengths[] = {0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF};  // espeak-ng, sox, ffmpeg
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{2} << 30;

struct Format {
    std::uint16_t tag = 0;
    std::uint16_t channels = 0;
    std::uint32_t rate = 0;
    std::uint16_t bits = 0;
    [[nodiscard]] std::size_t sample_bytes() const { return bits / 8U; }
};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
    throw Error(ErrorCode::invalid_argument, name + ": " + why);
}

/// Little-endian number at `at`; the caller has checked that it is inside.
template <typename T>
T number_at(std::span<const std::byte> bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}
static_assert(std::endian::native == std::endian::little);

bool has_id(std::span<const std::byte> bytes, std::size_t at, const char* id) {
    return at + 4 <= bytes.size() && std::memcmp(bytes.data() + at, id, 4) == 0;
}

Format parse_format(std::span<const std::byte> chunk, const std::string& name) {
    if (chunk.size() < 16) refuse(name, "its fmt chunk is cut short");
    Format format{number_at<std::uint16_t>(chunk, 0), number_at<std::uint16_t>(chunk, 2),
                  number_at<std::uint32_t>(chunk, 4), number_at<std::uint16_t>(chunk, 14)};
    if (format.tag == kTagExtensible && chunk.size() >= 26) format.tag = number_at<std::uint16_t>(chunk, 24);
    const bool is_integer =
        format.tag == kTagPcm && (format.bits == 8 || format.bits == 16 || format.bits == 24 || format.bits == 32);
    const bool is_float = format.tag == kTagFloat && format.bits == 32;
    if (!is_integer && !is_float) {
        refuse(name, "is not PCM of 8, 16, 24, 32 bit or 32 bit float (format tag " + std::to_string(format.tag) +
                         ", " + std::to_string(format.bits) + " bit); convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav");
    }
    if (format.channels == 0 || format.channels > 64) {
        refuse(name, "says " + std::to_string(format.channels) + " channels; 1 to 64 can be read");
    }
    if (format.rate < 8000 || format.rate > 192000) {
        refuse(name, "has a rate of " + std::to_string(format.rate) + " Hz; 8000 to 192000 can be used");
    }
    return format;
}

float sample_at(std::span<const std::byte> data, std::size_t at, const Format& format) {
    switch (format.bits) {
        case 8:
            return static_cast<float>(number_at<std::uint8_t>(data, at) - 128) / 128.0F;
        case 16:
            return static_cast<float>(number_at<std::int16_t>(data, at)) / 32768.0F;
        case 24: {
            const auto low = number_at<std::uint16_t>(data, at);
            const auto high = number_at<std::int8_t>(data, at + 2);
            return static_cast<float>(high * 65536 + low) / 8388608.0F;
        }
        default:
            break;
    }
    if (format.tag == kTagPcm) return static_cast<float>(number_at<std::int32_t>(data, at)) / 2147483648.0F;
    const auto value = number_at<float>(data, at);
    return std::isfinite(value) ? value : 0.0F;
}

std::vector<float> mono_samples(std::span<const std::byte> data, const Format& format) {
    const std::size_t step = format.sample_bytes();
    std::vector<float> samples(data.size() / (step * format.channels));
    std::size_t at = 0;
    for (float& sample : samples) {
        float sum = 0;
        for (unsigned channel = 0; channel < format.channels; ++channel, at += step)
            sum += sample_at(data, at, format);
        sample = sum / static_cast<float>(format.channels);
    }
    return samples;
}

bool is_unknown_length(std::uint32_t length) {
    return std::find(std::begin(kUnknownLengths), std::end(kUnknownLengths), length) != std::end(kUnknownLengths);
}

}  // namespace

Speech parse_wav(std::span<const std::byte> bytes, const std::string& name) {
    if ((!has_id(bytes, 0, "RIFF") && !has_id(bytes, 0, "RF64")) || !has_id(bytes, 8, "WAVE")) {
        refuse(name, "is not a WAV file; convert it: ffmpeg -i IN -c:a pcm_s16le OUT.wav");
    }
    std::optional<Format> format;
    for (std::size_t at = 12; at + 8 <= bytes.size();) {
        const auto length = number_at<std::uint32_t>(bytes, at + 4);
        const auto rest = bytes.subspan(at + 8);
        const bool is_data = has_id(bytes, at, "data");
        if (has_id(bytes, at, "fmt "))
            format = parse_format(rest.first(std::min<std::size_t>(length, rest.size())), name);
        if (!is_data) {
            if (length >= rest.size()) break;
            at += 8 + std::size_t{length} + length % 2;
            continue;
        }
        if (!format) refuse(name, "has its data before its format");
        const bool unknown = is_unknown_length(length);
        const auto data = unknown ? rest : rest.first(std::min<std::size_t>(length, rest.size()));
        Speech speech;
        speech.rate = format->rate;
        speech.format = format->bits <= 16 ? SampleFormat::s16 : SampleFormat::f32;
        speech.samples = mono_samples(data, *format);
        if (speech.samples.empty()) refuse(name, "holds no samples");
        if (!unknown && rest.size() < length) {
            speech.warning = name + " ends early: " + std::to_string(rest.size()) + " of " + std::to_string(length) +
                             " bytes of sound are there and are used";
        }
        return speech;
    }
    refuse(name, format ? "holds no sound: its data chunk is missing" : "has no format chunk");
}

Speech read_wav(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) {
        const bool missing = error == std::errc::no_such_file_or_directory;
        throw Error(missing ? ErrorCode::not_found : ErrorCode::system,
                    "cannot read " + path.string() + ": " + error.message());
    }
    if (size > kMaxFileBytes) refuse(path.string(), "is larger than 2 GiB; cut it into pieces");
    std::vector<std::byte> bytes(size);
    std::ifstream file(path, std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) {
        throw Error(ErrorCode::system, "cannot read " + path.string() + ": " + std::strerror(errno));
    }
    return parse_wav(bytes, path.string());
}

}  // namespace ringcast::producers
