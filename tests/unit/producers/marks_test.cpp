// SPDX-License-Identifier: Apache-2.0
#include "marks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <set>
#include <vector>

#include "ringcast/error.hpp"
#include "ringcast/producers/testsrc.hpp"

namespace ringcast::producers {
namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::rgb24, PixelFormat::bgr24, PixelFormat::rgba,
                                    PixelFormat::bgra,  PixelFormat::i420,  PixelFormat::nv12};

bool is_yuv(PixelFormat format) {
    return format == PixelFormat::i420 || format == PixelFormat::nv12;
}

/// Reads a strip the way a stranger would: from DESIGN section 9, not from the code under test.
class StripReader {
public:
    StripReader(const VideoFormat& format, const std::vector<std::byte>& frame)
        : format_(format), caps_(make_caps(format)), frame_(frame) {}

    /// True when the whole cell is pure white, false when it is pure black; anything else is a failure.
    [[nodiscard]] bool is_white(unsigned cell) const {
        const std::uint32_t begin = cell * format_.width / 32;
        const std::uint32_t end = (cell + 1) * format_.width / 32;
        std::set<int> values;
        for (std::uint32_t y = 0; y < format_.height / 18; ++y) {
            for (std::uint32_t x = begin; x < end; ++x)
                collect(x, y, values);
        }
        const int white = is_yuv(format_.format) ? 235 : 255;
        const int black = is_yuv(format_.format) ? 16 : 0;
        EXPECT_EQ(values.size(), 1U) << "cell " << cell;
        EXPECT_TRUE(values.count(white) == 1 || values.count(black) == 1) << "cell " << cell;
        return values.count(white) == 1;
    }
    [[nodiscard]] unsigned number(unsigned first, unsigned count) const {
        unsigned value = 0;
        for (unsigned cell = first; cell < first + count; ++cell)
            value = value * 2 + (is_white(cell) ? 1 : 0);
        return value;
    }
    [[nodiscard]] bool is_flash() const {
        unsigned white = 0;
        for (unsigned cell = 26; cell < 32; ++cell)
            white += is_white(cell) ? 1 : 0;
        EXPECT_TRUE(white == 0 || white == 6);
        return white == 6;
    }

private:
    void collect(std::uint32_t x, std::uint32_t y, std::set<int>& values) const {
        const unsigned bytes = is_yuv(format_.format) ? 1 : caps_.stride[0] / format_.width;
        for (unsigned i = 0; i < std::min(bytes, 3U); ++i) {
            values.insert(static_cast<int>(frame_[std::size_t{y} * caps_.stride[0] + std::size_t{x} * bytes + i]));
        }
    }

    VideoFormat format_;
    layout::Caps caps_;
    const std::vector<std::byte>& frame_;
};

void expect_marks(const VideoFormat& format, std::uint64_t index, bool flash) {
    SCOPED_TRACE(std::string(name_of(format.format)) + " " + std::to_string(format.width) + "x" +
                 std::to_string(format.height) + " frame " + std::to_string(index));
    const auto source = make_testsrc(format, {SampleFormat::s16, 44100, 1});
    std::vector<std::byte> frame(frame_bytes(make_caps(format)), std::byte{0x5A});
    source->draw(index, frame);
    const StripReader strip(format, frame);
    const auto low = static_cast<unsigned>(index % 65536);
    EXPECT_EQ(strip.number(0, 16), low);
    EXPECT_EQ(strip.number(16, 8), (low * 37 + 11) % 256);
    EXPECT_EQ(strip.is_flash(), flash);
}

TEST(TestsrcMarks, are_read_back_in_every_pixel_format_and_at_odd_sizes) {
    constexpr std::uint32_t kSizes[][2] = {{640, 360},  {641, 361}, {33, 19}, {32, 18},
                                           {1079, 607}, {360, 641}, {34, 400}};
    for (const auto format : kFormats) {
        for (const auto& [width, height] : kSizes)
            expect_marks({format, width, height, {25, 1}}, 12345, false);
    }
}

TEST(TestsrcMarks, wrap_after_65535) {
    expect_marks({PixelFormat::bgr24, 320, 180, {25, 1}}, 65535, false);
    expect_marks({PixelFormat::bgr24, 320, 180, {25, 1}}, 65536 + 7, false);
}

