// SPDX-License-Identifier: Apache-2.0
#include "runtime/audio_encoder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "decode_support.hpp"
#include "ringcast/error.hpp"

namespace ringcast::runtime {
namespace {

AudioOptions options_of(std::uint32_t rate, std::uint32_t channels) {
    AudioOptions options;
    options.rate = rate;
    options.channels = channels;
    return options;
}

/// A 1 kHz beep of 80 ms at each whole second.
PlanarSamples beeps(std::uint32_t rate, std::uint32_t channels, std::size_t samples) {
    PlanarSamples result(channels);
    result.resize(samples);
    for (std::size_t i = 0; i < samples; ++i) {
        const double t = static_cast<double>(i % rate) / rate;
        if (t >= 0.08) continue;
        for (std::uint32_t c = 0; c < channels; ++c)
            result.channel_data(c)[i] = static_cast<float>(0.6 * std::sin(2 * std::numbers::pi * 1000 * t));
    }
    return result;
}

PlanarSamples portion_of(const PlanarSamples& all, std::size_t begin, std::size_t count) {
    PlanarSamples part = all;
    part.drop_front(begin);
    part.resize(count);
    return part;
}

struct Encoded {
    StreamInfo stream;
    std::vector<Packet> packets;
};

Encoded encode(const AudioOptions& options, const PlanarSamples& samples, std::size_t portion,
               std::int64_t first_pts = 0) {
    AudioEncoder encoder(options);
    encoder.set_first_pts(first_pts);
    Encoded encoded{encoder.stream(), {}};
    const auto keep = [&](Packet&& packet) { encoded.packets.push_back(std::move(packet)); };
    for (std::size_t done = 0; done < samples.size(); done += portion)
        encoder.encode(portion_of(samples, done, std::min(portion, samples.size() - done)), keep);
    encoder.drain(keep);
    EXPECT_EQ(encoder.samples_in(), samples.size());
    return encoded;
}

/// Decoded sound by its pts: sample i of the result is the sample of pts i.
std::vector<float> decoded(const Encoded& encoded) {
    testing::Decoder decoder(encoded.stream);
    for (const Packet& packet : encoded.packets)
        decoder.decode(packet);
    decoder.drain();
    std::vector<float> result;
    for (const AVFramePtr& frame : decoder.frames)
        for (int i = 0; i < frame->nb_samples; ++i) {
            const std::int64_t at = frame->pts + i;
            if (at < 0) continue;
            if (result.size() <= static_cast<std::size_t>(at)) result.resize(static_cast<std::size_t>(at) + 1);
            result[static_cast<std::size_t>(at)] = reinterpret_cast<const float*>(frame->data[0])[i];
        }
    return result;
}

TEST(AudioEncoder, pts_count_samples_and_durations_add_up) {
    for (const std::size_t total : {std::size_t{1}, std::size_t{1023}, std::size_t{1024}, std::size_t{48'001}}) {
        const Encoded encoded = encode(options_of(48000, 2), beeps(48000, 2, total), 777);
        ASSERT_FALSE(encoded.packets.empty());
        std::int64_t next = -static_cast<std::int64_t>(encoded.stream.initial_padding);
        for (const Packet& packet : encoded.packets) {
            EXPECT_EQ(packet.pts, next);
            EXPECT_EQ(packet.dts, packet.pts);
            EXPECT_GT(packet.duration, 0);
            EXPECT_TRUE(packet.key);
            EXPECT_EQ(packet.stream, 1U);
            next += packet.duration;
        }
        EXPECT_EQ(next, static_cast<std::int64_t>(total)) << "the last packet ends where the sound ended";
    }
}

TEST(AudioEncoder, the_first_sample_may_stand_elsewhere) {
    const Encoded encoded = encode(options_of(48000, 2), beeps(48000, 2, 4096), 4096, 96'000);
    EXPECT_EQ(encoded.packets.front().pts, 96'000 - static_cast<std::int64_t>(encoded.stream.initial_padding));
}

TEST(AudioEncoder, beeps_stay_within_two_milliseconds_after_decoding) {
    for (const std::uint32_t rate : {44100U, 48000U}) {
        const std::vector<float> sound = decoded(encode(options_of(rate, 2), beeps(rate, 2, rate * 4), 1111));
        ASSERT_GE(sound.size(), std::size_t{rate} * 4);
        for (std::size_t second = 1; second < 4; ++second) {
            // The first sample above a third of the tone's height, and the last.
            const std::size_t from = second * rate - rate / 4;
            const std::size_t until = second * rate + rate / 4;
            std::size_t first = until;
            std::size_t last = from;
            for (std::size_t i = from; i < until; ++i) {
                if (std::abs(sound[i]) < 0.2F) continue;
                first = std::min(first, i);
                last = std::max(last, i);
            }
            EXPECT_NEAR(static_cast<double>(first) / rate, static_cast<double>(second), 0.002) << rate;
            EXPECT_NEAR(static_cast<double>(last) / rate, static_cast<double>(second) + 0.08, 0.002) << rate;
        }
    }
}

TEST(AudioEncoder, the_stream_is_aac_lc_with_its_config) {
    const AudioEncoder encoder(options_of(44100, 1));
    const StreamInfo& stream = encoder.stream();
    EXPECT_EQ(stream.codec, Codec::aac);
    EXPECT_EQ(stream.timebase, (Rational{1, 44100}));
    EXPECT_EQ(stream.initial_padding, 1024U);
    ASSERT_GE(stream.extradata.size(), 2U);
    EXPECT_EQ(stream.extradata[0] >> 3, 2) << "AAC-LC";
    const int rate_index = (stream.extradata[0] & 7) << 1 | stream.extradata[1] >> 7;
    EXPECT_EQ(rate_index, 4) << "44.1 kHz";
    EXPECT_EQ(stream.extradata[1] >> 3 & 0xF, 1) << "mono";
}

TEST(AudioEncoder, bitrate_is_near_what_was_asked) {
    PlanarSamples noise(2);
    noise.resize(48000 * 5);
    std::uint32_t state = 1;
    for (std::size_t i = 0; i < noise.size(); ++i)
        for (std::uint32_t c = 0; c < 2; ++c) {
            state = state * 1664525U + 1013904223U;
            noise.channel_data(c)[i] = static_cast<float>(state >> 8) / (1 << 24) - 0.5F;
        }
    std::size_t bytes = 0;
    for (const Packet& packet : encode(options_of(48000, 2), noise, 4800).packets)
        bytes += packet.data().size();
    EXPECT_NEAR(static_cast<double>(bytes) * 8 / 5, 128e3, 16e3);
}

TEST(AudioEncoder, opus_decodes_to_what_went_in) {
    AudioOptions options = options_of(48000, 2);
    options.codec = Codec::opus;
    const auto encoded = encode(options, beeps(48000, 2, 48000 * 2), 1111);
    EXPECT_EQ(encoded.stream.codec, Codec::opus);
    EXPECT_GT(encoded.stream.initial_padding, 0U);
    ASSERT_GE(encoded.stream.extradata.size(), 19U);
    EXPECT_EQ(std::string(encoded.stream.extradata.begin(), encoded.stream.extradata.begin() + 8), "OpusHead");
    const std::vector<float> sound = decoded(encoded);
    EXPECT_GE(sound.size(), 48000U * 2);
    const auto loud = [&](double from, double until) {
        double sum = 0;
        for (auto i = static_cast<std::size_t>(from * 48000); i < static_cast<std::size_t>(until * 48000); ++i)
            sum += std::abs(sound[i]);
        return sum / ((until - from) * 48000);
    };
    EXPECT_GT(loud(1.01, 1.07), 0.2) << "the beep of the first second";
    EXPECT_LT(loud(0.5, 0.9), 0.05);
}

std::string error_of(const AudioOptions& options) {
    try {
        const AudioEncoder encoder(options);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(AudioEncoder, errors_name_encoder_option_and_fix) {
    EXPECT_EQ(error_of(options_of(47000, 2)).find("audio.rate=47000: aac encodes 96000, "), 0U);
    AudioOptions options;
    options.encoder = "acc";
    EXPECT_EQ(error_of(options), "audio.encoder=acc: libavcodec here has no such encoder: did you mean aac?");
    options.encoder = "pcm_s16le";
    EXPECT_EQ(error_of(options),
              "audio.encoder=pcm_s16le makes pcm_s16le, which no sink carries as audio: use audio.encoder=aac");
    options.encoder = "aac";
    options.options = {{"aac_coderr", "fast"}};
    EXPECT_EQ(error_of(options), "audio.options: audio.encoder=aac has no option aac_coderr: did you mean aac_coder?");
}

TEST(AudioEncoder, sound_after_the_end_or_of_other_channels_is_refused) {
    AudioEncoder encoder(options_of(48000, 2));
    PlanarSamples mono(1);
    mono.append_silence(10);
    EXPECT_THROW(encoder.encode(mono, [](Packet&&) {}), Error);
    encoder.drain([](Packet&&) {});
    PlanarSamples stereo(2);
    stereo.append_silence(10);
    EXPECT_THROW(encoder.encode(stereo, [](Packet&&) {}), Error);
}

}  // namespace
}  // namespace ringcast::runtime
