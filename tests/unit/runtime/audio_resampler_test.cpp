// SPDX-License-Identifier: Apache-2.0
#include "runtime/audio_resampler.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ringcast/error.hpp"

namespace ringcast::runtime {
namespace {

std::span<const std::byte> bytes_of(std::span<const float> samples) {
    return std::as_bytes(samples);
}

/// Silence with a 1 kHz tone of 0.6 from `begin` s on for 80 ms, interleaved over `channels`.
std::vector<float> beep(std::uint32_t rate, std::uint32_t channels, double seconds, double begin) {
    std::vector<float> samples(static_cast<std::size_t>(std::lround(seconds * rate)) * channels);
    for (std::size_t i = 0; i < samples.size() / channels; ++i) {
        const double t = static_cast<double>(i) / rate - begin;
        if (t < 0 || t >= 0.08) continue;
        const auto value = static_cast<float>(0.6 * std::sin(2 * std::numbers::pi * 1000 * t));
        std::fill_n(samples.begin() + static_cast<std::ptrdiff_t>(i * channels), channels, value);
    }
    return samples;
}

/// Feeds in odd portions.
PlanarSamples resampled(AudioResampler& resampler, const AudioFormat& format, std::span<const float> samples,
                        std::size_t portion) {
    PlanarSamples out(resampler.output_channels());
    resampler.start(format, out);
    for (std::size_t done = 0; done < samples.size();) {
        const std::size_t count = std::min(portion * format.channels, samples.size() - done);
        resampler.push(bytes_of(samples.subspan(done, count)), out);
        done += count;
    }
    resampler.finish(out);
    return out;
}

/// Where a rising edge crosses `level` for the first time, between samples, in seconds.
double first_crossing(std::span<const float> samples, double level, std::uint32_t rate) {
    for (std::size_t i = 1; i < samples.size(); ++i)
        if (samples[i - 1] < level && samples[i] >= level)
            return (static_cast<double>(i - 1) + (level - samples[i - 1]) / (samples[i] - samples[i - 1])) / rate;
    return -1;
}

TEST(AudioResampler, output_count_is_exact_for_odd_portions) {
    struct Case {
        std::uint32_t from, to;
        std::size_t samples, portion;
    };
    for (const Case c : {Case{16000, 48000, 16001, 1}, Case{16000, 48000, 15999, 7}, Case{16000, 48000, 320, 320},
                         Case{44100, 48000, 44101, 441}, Case{48000, 44100, 48007, 13}, Case{22050, 48000, 99991, 1023},
                         Case{24000, 44100, 24001, 601}, Case{48000, 48000, 4801, 17}, Case{16000, 48000, 1, 1},
                         Case{192000, 8000, 192001, 4096}}) {
        AudioResampler resampler(c.to, 2);
        const std::vector<float> input(c.samples, 0.25F);
        const PlanarSamples out = resampled(resampler, {SampleFormat::f32, c.from, 1}, input, c.portion);
        const auto expected = static_cast<std::size_t>(std::llround(static_cast<double>(c.samples) * c.to / c.from));
        EXPECT_EQ(out.size(), expected) << c.samples << " of " << c.from << " to " << c.to;
        EXPECT_EQ(resampler.natural_output(), expected);
    }
}

TEST(AudioResampler, segments_add_up_without_drift) {
    AudioResampler resampler(48000, 1);
    PlanarSamples out(1);
    std::uint64_t total_in = 0;
    const std::vector<float> input(733, 0.1F);
    for (int segment = 0; segment < 200; ++segment) {
        resampler.start({SampleFormat::f32, 44100, 1}, out);
        resampler.push(bytes_of(input), out);
        total_in += input.size();
        // As the timeline asks: each segment ends where the whole run so far ends.
        const auto position = static_cast<std::uint64_t>(std::llround(static_cast<double>(total_in) * 48000 / 44100));
        resampler.finish(position - (out.size() - resampler.output_samples()), out);
        EXPECT_EQ(out.size(), position);
    }
}

TEST(AudioResampler, a_beep_stays_where_it_was_within_one_sample) {
    for (const auto& [from, to] :
         {std::pair{16000U, 48000U}, {44100U, 48000U}, {48000U, 44100U}, {24000U, 48000U}, {48000U, 48000U}}) {
        AudioResampler resampler(to, 2);
        const std::vector<float> input = beep(from, 1, 1.0, 0.5);
        const PlanarSamples out = resampled(resampler, {SampleFormat::f32, from, 1}, input, 311);
        const double wanted = first_crossing(input, 0.3, from);
        for (std::size_t channel = 0; channel < 2; ++channel)
            EXPECT_NEAR(first_crossing(out.channel(channel), 0.3, to), wanted, 1.0 / std::min(from, to))
                << from << " to " << to;
    }
}

TEST(AudioResampler, mono_keeps_its_level_on_both_loudspeakers) {
    AudioResampler resampler(48000, 2);
    const PlanarSamples out = resampled(resampler, {SampleFormat::f32, 16000, 1}, beep(16000, 1, 0.3, 0.1), 160);
    for (std::size_t channel = 0; channel < 2; ++channel) {
        const auto samples = out.channel(channel);
        EXPECT_NEAR(*std::max_element(samples.begin(), samples.end()), 0.6, 0.02);
    }
}

TEST(AudioResampler, stereo_to_mono_does_not_clip) {
    AudioResampler resampler(48000, 1);
    const PlanarSamples out = resampled(resampler, {SampleFormat::f32, 48000, 2}, beep(48000, 2, 0.3, 0.1), 480);
    const auto samples = out.channel(0);
    EXPECT_NEAR(*std::max_element(samples.begin(), samples.end()), 0.6, 0.01);
}

TEST(AudioResampler, s16_full_scale_is_one) {
    AudioResampler resampler(48000, 1);
    PlanarSamples out(1);
    resampler.start({SampleFormat::s16, 48000, 1}, out);
    const std::vector<std::int16_t> input{0, 16384, -32768, 32767};
    resampler.push(std::as_bytes(std::span(input)), out);
    resampler.finish(out);
    ASSERT_EQ(out.size(), 4U);
    EXPECT_FLOAT_EQ(out.channel(0)[1], 0.5F);
    EXPECT_FLOAT_EQ(out.channel(0)[2], -1.0F);
}

TEST(AudioResampler, silence_takes_its_time_and_is_silent) {
    AudioResampler resampler(48000, 2);
    PlanarSamples out(2);
    resampler.start({SampleFormat::s16, 16000, 1}, out);
    resampler.push_silence(160'003, out);
    EXPECT_EQ(resampler.finish(out), 480'009U);
    EXPECT_EQ(out.size(), 480'009U);
    for (const float sample : out.channel(1))
        ASSERT_EQ(sample, 0.0F);
}

TEST(AudioResampler, finish_pads_or_cuts_to_what_was_asked) {
    AudioResampler resampler(48000, 1);
    const std::vector<float> input(16000, 0.5F);
    for (const std::uint64_t wanted : {std::uint64_t{47'990}, std::uint64_t{48'000}, std::uint64_t{48'013}}) {
        PlanarSamples out(1);
        resampler.start({SampleFormat::f32, 16000, 1}, out);
        resampler.push(bytes_of(input), out);
        EXPECT_EQ(resampler.finish(wanted, out), wanted);
        EXPECT_EQ(out.size(), wanted);
    }
}

TEST(AudioResampler, a_new_format_starts_clean_after_the_old_one_ended) {
    AudioResampler resampler(48000, 2);
    PlanarSamples out(2);
    resampler.start({SampleFormat::f32, 16000, 1}, out);
    const std::vector<float> loud(1600, 0.9F);
    resampler.push(bytes_of(loud), out);
    resampler.start({SampleFormat::s16, 44100, 2}, out);
    EXPECT_EQ(out.size(), 4800U) << "the first segment was finished";
    resampler.push_silence(4410, out);
    resampler.finish(out);
    ASSERT_EQ(out.size(), 9600U);
    for (std::size_t i = 4800; i < 9600; ++i)
        ASSERT_EQ(out.channel(0)[i], 0.0F) << i;
}

TEST(AudioResampler, sound_before_start_is_refused) {
    AudioResampler resampler(48000, 2);
    PlanarSamples out(2);
    EXPECT_THROW(resampler.push_silence(10, out), Error);
    EXPECT_EQ(resampler.finish(100, out), 0U);
}

TEST(PlanarSamples, drop_front_and_append_keep_the_order) {
    PlanarSamples a(1);
    a.resize(3);
    for (int i = 0; i < 3; ++i)
        a.channel_data(0)[i] = static_cast<float>(i);
    PlanarSamples b(1);
    b.append_silence(1);
    b.append(a);
    b.drop_front(2);
    ASSERT_EQ(b.size(), 2U);
    EXPECT_EQ(b.channel(0)[0], 1.0F);
    EXPECT_EQ(b.channel(0)[1], 2.0F);
    b.drop_front(9);
    EXPECT_TRUE(b.empty());
}

}  // namespace
}  // namespace ringcast::runtime
