// SPDX-License-Identifier: Apache-2.0
/// ringcast-sink: one plugin, one bus, one process.
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>

#include "carried_codecs.hpp"
#include "command_line.hpp"
#include "command_parser.hpp"
#include "option_words.hpp"
#include "plugin_description.hpp"
#include "plugin_error.hpp"
#include "plugin_finder.hpp"
#include "plugin_instance.hpp"
#include "plugin_loader.hpp"
#include "redacting_formatter.hpp"
#include "redactor.hpp"
#include "ringcast/error.hpp"
#include "runtime/av_log.hpp"
#include "secret_options.hpp"
#include "sink_process.hpp"

namespace ringcast::host {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  ringcast-sink file --bus talk out.mp4            record the bus 'talk' until it ends, then wait for the next\n"
    "  ringcast-sink file --bus talk --once out.mkv     the same, but exit 0 at the end of the stream\n"
    "  ringcast-sink hls --bus talk dir=www listen=8080 video.bitrate=3000k\n"
    "  ringcast-sink file --help                        options of the plugin 'file' and of the host\n"
    "\n"
    "PLUGIN is a name, looked up in $RINGCAST_PLUGIN_PATH and ../lib/ringcast, or a path to a .so.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong words.";

/// One for the process, so that the last line of main() is clean, too.
const std::shared_ptr<Redactor>& redactor() {
    static const auto kRedactor = std::make_shared<Redactor>();
    return kRedactor;
}

struct Arguments {
    std::string plugin;
    std::string bus;
    std::string name;
    std::string log_level = "info";
    std::string probe;
    std::vector<std::string> words;
    bool once = false;
    bool help = false;
    bool json = false;
};

void declare(Command& command, Arguments& arguments) {
    command.set_footer(kFooter);
    command.replace_help("-h,--help,--plugin-help", arguments.help,
                         "This help; after PLUGIN also the options it takes");
    command.option("PLUGIN", arguments.plugin, "Plugin name or path");
    command.option("WORDS", arguments.words, "Options as key=value, or one bare word for the plugin's main option");
    command.option("--bus", arguments.bus, "Bus to read; waits until it is there").type_name("BUS");
    command.option("--name", arguments.name, "Name of this sink in logs and in the inspector (default: the plugin's)")
        .type_name("NAME");
    command.flag("--once", arguments.once, "Exit at the end of the stream instead of waiting for the next producer");
    command.option("--log-level", arguments.log_level, "debug, info, warning or error")
        .one_of({"debug", "info", "warning", "error"})
        .show_default();
    command.option("--probe", arguments.probe, "Load FILE, say what it is, exit; runs no instance").type_name("FILE");
    command.flag("--json", arguments.json, "With --probe: one line of JSON");
}

std::shared_ptr<spdlog::logger> make_log(const std::string& name, const std::string& level) {
    auto log = spdlog::stderr_color_mt(name);
    auto pattern = std::make_unique<spdlog::pattern_formatter>("%H:%M:%S.%e %n %^%l%$ %v");
    log->set_formatter(std::make_unique<RedactingFormatter>(std::move(pattern), redactor()));
    log->set_level(spdlog::level::from_str(level));
    log->flush_on(spdlog::level::info);
    if (getenv("NO_COLOR") != nullptr) {
        static_cast<spdlog::sinks::stderr_color_sink_mt*>(log->sinks().front().get())
            ->set_color_mode(spdlog::color_mode::never);
    }
    spdlog::set_default_logger(log);
    return log;
}

/// libav talks of itself on its own levels; only what went wrong is news.
void log_av_line(int level, std::string_view line) {
    constexpr int kAvError = 16;
    constexpr int kAvWarning = 24;
    if (level <= kAvError) {
        spdlog::error("libav: {}", line);
    } else if (level <= kAvWarning) {
        spdlog::debug("libav: {}", line);
    }
}

/// The plugin's load-time code may print: what it says must not get into the answer.
int answer_probe(const Arguments& arguments) {
    const int answer = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    const Plugin plugin = Plugin::load(arguments.probe);
    const std::string text = (arguments.json ? describe_as_json(plugin) + "\n" : describe_as_text(plugin));
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t written = write(answer, text.data() + done, text.size() - done);
        if (written < 0) return kExitFailure;
        done += static_cast<std::size_t>(written);
    }
    return kExitOk;
}

