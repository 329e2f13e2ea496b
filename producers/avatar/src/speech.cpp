// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "espeak.hpp"
#include "ringcast/error.hpp"
#include "ringcast/producers/avatar.hpp"
#include "wav.hpp"
#include "words.hpp"

namespace ringcast::producers {
namespace {

constexpr const char* kVoice = "en-us+f3";
constexpr const char* kChineseVoice = "cmn+f3";
constexpr double kSentencePauseSeconds = 0.25;
constexpr int kZeroCrossings = 24;  // of the sinc on each side

bool is_silent(float sample) {
    return std::abs(sample) < 1e-3F;
}

/// espeak-ng ends each text with a pause of its own length; ours replaces it.
void trim_end(std::vector<float>& samples) {
    const auto last = std::find_if_not(samples.rbegin(), samples.rend(), is_silent);
    samples.erase(last.base(), samples.end());
}

double windowed_sinc(double x, double cutoff, double half_width) {
    const double edge = x / half_width;
    if (std::abs(edge) >= 1) return 0;
    const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * edge);
    const double phase = std::numbers::pi * cutoff * x;
    return window * cutoff * (std::abs(phase) < 1e-9 ? 1.0 : std::sin(phase) / phase);
}

}  // namespace

Speech speak(const std::string& text, const std::optional<std::string>& voice) {
    bool ok = true;
    (void)decode_utf8(text, ok);
    if (!ok) throw Error(ErrorCode::invalid_argument, "the text is not UTF-8, or holds control characters");
    const auto sentences = split_sentences(text);
    if (sentences.empty()) throw Error(ErrorCode::invalid_argument, "the text holds nothing to say");

    const std::string chosen = voice.value_or(has_chinese(text) ? kChineseVoice : kVoice);
    Speech speech;
    for (const auto& sentence : sentences) {
        const auto bytes = run_espeak(sentence, chosen);
        if (bytes.size() <= 44) continue;  // a WAV header alone: nothing in it can be spoken
        Speech part = parse_wav(bytes, "the sound of espeak-ng");
        trim_end(part.samples);
        if (part.samples.empty()) continue;
        if (!speech.samples.empty()) {
            speech.samples.resize(speech.samples.size() + static_cast<std::size_t>(kSentencePauseSeconds * part.rate));
        }
        speech.rate = part.rate;
        const std::uint64_t first = speech.samples.size();
        speech.samples.insert(speech.samples.end(), part.samples.begin(), part.samples.end());
        speech.sentences.push_back({sentence, first, speech.samples.size()});
    }
    if (speech.samples.empty()) {
        throw Error(ErrorCode::invalid_argument, "voice \"" + chosen + "\" has nothing to say for this text");
    }
    return speech;
}

Speech resampled(Speech speech, std::uint32_t rate) {
    if (rate == speech.rate) return speech;
    const double ratio = static_cast<double>(rate) / speech.rate;
    const double cutoff = std::min(1.0, ratio) * 0.97;
    const double half_width = kZeroCrossings / cutoff;
    const auto& in = speech.samples;
    std::vector<float> out(static_cast<std::size_t>(std::llround(static_cast<double>(in.size()) * ratio)));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const double centre = static_cast<double>(i) / ratio;
        const auto begin = static_cast<std::int64_t>(std::max(0.0, std::ceil(centre - half_width)));
        const auto end =
            std::min(static_cast<std::int64_t>(in.size()), static_cast<std::int64_t>(centre + half_width) + 1);
        double sum = 0;
        for (std::int64_t k = begin; k < end; ++k) {
            sum += double{in[static_cast<std::size_t>(k)]} *
                   windowed_sinc(static_cast<double>(k) - centre, cutoff, half_width);
        }
        out[i] = static_cast<float>(sum);
    }
    for (auto& sentence : speech.sentences) {
        sentence.first = static_cast<std::uint64_t>(std::llround(static_cast<double>(sentence.first) * ratio));
        sentence.end = static_cast<std::uint64_t>(std::llround(static_cast<double>(sentence.end) * ratio));
    }
    speech.samples = std::move(out);
    speech.rate = rate;
    return speech;
}

}  // namespace ringcast::producers
