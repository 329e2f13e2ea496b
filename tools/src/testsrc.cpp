// SPDX-License-Identifier: Apache-2.0
/// `ringcast testsrc`: a moving picture and sound with sync marks that tests read back.
#include "ringcast/producers/testsrc.hpp"

#include "producer_options.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    ProducerWords words;
    std::string format = "bgr24";
    std::string sample_format = "s16";
    std::uint32_t rate = 44100;
    std::uint32_t channels = 1;
};

int run(const Options& options) {
    const VideoFormat video = video_format_from(options.words, *pixel_format_from(options.format));
    const AudioFormat audio{*sample_format_from(options.sample_format), options.rate, options.channels};
    const auto source = producers::make_testsrc(video, audio);
    producers::LoopOptions loop = loop_options_from(options.words, video, audio);
    if (options.words.seconds) loop.frames = frames_of(*options.words.seconds, video.fps);
    return run_producer("testsrc", loop, *source, options.words.json);
}

}  // namespace

void add_testsrc(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    options->words.name = "testsrc";
    host::Command verb = command.add_verb("testsrc", "Write a test picture and sound with sync marks to a bus.");
    verb.set_usage("--bus BUS [--size WxH] [--fps F] [--seconds S] [--mode live|paced|lossless] ...");
    verb.option("--bus", options->words.bus, "The bus to write to.").required().check(check_bus_name).type_name("BUS");
    verb.option("--seconds", options->words.seconds, "Length; without it, until Ctrl-C.")
        .check(check_length)
        .type_name("SECONDS");
    add_producer_words(verb, options->words);
    verb.option("--format", options->format, "Pixel format: rgb24 bgr24 rgba bgra i420 nv12.")
        .one_of({"rgb24", "bgr24", "rgba", "bgra", "i420", "nv12"})
        .show_default()
        .type_name("FORMAT");
    verb.option("--rate", options->rate, "Samples per second.").between(8000U, 192000U).show_default().type_name("HZ");
    verb.option("--channels", options->channels, "Channels, all alike.").between(1U, 8U).show_default().type_name("N");
    verb.option("--sample-format", options->sample_format, "Sample format: s16 f32.")
        .one_of({"s16", "f32"})
        .show_default();
    verb.set_footer(
        "The strip on top carries the frame number; it flashes each second while the sound beeps.\n\n"
        "Examples:\n"
        "  ringcast testsrc --bus talk\n"
        "  ringcast testsrc --bus talk --size 640x360 --fps 30000/1001 --seconds 10\n"
        "  ringcast testsrc --bus talk --seconds 60 --mode lossless --wait-readers 2");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
