// SPDX-License-Identifier: Apache-2.0
/// The avatar: a drawn presenter whose lips follow a speech that is known in advance.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/producers/loop.hpp"

namespace ringcast::producers {

/// What is said: mono samples, full scale 1.0, and which sentence is said when.
struct Speech {
    struct Sentence {
        std::string text;
        std::uint64_t first = 0;  ///< samples
        std::uint64_t end = 0;
    };
    std::uint32_t rate = 0;
    SampleFormat format = SampleFormat::s16;  ///< what holds the samples without loss
    std::vector<float> samples;
    std::vector<Sentence> sentences;  ///< empty when the words are not known
    std::string warning;              ///< one line, or empty
};

/// Speaks with the espeak-ng program. Without a voice, Chinese characters pick a Chinese one.
/// Throws Error: not_found (no espeak-ng, unknown voice), invalid_argument (not UTF-8, nothing to say), system.
Speech speak(const std::string& text, const std::optional<std::string>& voice);

/// Reads a PCM WAV file (8, 16, 24, 32 bit, float; any rate the bus takes; channels are averaged).
/// A file that ends early is used as far as it goes, with a warning. Throws Error: not_found, invalid_argument, system.
Speech read_wav(const std::filesystem::path& path);

/// The same speech at another rate.
Speech resampled(Speech speech, std::uint32_t rate);

struct AvatarOptions {
    VideoFormat video;     ///< bgra
    bool repeats = false;  ///< says it again and again
    bool captions = true;
};

inline constexpr double kAvatarPauseSeconds = 0.5;  ///< before and after each speech

/// Frames of one speech with its pauses.
std::uint64_t frames_of_speech(const Speech& speech, Rational fps);

/// Throws Error(invalid_argument) when the format is not bgra.
std::unique_ptr<Source> make_avatar(const AvatarOptions& options, Speech speech);

}  // namespace ringcast::producers
