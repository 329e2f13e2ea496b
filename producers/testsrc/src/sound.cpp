// SPDX-License-Identifier: Apache-2.0
#include "sound.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>

#include "marks.hpp"

namespace ringcast::producers {
namespace {

constexpr unsigned kNoiseSeconds = 7;      // long, and no multiple of the beeps' period
constexpr double kSyllablesPerSecond = 4;  // what makes noise sound like far-off speech
constexpr double kSyllableDepth = 0.35;    // never a pause: a reader takes silence for a dropout

/// One-pole low-pass over a loop, run twice round so that the end joins the beginning.
void low_pass(std::vector<float>& loop, double cutoff_hz, double rate) {
    const auto keep = static_cast<float>(std::exp(-2 * std::numbers::pi * cutoff_hz / rate));
    float state = 0;
    for (int round = 0; round < 2; ++round) {
        for (float& sample : loop) {
            state = keep * state + (1 - keep) * sample;
            if (round == 1) sample = state;
        }
    }
}

std::vector<float> make_noise(std::uint32_t rate) {
    std::vector<float> loop(std::size_t{rate} * kNoiseSeconds);
    std::minstd_rand random(20240607);  // the same noise in every run
    for (float& sample : loop) {
        sample = static_cast<float>(random()) / static_cast<float>(std::minstd_rand::max()) - 0.5F;
    }
    low_pass(loop, 1500, rate);
    low_pass(loop, 3000, rate);
    double energy = 0;
    for (std::size_t i = 0; i < loop.size(); ++i) {
        const double turn = 2 * std::numbers::pi * kSyllablesPerSecond * static_cast<double>(i) / rate;
        loop[i] *= static_cast<float>(1 + kSyllableDepth * std::sin(turn));
        energy += double{loop[i]} * loop[i];
    }
    const auto gain = static_cast<float>(marks::kNoiseLevel / std::sqrt(energy / static_cast<double>(loop.size())));
    for (float& sample : loop)
        sample *= gain;
    return loop;
}

std::vector<float> make_beep(std::uint32_t rate) {
    std::vector<float> beep(marks::beep_samples(rate));
    for (std::size_t i = 0; i < beep.size(); ++i) {
        const double turn = 2 * std::numbers::pi * marks::kBeepHz * static_cast<double>(i) / rate;
        beep[i] = static_cast<float>(marks::kBeepLevel * std::sin(turn));
    }
    return beep;
}

}  // namespace

Sound::Sound(const AudioFormat& format, Rational fps)
    : format_(format), fps_(fps), noise_(make_noise(format.rate)), beep_(make_beep(format.rate)) {}

std::span<const std::byte> Sound::block(std::uint64_t first, std::uint64_t count) {
    mixed_.resize(count);
    for (std::uint64_t i = 0; i < count; ++i)
        mixed_[i] = noise_[(first + i) % noise_.size()];
    mix_beeps(first, count);
    store(count);
    return bytes_;
}

void Sound::mix_beeps(std::uint64_t first, std::uint64_t count) {
    // Below 1 fps several seconds share a flash frame and so a beep.
    const std::uint64_t end = first + count;
    std::uint64_t second = first / format_.rate;
    while (second > 0 && marks::beep_begin(second - 1, fps_, format_.rate) + beep_.size() > first)
        --second;
    for (; marks::beep_begin(second, fps_, format_.rate) < end; ++second) {
        const std::uint64_t begin = marks::beep_begin(second, fps_, format_.rate);
        if (second > 0 && marks::beep_begin(second - 1, fps_, format_.rate) == begin) continue;
        const std::uint64_t from = std::max(begin, first);
        const std::uint64_t to = std::min(begin + beep_.size(), end);
        for (std::uint64_t i = from; i < to; ++i)
            mixed_[i - first] += beep_[i - begin];
    }
}

void Sound::store(std::uint64_t count) {
    const auto put = [&](auto convert) {
        using Sample = decltype(convert(0.0F));
        bytes_.resize(count * format_.channels * sizeof(Sample));
        std::byte* out = bytes_.data();
        for (std::uint64_t i = 0; i < count; ++i) {
            const Sample value = convert(mixed_[i]);
            for (std::uint32_t channel = 0; channel < format_.channels; ++channel, out += sizeof(Sample)) {
                std::memcpy(out, &value, sizeof(Sample));
            }
        }
    };
    if (format_.format == SampleFormat::s16) {
        put([](float value) { return static_cast<std::int16_t>(std::lrint(value * 32767.0F)); });
    } else {
        put([](float value) { return value; });
    }
}

}  // namespace ringcast::producers
