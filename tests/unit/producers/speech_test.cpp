// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numbers>

#include "motion.hpp"
#include "ringcast/error.hpp"
#include "ringcast/producers/avatar.hpp"
#include "visemes.hpp"
#include "words.hpp"

namespace ringcast::producers {
namespace {

TEST(Words, sentences_end_at_marks_of_both_scripts) {
    EXPECT_EQ(split_sentences("Hello there.  How are\nyou?Fine! 3.5 is a number"),
              (std::vector<std::string>{"Hello there.", "How are you?Fine!", "3.5 is a number"}));
    EXPECT_EQ(split_sentences("大家好。你好吗？我很好"), (std::vector<std::string>{"大家好。", "你好吗？", "我很好"}));
    EXPECT_EQ(split_sentences("\"Stop!\" he said... Then?!"),
              (std::vector<std::string>{"\"Stop!\"", "he said...", "Then?!"}));
    EXPECT_TRUE(split_sentences("  \n ").empty());
    EXPECT_TRUE(split_sentences("... !").empty());
}

TEST(Words, chinese_is_found_among_latin) {
    EXPECT_TRUE(has_chinese("ringcast 很快"));
    EXPECT_FALSE(has_chinese("ringcast is fast. Ça va, Grüße"));
}

TEST(Words, bad_utf8_and_control_characters_are_told) {
    for (const char* text : {"\xC3", "a\xFF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "a\x1B[31m"}) {
        bool ok = true;
        decode_utf8(text, ok);
        EXPECT_FALSE(ok) << text;
    }
    bool ok = false;
    EXPECT_EQ(decode_utf8("a\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80\n", ok).size(), 5U);
    EXPECT_TRUE(ok);
}

std::vector<float> tone(double hz, double seconds, double level, std::uint32_t rate) {
    std::vector<float> samples(static_cast<std::size_t>(seconds * rate));
    for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = static_cast<float>(level * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
    }
    return samples;
}

constexpr std::uint32_t kRate = 22050;

/// Half a second of silence, half of sound, half of silence.
std::vector<float> between_silences(const std::vector<float>& sound) {
    std::vector<float> samples(kRate / 2);
    samples.insert(samples.end(), sound.begin(), sound.end());
    samples.resize(samples.size() + kRate / 2);
    return samples;
}

TEST(Visemes, mouth_opens_with_the_sound_and_shuts_with_it) {
    const VisemeTrack track(between_silences(tone(700, 0.5, 0.5, kRate)), kRate);
    EXPECT_LT(track.at(0.3).open, 0.01F);
    EXPECT_GT(track.at(0.75).open, 0.5F);
    EXPECT_LT(track.at(1.2).open, 0.01F);
    // In step: half open within 20 ms of where the sound begins and ends.
    const float half = track.at(0.75).open / 2;
    double begin = 0;
    while (begin < 1.5 && track.at(begin).open < half)
        begin += 0.001;
    double end = 1.5;
    while (end > 0 && track.at(end).open < half)
        end -= 0.001;
    EXPECT_NEAR(begin, 0.5, 0.020);
    EXPECT_NEAR(end, 1.0, 0.020);
}

TEST(Visemes, louder_is_wider_open) {
    auto loud = tone(700, 0.3, 0.6, kRate);
    const auto quiet = tone(700, 0.3, 0.04, kRate);
    loud.insert(loud.end(), quiet.begin(), quiet.end());
    const VisemeTrack track(loud, kRate);
    EXPECT_GT(track.at(0.15).open, 2 * track.at(0.45).open);
}

TEST(Visemes, low_second_formant_rounds_and_high_one_spreads) {
    auto mix = [](double first, double second) {
        auto samples = tone(first, 0.5, 0.4, kRate);
        const auto more = tone(second, 0.5, 0.15, kRate);
        std::transform(samples.begin(), samples.end(), more.begin(), samples.begin(), std::plus<>());
        return samples;
    };
    const VisemeTrack oo(mix(320, 1150), kRate);
    const VisemeTrack ee(mix(320, 2300), kRate);
    EXPECT_GT(oo.at(0.25).round, ee.at(0.25).round + 0.2F);
    EXPECT_GT(ee.at(0.25).wide, oo.at(0.25).wide + 0.2F);
}

TEST(Visemes, hiss_shows_teeth) {
    const VisemeTrack hiss(tone(6000, 0.5, 0.3, kRate), kRate);
    const VisemeTrack vowel(tone(700, 0.5, 0.3, kRate), kRate);
    EXPECT_GT(hiss.at(0.25).teeth, 0.5F);
    EXPECT_LT(vowel.at(0.25).teeth, 0.05F);
    EXPECT_LT(hiss.at(0.25).open, vowel.at(0.25).open / 2);
}

TEST(Visemes, silence_and_nothing_keep_the_mouth_shut) {
    EXPECT_EQ(VisemeTrack({}, kRate).at(0).open, 0);
    EXPECT_EQ(VisemeTrack(std::vector<float>(1000), kRate).at(0.02).open, 0);
    const VisemeTrack low(tone(300, 0.3, 0.5, 8000), 8000);  // bands above what the rate carries
    EXPECT_GT(low.at(0.15).open, 0);
    EXPECT_EQ(low.at(-5).open, 0);
    EXPECT_EQ(low.at(99).open, 0);
}

TEST(Motion, blinks_as_often_and_as_long_as_people) {
    Motion motion;
    int blinks = 0;
    bool shut = false;
    double longest = 0;
    double begin = 0;
    constexpr int kFrames = 25 * 1200;
    for (int frame = 0; frame < kFrames; ++frame) {
        const double now = frame / 25.0;
        const Pose pose = motion.at(now, {});
        const bool now_shut = pose.eyes_shut > 0.05;
        if (now_shut && !shut) {
            ++blinks;
            begin = now;
        }
        if (!now_shut && shut) longest = std::max(longest, now - begin);
        shut = now_shut;
    }
    EXPECT_NEAR(1200.0 / blinks, kMeanBlinkInterval, 0.8);
    EXPECT_LE(longest, 0.25);
}

TEST(Motion, stays_small_and_never_jumps) {
    Motion motion;
    Pose before = motion.at(0, {});
    for (int frame = 1; frame < 25 * 300; ++frame) {
        const float voice = frame / 100 % 2 == 0 ? 0.8F : 0.0F;
        const Pose pose = motion.at(frame / 25.0, {voice, 0, 0, 0, voice});
        EXPECT_LT(std::abs(pose.tilt), 0.06);
        EXPECT_LE(std::abs(pose.turn), 1.0);
        EXPECT_LT(std::abs(pose.tilt - before.tilt), 0.01);
        EXPECT_LT(std::abs(pose.shift_x - before.shift_x), 2.0);
        before = pose;
    }
}

AvatarOptions small(bool repeats = false) {
    return {{PixelFormat::bgra, 160, 90, {25, 1}}, repeats, true};
}

Speech spoken(SampleFormat format) {
    Speech speech;
    speech.rate = kRate;
    speech.format = format;
    speech.samples = tone(440, 0.7, 0.8, kRate);
    if (format == SampleFormat::s16) {
        for (float& sample : speech.samples)
            sample = std::round(sample * 32768) / 32768;
    }
    speech.sentences.push_back(
        {"A very long sentence that does not fit into a single line of so small a picture", 0, 15435});
    return speech;
}

TEST(Avatar, hands_16_bit_speech_on_unchanged_between_its_pauses) {
    const Speech speech = spoken(SampleFormat::s16);
    const auto avatar = make_avatar(small(), speech);
    const std::size_t pause = kRate / 2;
    const auto bytes = avatar->sound(0, speech.samples.size() + 2 * pause);
    for (std::size_t i = 0; i < bytes.size() / 2; ++i) {
        std::int16_t sample = 0;
        std::memcpy(&sample, bytes.data() + i * 2, 2);
        const bool said = i >= pause && i < pause + speech.samples.size();
        ASSERT_EQ(sample, said ? static_cast<std::int16_t>(speech.samples[i - pause] * 32768) : 0) << i;
    }
}

TEST(Avatar, repeats_without_losing_a_sample) {
    const Speech speech = spoken(SampleFormat::f32);
    const auto avatar = make_avatar(small(true), speech);
    const std::size_t round = speech.samples.size() + kRate / 2 * 2;
    const auto first = avatar->sound(0, round);
    const std::vector<std::byte> once(first.begin(), first.end());
    const auto again = avatar->sound(3 * round, round);
    EXPECT_TRUE(std::equal(once.begin(), once.end(), again.begin(), again.end()));
    const auto speaks_once = make_avatar(small(false), speech);
    const auto long_after = speaks_once->sound(3 * round, round);
    EXPECT_TRUE(std::all_of(long_after.begin(), long_after.end(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST(Avatar, lasts_as_long_as_its_speech_and_both_pauses) {
    const Speech speech = spoken(SampleFormat::s16);    // 0.7 s
    EXPECT_EQ(frames_of_speech(speech, {25, 1}), 43U);  // 1.7 s is 42.5 frames
    EXPECT_EQ(frames_of_speech(speech, {10, 1}), 17U);
}

TEST(Avatar, opens_its_mouth_only_while_it_speaks) {
    // The mouth's place in a 640x360 picture: how much of it is dark.
    const auto avatar = make_avatar({{PixelFormat::bgra, 640, 360, {25, 1}}, false, false}, spoken(SampleFormat::s16));
    std::vector<std::byte> frame(640 * 360 * 4);
    const auto dark = [&](std::uint64_t index) {
        avatar->draw(index, frame);
        int count = 0;
        for (std::size_t y = 190; y < 220; ++y) {
            for (std::size_t x = 305; x < 335; ++x) {
                const auto* pixel = &frame[(y * 640 + x) * 4];
                count +=
                    static_cast<int>(pixel[0]) + static_cast<int>(pixel[1]) + static_cast<int>(pixel[2]) < 190 ? 1 : 0;
            }
        }
        return count;
    };
    const int idle = dark(5);
    const int speaking = dark(20);
    const int after = dark(38);
    EXPECT_GT(speaking, idle + 30);
    EXPECT_GT(speaking, after + 30);
}

TEST(Avatar, draws_every_pixel_opaque_at_any_size) {
    constexpr std::uint32_t kSizes[][2] = {{1, 1}, {17, 400}, {400, 17}, {270, 480}};
    for (const auto& [width, height] : kSizes) {
        const auto avatar =
            make_avatar({{PixelFormat::bgra, width, height, {25, 1}}, false, true}, spoken(SampleFormat::s16));
        std::vector<std::byte> frame(std::size_t{width} * height * 4);
        avatar->draw(20, frame);
        for (std::size_t i = 3; i < frame.size(); i += 4)
            ASSERT_EQ(frame[i], std::byte{255}) << width << "x" << height;
    }
}

TEST(Avatar, refuses_formats_it_cannot_draw) {
    EXPECT_THROW(make_avatar({{PixelFormat::i420, 64, 64, {25, 1}}, false, true}, spoken(SampleFormat::s16)), Error);
}

TEST(Resampling, keeps_pitch_level_and_length) {
    Speech speech = spoken(SampleFormat::f32);
    for (const std::uint32_t rate : {48000U, 16000U, 8000U}) {
        const Speech other = resampled(speech, rate);
        EXPECT_NEAR(static_cast<double>(other.samples.size()) / rate, 0.7, 0.001);
        const auto expected = tone(440, 0.7, 0.8, rate);
        double error = 0;
        for (std::size_t i = rate / 10; i < other.samples.size() - rate / 10; ++i) {
            error = std::max(error, std::abs(double{other.samples[i]} - expected[i]));
        }
        EXPECT_LT(error, 0.01) << rate;
    }
}

TEST(Espeak, speaks_sentences_in_order_and_without_overlap) {
    const Speech speech = speak("One sentence. Another one!", std::nullopt);
    EXPECT_GE(speech.rate, 8000U);
    ASSERT_EQ(speech.sentences.size(), 2U);
    EXPECT_EQ(speech.sentences[0].text, "One sentence.");
    EXPECT_LE(speech.sentences[0].end, speech.sentences[1].first);
    EXPECT_EQ(speech.sentences[1].end, speech.samples.size());
    EXPECT_GT(*std::max_element(speech.samples.begin(), speech.samples.end()), 0.1F);
}

TEST(Espeak, chinese_text_gets_a_chinese_voice) {
    const auto own = speak("大家好", std::nullopt).samples;
    EXPECT_EQ(own, speak("大家好", "cmn+f3").samples);
    EXPECT_NE(own, speak("大家好", "en-us+f3").samples);
    EXPECT_EQ(speak("hello", std::nullopt).samples, speak("hello", "en-us+f3").samples);
}

TEST(Espeak, unknown_voice_says_how_to_see_the_list) {
    try {
        speak("hello", "klingon-of-no-kind");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_NE(std::string(error.what()).find("espeak-ng --voices"), std::string::npos) << error.what();
    }
}

TEST(Espeak, missing_program_says_how_to_install_it) {
    const std::string path = std::getenv("PATH");
    setenv("PATH", "/nonexistent", 1);
    try {
        speak("hello", std::nullopt);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::not_found);
        EXPECT_NE(std::string(error.what()).find("apt install espeak-ng"), std::string::npos) << error.what();
    }
    setenv("PATH", path.c_str(), 1);
}

TEST(Espeak, nothing_to_say_is_an_error) {
    EXPECT_THROW(speak(" \n", std::nullopt), Error);
    EXPECT_THROW(speak("\xFF", std::nullopt), Error);
}

}  // namespace
}  // namespace ringcast::producers