int answer_help(const Command& command, const Arguments& arguments) {
    if (arguments.plugin.empty()) {
        std::cout << command.help();
        return kExitOk;
    }
    const Plugin plugin = Plugin::load(find_plugin(arguments.plugin));
    std::cout << describe_as_text(plugin) << "\nUsage: ringcast-sink " << plugin.api().name
              << " --bus BUS [--name NAME] [--once] [key=value...]\n\n"
              << "Options of the host:\n"
              << runtime::sink_options_help(defaults_for(plugin.api(), {}));
    return kExitOk;
}

int run(const CommandLine& line, const Arguments& arguments) {
    if (arguments.plugin.empty()) throw UsageError("which plugin? ringcast-sink PLUGIN --bus BUS; see --help");
    if (arguments.bus.empty()) {
        throw UsageError("which bus? add --bus NAME; `ringcast ls` shows those that are there");
    }
    Plugin plugin = Plugin::load(find_plugin(arguments.plugin));
    const std::string plugin_name = plugin.api().name;
    if ((plugin.api().takes & RINGCAST_SINK_TAKES_PACKETS) == 0) {
        throw PluginError("plugin " + plugin_name + " takes raw frames only; this ringcast-sink delivers packets");
    }
    SplitWords words = split_words(plugin.api(), arguments.words);
    SecretOptions secrets(plugin.api(), words.plugin, line, redactor());
    const std::string name = arguments.name.empty() ? plugin_name : arguments.name;
    const auto log = make_log(name, arguments.log_level);
    runtime::set_av_log_handler(&log_av_line);
    for (const std::string& warning : line.warnings())
        log->warn("{}", warning);
    for (const std::string& warning : secrets.warnings())
        log->warn("{}", warning);

    runtime::PipelineOptions options;
    options.sink = words.sink;
    options.once = arguments.once;
    options.reader.bus = arguments.bus;
    options.reader.name = name;
    options.reader.plugin = plugin_name;
    options.reader.lossless = words.sink.is_lossless();
    const runtime::EncoderProbe encoders = probe_carried_encoders(plugin.api(), words.sink);
    if (!encoders.note.empty()) log->warn("{}", encoders.note);
    auto instance = std::make_unique<PluginInstance>(std::move(plugin), log, redactor(), words.plugin);
    return run_sink(std::move(options), std::move(instance), std::move(secrets), log);
}

int complain(const std::exception& error, ExitCode code) {
    std::cerr << "ringcast-sink: " << redactor()->clean(error.what()) << "\n";
    return code;
}

/// Named only when it can hardly be anything but a flag: a stream key may have come into the wrong place.
std::string unknown_flag_text(std::string_view word) {
    const std::string_view flag = word.substr(0, word.find('='));
    const bool is_flag =
        flag.starts_with("--") && flag.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
    return "unknown flag" + (is_flag ? " " + std::string(flag) : std::string()) +
           "; options of a sink are key=value without dashes (--help lists all)";
}

int guarded_main(const CommandLine& line) {
    CommandParser parser("Reads a bus, encodes, and hands the packets to one sink plugin.", "ringcast-sink");
    Arguments arguments;
    declare(parser, arguments);
    try {
        parser.parse(line.words(), {.command = "ringcast-sink PLUGIN", .may_quote = false});
    } catch (const WrongWords& wrong) {
        throw UsageError(wrong.extra.empty() ? wrong.what() : unknown_flag_text(wrong.extra));
    }
    if (!arguments.probe.empty()) return answer_probe(arguments);
    if (arguments.help) return answer_help(parser, arguments);
    set_up_signals();
    return run(line, arguments);
}

}  // namespace
}  // namespace ringcast::host

int main(int argc, char** argv) {
    using namespace ringcast::host;
    try {
        return guarded_main(CommandLine(argc, argv, *redactor()));
    } catch (const UsageError& error) {
        return complain(error, kExitUsage);
    } catch (const ringcast::Error& error) {
        return complain(error, error.code() == ringcast::ErrorCode::invalid_argument ? kExitUsage : kExitFailure);
    } catch (const std::exception& error) {
        return complain(error, kExitFailure);
    }
}
