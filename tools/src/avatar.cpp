// SPDX-License-Identifier: Apache-2.0
/// `ringcast avatar`: a drawn presenter who says a text or a recorded speech.
#include "ringcast/producers/avatar.hpp"

#include <utility>

#include "producer_options.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    ProducerWords words;
    std::string text;
    std::string wav;
    std::optional<std::string> voice;
    std::optional<std::uint32_t> rate;
    bool loop = false;
    bool no_captions = false;
};

producers::Speech speech_from(const Options& options) {
    if (options.text.empty() == options.wav.empty()) throw UsageError("say what to speak: --text TEXT or --wav FILE");
    if (options.voice && options.text.empty()) throw UsageError("--voice goes with --text: a WAV file has its own");
    auto speech =
        options.text.empty() ? producers::read_wav(options.wav) : producers::speak(options.text, options.voice);
    return options.rate ? producers::resampled(std::move(speech), *options.rate) : speech;
}

int run(const Options& options) {
    const VideoFormat video = video_format_from(options.words, PixelFormat::bgra);
    auto speech = speech_from(options);
    const AudioFormat audio{speech.format, speech.rate, 1};
    producers::LoopOptions loop = loop_options_from(options.words, video, audio);
    if (options.words.seconds) {
        loop.frames = frames_of(*options.words.seconds, video.fps);
    } else if (!options.loop) {
        loop.frames = producers::frames_of_speech(speech, video.fps);
    }
    if (!speech.warning.empty()) std::fprintf(stderr, "ringcast avatar: warning: %s\n", speech.warning.c_str());
    const auto source = producers::make_avatar({video, options.loop, !options.no_captions}, std::move(speech));
    return run_producer("avatar", loop, *source, options.words.json);
}

}  // namespace

void add_avatar(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    options->words.name = "avatar";
    options->words.bus = "avatar";
    host::Command verb = command.add_verb("avatar", "A drawn presenter speaks to a bus, lips in step with the sound.");
    verb.set_usage("--text TEXT | --wav FILE [--voice V] [--bus BUS] [--loop] [--seconds S] ...");
    verb.option("--text", options->text, "What to say (espeak-ng speaks; Chinese text gets a Chinese voice).")
        .type_name("TEXT");
    verb.option("--wav", options->wav, "A recorded speech: PCM or float WAV.").type_name("FILE");
    verb.option("--voice", options->voice, "Voice of espeak-ng; see espeak-ng --voices.").type_name("VOICE");
    verb.option("--bus", options->words.bus, "The bus to write to.")
        .check(check_bus_name)
        .show_default()
        .type_name("BUS");
    verb.option("--seconds", options->words.seconds, "Whole length with idling; without it, the speech once.")
        .check(check_length)
        .type_name("SECONDS");
    verb.flag("--loop", options->loop, "Say it again and again.");
    verb.flag("--no-captions", options->no_captions, "Do not show the sentence being said.");
    add_producer_words(verb, options->words);
    verb.option("--rate", options->rate, "Samples per second; without it, the speech's own.")
        .between(8000U, 192000U)
        .type_name("HZ");
    verb.set_footer(
        "Examples:\n"
        "  ringcast avatar --text \"Good evening, and welcome.\"\n"
        "  ringcast avatar --bus talk --text \"大家好，欢迎收看。\" --loop\n"
        "  ringcast avatar --bus talk --wav speech.wav --fps 30 --size 1080x1920 --wait-readers 2");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