TEST(TestsrcMarks, flash_in_the_first_two_frames_of_each_second) {
    for (const std::uint64_t index : {0, 1, 25, 26, 250, 251})
        expect_marks({PixelFormat::i420, 320, 180, {25, 1}}, index, true);
    for (const std::uint64_t index : {2, 24, 27, 249, 252})
        expect_marks({PixelFormat::i420, 320, 180, {25, 1}}, index, false);
}

TEST(TestsrcMarks, flash_at_the_first_pts_that_is_not_before_the_second_at_ntsc_rates) {
    constexpr Rational kRates[] = {{30000, 1001}, {24000, 1001}, {60000, 1001}, {25, 1}, {50, 1}, {15, 2}};
    for (const auto fps : kRates) {
        bool before = false;
        for (std::uint64_t frame = 0; frame < 4000; ++frame) {
            const bool first = frame == 0 || (frame * fps.den / fps.num) != ((frame - 1) * fps.den / fps.num);
            EXPECT_EQ(marks::is_flash(frame, fps), first || before) << frame << " at " << fps.num << "/" << fps.den;
            before = first;
        }
    }
}

TEST(TestsrcMarks, no_byte_of_a_frame_is_left_as_it_was) {
    for (const auto format : kFormats) {
        const VideoFormat video{format, 321, 181, {25, 1}};
        const auto source = make_testsrc(video, {SampleFormat::s16, 44100, 1});
        std::vector<std::byte> first(frame_bytes(make_caps(video)), std::byte{0});
        std::vector<std::byte> second(first.size(), std::byte{0xFF});
        source->draw(7, first);
        source->draw(7, second);
        EXPECT_EQ(first, second) << name_of(format);
    }
}

TEST(TestsrcMarks, picture_below_the_strip_moves) {
    const VideoFormat video{PixelFormat::bgr24, 640, 360, {25, 1}};
    const auto source = make_testsrc(video, {SampleFormat::s16, 44100, 1});
    const auto caps = make_caps(video);
    std::vector<std::byte> first(frame_bytes(caps));
    std::vector<std::byte> second(first.size());
    source->draw(10, first);
    source->draw(11, second);
    std::size_t changed = 0;
    for (std::size_t i = std::size_t{caps.stride[0]} * 20; i < first.size(); ++i)
        changed += first[i] != second[i] ? 1 : 0;
    EXPECT_GT(changed, first.size() / 10);
}

TEST(TestsrcMarks, picture_is_the_same_scene_in_every_format) {
    // Mean luma of the picture, from RGB by BT.709 and straight from Y: a swapped channel or matrix shows.
    const auto mean_luma = [](PixelFormat format) {
        const VideoFormat video{format, 320, 180, {25, 1}};
        const auto source = make_testsrc(video, {SampleFormat::s16, 44100, 1});
        const auto caps = make_caps(video);
        std::vector<std::byte> frame(frame_bytes(caps));
        source->draw(3, frame);
        const unsigned bytes = is_yuv(format) ? 1 : caps.stride[0] / video.width;
        const bool red_first = format == PixelFormat::rgb24 || format == PixelFormat::rgba;
        double sum = 0;
        for (std::size_t i = 0; i < std::size_t{320} * 180; ++i) {
            const auto at = [&](unsigned k) { return static_cast<double>(frame[i * bytes + k]); };
            sum += is_yuv(format) ? (at(0) - 16) * 255 / 219
                                  : 0.2126 * at(red_first ? 0 : 2) + 0.7152 * at(1) + 0.0722 * at(red_first ? 2 : 0);
        }
        return sum / (320 * 180);
    };
    const double expected = mean_luma(PixelFormat::bgr24);
    for (const auto format : kFormats)
        EXPECT_NEAR(mean_luma(format), expected, 1.0) << name_of(format);
}

TEST(TestsrcMarks, refuse_sizes_without_room) {
    for (const auto& [width, height] : {std::pair{31U, 180U}, std::pair{320U, 17U}}) {
        const VideoFormat video{PixelFormat::bgr24, width, height, {25, 1}};
        EXPECT_THROW(make_testsrc(video, {SampleFormat::s16, 44100, 1}), Error);
    }
}

std::vector<float> all_samples(Source& source, std::uint64_t count, std::uint64_t step, SampleFormat format) {
    std::vector<float> samples;
    for (std::uint64_t first = 0; first < count; first += step) {
        const auto bytes = source.sound(first, std::min(step, count - first));
        const std::size_t size = format == SampleFormat::s16 ? 2 : 4;
        for (std::size_t i = 0; i < bytes.size(); i += size) {
            std::int16_t whole = 0;
            float value = 0;
            std::memcpy(format == SampleFormat::s16 ? static_cast<void*>(&whole) : &value, bytes.data() + i, size);
            samples.push_back(format == SampleFormat::s16 ? static_cast<float>(whole) / 32767.0F : value);
        }
    }
    return samples;
}

