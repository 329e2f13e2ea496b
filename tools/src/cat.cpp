// SPDX-License-Identifier: Apache-2.0
/// `ringcast cat`: a bus as a stream of bytes for ffplay, ffmpeg or a file.
#include <csignal>
#include <cstdio>
#include <memory>

#include "bus_json.hpp"
#include "cat_stream.hpp"
#include "command.hpp"
#include "duration_words.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    std::string bus;
    std::string format;
    std::string flow;
    std::string seconds;
    std::uint64_t frames = 0;
    std::string output = "-";
    bool lossless = false;
    bool json = false;
};

/// y4m has no sound, wav no pictures, raw one flow only.
CatOptions cat_options(const Options& words) {
    CatOptions options;
    options.bus = words.bus;
    options.lossless = words.lossless;
    options.format = words.format.empty() ? media_format_of(words.output).value_or(MediaFormat::nut)
                                          : *media_format_from(words.format);
    const bool video_only = options.format == MediaFormat::y4m;
    const bool audio_only = options.format == MediaFormat::wav;
    if ((video_only && words.flow == "audio") || (audio_only && words.flow == "video")) {
        throw UsageError(std::string(media_name(options.format)) + " carries no " + words.flow +
                         "; use --format nut or raw for it");
    }
    const bool raw_default = options.format == MediaFormat::raw && words.flow.empty();
    options.video = !audio_only && words.flow != "audio";
    options.audio = !video_only && words.flow != "video" && !raw_default;
    if (words.frames > 0 && !options.video) {
        throw UsageError("--frames counts pictures and there are none in this stream; use --seconds");
    }
    if (words.frames > 0) options.limit_frames = words.frames;
    if (!words.seconds.empty()) options.limit_ns = duration_from(words.seconds)->count();
    return options;
}

Json flow_json(const CatCounts& counts) {
    return {{"records", counts.records},
            {"lost_overrun_records", counts.overrun},
            {"lost_aborted_records", counts.aborted}};
}

void summarise(const Options& words, const CatOptions& options, const CatStream& stream, const ByteOutput& out) {
    Json json = {{"bus", options.bus},         {"format", media_name(options.format)}, {"output", words.output},
                 {"end", stream.end_reason()}, {"duration_ns", stream.duration_ns()},  {"written_bytes", out.written()},
                 {"flows", Json::object()}};
    for (const FlowKind kind : {FlowKind::video, FlowKind::audio}) {
        const bool wanted = kind == FlowKind::video ? options.video : options.audio;
        if (!wanted) continue;
        const CatCounts& counts = stream.counts(kind);
        json["flows"][std::string(name_of(kind))] = flow_json(counts);
        const std::uint64_t lost = counts.overrun + counts.aborted;
        if (lost == 0 || words.json) continue;
        std::fprintf(stderr,
                     "ringcast cat: %llu %s records were lost (%llu overrun, %llu aborted); read faster, or let a "
                     "lossless producer wait with --lossless\n",
                     static_cast<unsigned long long>(lost), std::string(name_of(kind)).c_str(),
                     static_cast<unsigned long long>(counts.overrun), static_cast<unsigned long long>(counts.aborted));
    }
    if (words.json) std::fputs(one_line(json).c_str(), stderr);
}

int run(const Options& words) {
    signal(SIGPIPE, SIG_IGN);
    const CatOptions options = cat_options(words);
    ByteOutput out(words.output, "a stream on a terminal is of no use; pipe it, as in: ringcast cat " + words.bus +
                                     " | ffplay - (or write a file with --output FILE)");
    CatStream stream(options, out);
    stream.run();
    out.close();
    summarise(words, options, stream, out);
    return kExitOk;
}

}  // namespace

void add_cat(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("cat", "Stream a bus to stdout for ffplay, ffmpeg or a file.");
    verb.set_usage("BUS [--format nut|y4m|wav|raw] [--flow video|audio] [--seconds S | --frames N] ...");
    verb.option("bus", options->bus, "Name of the bus.").required().check(check_bus_name).type_name("NAME");
    verb.option("--format", options->format,
                "nut: picture and sound; y4m: picture; wav: sound; raw: the bytes of one flow. Without it, by the "
                "name of --output, else nut.")
        .one_of({"nut", "y4m", "wav", "raw"});
    verb.option("-f,--flow", options->flow, "Only this flow; raw without it is video.").one_of({"video", "audio"});
    const host::Option seconds = verb.option("--seconds", options->seconds, "End after so much media.")
                                     .check(duration_check(std::chrono::milliseconds(1)))
                                     .type_name("SECONDS");
    verb.option("--frames", options->frames, "End after so many pictures.")
        .check(check_count)
        .excludes(seconds)
        .type_name("N");
    verb.option("-o,--output", options->output, "File to write; \"-\" is stdout.").show_default().type_name("FILE");
    verb.flag("--lossless", options->lossless,
              "Ask a lossless producer to wait for this reader, once it is there; start that one with "
              "--wait-readers, or it may be ahead.");
    verb.flag("--json", options->json, "Sum up at the end as one JSON line on stderr.");
    verb.set_footer(
        "Waits for the bus, begins at the newest frame (at the first when it had to wait, or with --lossless),\n"
        "ends at the end of the stream. Losses are told on stderr. A reader that leaves ends it quietly.\n\n"
        "Examples:\n"
        "  ringcast cat talk | ffplay -\n"
        "  ringcast cat talk --seconds 5 | ffmpeg -i - -y talk.mkv\n"
        "  ringcast cat talk --format wav --seconds 5 --output talk.wav\n"
        "  ringcast cat talk --format raw --flow video --frames 1 --output frame.bgr");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
