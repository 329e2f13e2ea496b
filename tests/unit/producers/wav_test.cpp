// SPDX-License-Identifier: Apache-2.0
#include "wav.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "ringcast/error.hpp"

namespace ringcast::producers {
namespace {

using Bytes = std::vector<std::byte>;

template <typename T>
void put(Bytes& out, T value) {
    const auto at = out.size();
    out.resize(at + sizeof value);
    std::memcpy(out.data() + at, &value, sizeof value);
}
void put_id(Bytes& out, const char* id) {
    for (int i = 0; i < 4; ++i)
        out.push_back(static_cast<std::byte>(id[i]));
}

struct Shape {
    std::uint16_t tag = 1;
    std::uint16_t channels = 1;
    std::uint32_t rate = 16000;
    std::uint16_t bits = 16;
    bool extensible = false;
    bool extra_chunk = false;
    std::optional<std::uint32_t> claimed = std::nullopt;  ///< data length the header tells
};

Bytes wav(const Shape& shape, const Bytes& data) {
    Bytes out;
    put_id(out, "RIFF");
    put<std::uint32_t>(out, 0);
    put_id(out, "WAVE");
    if (shape.extra_chunk) {
        put_id(out, "LIST");
        put<std::uint32_t>(out, 3);
        for (int i = 0; i < 4; ++i)
            out.push_back(std::byte{7});  // odd lengths are padded
    }
    put_id(out, "fmt ");
    put<std::uint32_t>(out, shape.extensible ? 40 : 16);
    put<std::uint16_t>(out, shape.extensible ? std::uint16_t{0xFFFE} : shape.tag);
    put(out, shape.channels);
    put(out, shape.rate);
    put<std::uint32_t>(out, shape.rate * shape.channels * shape.bits / 8);
    put<std::uint16_t>(out, static_cast<std::uint16_t>(shape.channels * shape.bits / 8));
    put(out, shape.bits);
    if (shape.extensible) {
        put<std::uint16_t>(out, 22);
        put(out, shape.bits);
        put<std::uint32_t>(out, 0);
        put(out, shape.tag);
        for (int i = 0; i < 14; ++i)
            out.push_back(std::byte{0});
    }
    put_id(out, "data");
    put<std::uint32_t>(out, shape.claimed.value_or(static_cast<std::uint32_t>(data.size())));
    out.insert(out.end(), data.begin(), data.end());
    return out;
}

Bytes s16_data(std::initializer_list<int> values) {
    Bytes data;
    for (const int value : values)
        put(data, static_cast<std::int16_t>(value));
    return data;
}

TEST(WavReader, keeps_16_bit_samples_as_they_are) {
    const auto speech = parse_wav(wav({}, s16_data({0, 1, -1, 32767, -32768})), "x.wav");
    EXPECT_EQ(speech.rate, 16000U);
    EXPECT_EQ(speech.format, SampleFormat::s16);
    ASSERT_EQ(speech.samples.size(), 5U);
    EXPECT_EQ(speech.samples[3] * 32768, 32767);
    EXPECT_EQ(speech.samples[4] * 32768, -32768);
    EXPECT_TRUE(speech.warning.empty());
}

TEST(WavReader, reads_every_pcm_width_and_float) {
    Bytes u8{std::byte{128}, std::byte{255}, std::byte{0}};
    Bytes s24{std::byte{0}, std::byte{0}, std::byte{0x40}, std::byte{0}, std::byte{0}, std::byte{0xC0}};
    Bytes s32;
    put<std::int32_t>(s32, 1 << 30);
    Bytes f32;
    put(f32, 0.25F);
    put(f32, std::nanf(""));
    EXPECT_NEAR(parse_wav(wav({.bits = 8}, u8), "x").samples.at(1), 0.992, 0.001);
    EXPECT_EQ(parse_wav(wav({.bits = 24}, s24), "x").samples, (std::vector<float>{0.5F, -0.5F}));
    EXPECT_EQ(parse_wav(wav({.bits = 32}, s32), "x").samples, (std::vector<float>{0.5F}));
    EXPECT_EQ(parse_wav(wav({.tag = 3, .bits = 32}, f32), "x").samples, (std::vector<float>{0.25F, 0.0F}));
    EXPECT_EQ(parse_wav(wav({.bits = 24}, s24), "x").format, SampleFormat::f32);
}

TEST(WavReader, averages_channels) {
    const auto speech = parse_wav(wav({.channels = 2}, s16_data({100, 300, -100, -300})), "x.wav");
    ASSERT_EQ(speech.samples.size(), 2U);
    EXPECT_EQ(speech.samples[0] * 32768, 200);
    EXPECT_EQ(speech.samples[1] * 32768, -200);
}

TEST(WavReader, takes_extensible_headers_and_skips_other_chunks) {
    const auto speech = parse_wav(wav({.extensible = true, .extra_chunk = true}, s16_data({5, 6})), "x.wav");
    EXPECT_EQ(speech.samples.size(), 2U);
}

TEST(WavReader, warns_of_a_file_that_ends_early_and_uses_what_is_there) {
    const auto speech = parse_wav(wav({.claimed = 100}, s16_data({1, 2, 3})), "cut.wav");
    EXPECT_EQ(speech.samples.size(), 3U);
    EXPECT_NE(speech.warning.find("cut.wav"), std::string::npos);
}

TEST(WavReader, takes_a_streams_header_without_a_length) {
    for (const std::uint32_t claimed : {0U, 0x7FFFF000U, 0xFFFFFFFFU}) {
        const auto speech = parse_wav(wav({.claimed = claimed}, s16_data({1, 2, 3})), "x.wav");
        EXPECT_EQ(speech.samples.size(), 3U);
        EXPECT_TRUE(speech.warning.empty());
    }
}

TEST(WavReader, refuses_what_is_not_pcm_with_the_fix) {
    try {
        parse_wav(wav({.tag = 2, .bits = 4}, s16_data({1})), "adpcm.wav");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        EXPECT_NE(std::string(error.what()).find("adpcm.wav"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("ffmpeg"), std::string::npos);
    }
    EXPECT_THROW(parse_wav(wav({.channels = 0}, s16_data({1})), "x"), Error);
    EXPECT_THROW(parse_wav(wav({.rate = 100}, s16_data({1})), "x"), Error);
    EXPECT_THROW(parse_wav(wav({}, {}), "x"), Error);
    EXPECT_THROW(parse_wav({}, "x"), Error);
}

TEST(WavReader, survives_truncation_at_every_byte) {
    const auto whole = wav({.extensible = true, .extra_chunk = true}, s16_data({1, 2, 3, 4}));
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
        try {
            const auto speech = parse_wav(part, "x.wav");
            EXPECT_LT(speech.samples.size(), 4U);
            EXPECT_FALSE(speech.warning.empty());
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
        }
    }
}

TEST(WavReader, survives_random_bytes_in_the_header) {
    std::minstd_rand random(7);
    const auto whole = wav({.channels = 2, .extra_chunk = true}, s16_data({1, 2, 3, 4, 5, 6}));
    int refused = 0;
    for (int round = 0; round < 20000; ++round) {
        Bytes bytes = whole;
        for (int change = 0; change < 3; ++change)
            bytes[random() % bytes.size()] = static_cast<std::byte>(random());
        try {
            const auto speech = parse_wav(bytes, "x.wav");
            EXPECT_LE(speech.samples.size(), bytes.size());
            for (const float sample : speech.samples)
                EXPECT_TRUE(std::isfinite(sample));
        } catch (const Error&) {
            ++refused;
        }
    }
    EXPECT_GT(refused, 0);
}

TEST(WavReader, tells_a_missing_file_by_name) {
    try {
        read_wav("/nonexistent/speech.wav");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_NE(std::string(error.what()).find("/nonexistent/speech.wav"), std::string::npos);
    }
}

TEST(WavReader, reads_a_file_and_refuses_a_folder) {
    const auto path = std::filesystem::temp_directory_path() / ("ringcast-wav-" + std::to_string(getpid()) + ".wav");
    const auto bytes = wav({}, s16_data({9, 8}));
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    EXPECT_EQ(read_wav(path).samples.size(), 2U);
    std::filesystem::remove(path);
    EXPECT_THROW(read_wav(std::filesystem::temp_directory_path()), Error);
}

}  // namespace
}  // namespace ringcast::producers