TEST(TestsrcSound, is_the_same_whatever_the_block_lengths) {
    const VideoFormat video{PixelFormat::bgr24, 64, 36, {30000, 1001}};
    const auto source = make_testsrc(video, {SampleFormat::s16, 44100, 1});
    EXPECT_EQ(all_samples(*source, 100000, 1471, SampleFormat::s16),
              all_samples(*source, 100000, 100000, SampleFormat::s16));
}

TEST(TestsrcSound, total_is_exact_for_any_rate_and_frame_rate) {
    constexpr Rational kRates[] = {{25, 1}, {30000, 1001}, {24000, 1001}, {60, 1}, {1000, 37}};
    for (const auto fps : kRates) {
        for (const std::uint32_t rate : {8000U, 22050U, 44100U, 48000U}) {
            std::uint64_t written = 0;
            for (std::uint64_t frame = 0; frame < 1000; ++frame)
                written += samples_before(frame + 1, fps, rate) - samples_before(frame, fps, rate);
            const auto exact = 1000.0L * rate * fps.den / fps.num;
            EXPECT_EQ(written, static_cast<std::uint64_t>(std::floor(exact + 0.5L))) << rate << " " << fps.num;
        }
    }
}

TEST(TestsrcSound, beeps_start_at_the_sample_nearest_to_the_flash) {
    constexpr Rational kFps{30000, 1001};
    const VideoFormat video{PixelFormat::bgr24, 64, 36, kFps};
    const auto source = make_testsrc(video, {SampleFormat::f32, 48000, 1});
    const auto samples = all_samples(*source, 48000 * 4, 1601, SampleFormat::f32);
    for (std::uint64_t second = 0; second < 4; ++second) {
        const std::uint64_t frame = (second * kFps.num + kFps.den - 1) / kFps.den;
        const auto begin =
            static_cast<std::size_t>(std::llround(static_cast<double>(frame) * kFps.den / kFps.num * 48000));
        // A sine from zero: 12 samples on, a quarter of a turn, it is at its top. Before it there is only noise.
        EXPECT_NEAR(samples[begin + 12], 0.6F, 0.05F) << second;
        EXPECT_NEAR(samples[begin + 36], -0.6F, 0.05F) << second;
        EXPECT_NEAR(samples[begin + 3840 - 12], -0.6F, 0.05F) << second;
        EXPECT_LT(std::abs(samples[begin - std::min<std::size_t>(begin, 12)]), 0.06F) << second;
        EXPECT_LT(std::abs(samples[begin + 3840 + 12]), 0.06F) << second;
    }
}

TEST(TestsrcSound, noise_is_at_minus_40_db_and_never_pauses) {
    const VideoFormat video{PixelFormat::bgr24, 64, 36, {25, 1}};
    const auto source = make_testsrc(video, {SampleFormat::f32, 44100, 1});
    const auto samples = all_samples(*source, 44100 * 8, 1764, SampleFormat::f32);
    double energy = 0;
    std::size_t count = 0;
    for (std::size_t second = 0; second < 8; ++second) {
        for (std::size_t i = second * 44100 + 4000; i + 441 < (second + 1) * 44100; i += 441) {
            double block = 0;
            for (std::size_t k = i; k < i + 441; ++k)
                block += double{samples[k]} * samples[k];
            EXPECT_GT(10 * std::log10(block / 441), -50) << i;
            energy += block;
            count += 441;
        }
    }
    EXPECT_NEAR(10 * std::log10(energy / static_cast<double>(count)), -40, 0.5);
}

TEST(TestsrcSound, fills_all_channels_alike) {
    const VideoFormat video{PixelFormat::bgr24, 64, 36, {25, 1}};
    const auto source = make_testsrc(video, {SampleFormat::s16, 44100, 6});
    const auto bytes = source->sound(0, 100);
    ASSERT_EQ(bytes.size(), 100U * 6 * 2);
    for (std::size_t sample = 0; sample < 100; ++sample) {
        for (std::size_t channel = 1; channel < 6; ++channel) {
            EXPECT_EQ(std::memcmp(&bytes[sample * 12], &bytes[sample * 12 + channel * 2], 2), 0);
        }
    }
}

}  // namespace
}  // namespace ringcast::producers
