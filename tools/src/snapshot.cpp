// SPDX-License-Identifier: Apache-2.0
/// `ringcast snapshot`: the newest frame of a bus as a picture file.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "attach.hpp"
#include "bus_json.hpp"
#include "byte_output.hpp"
#include "command.hpp"
#include "duration_words.hpp"
#include "picture.hpp"
#include "stop_signal.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

constexpr std::chrono::seconds kLongestWait{1};

struct Options {
    std::string bus;
    std::string output;
    std::string format;
    std::string timeout = "5s";
    bool json = false;
};

PictureFormat format_of(const Options& options) {
    if (!options.format.empty()) return options.format == "png" ? PictureFormat::png : PictureFormat::jpg;
    if (options.output == "-") return PictureFormat::png;
    if (const auto format = picture_format_of(options.output)) return *format;
    throw UsageError("\"" + sanitise(options.output) +
                     "\" does not say which picture to write: end the name in .png or .jpg, or add --format png|jpg");
}

/// Waits for the newest frame of one bus; a session that is superseded meanwhile is left for the next one.
class NewestFrame {
public:
    NewestFrame(const Options& options, Deadline deadline) : options_(options), deadline_(deadline) {}

    /// False when a stop was asked for.
    bool take(CopiedRecord& frame) {
        for (;;) {
            const auto reader = attach_or_explain(
                {.bus = options_.bus, .name = "snapshot", .plugin = {}, .on_board = false}, stop_.fd(), deadline_, "");
            if (!reader) return false;
            stop_.watch(reader.get());
            const Outcome outcome = look(*reader, frame);
            stop_.watch(nullptr);
            if (outcome != Outcome::attach_again) return outcome == Outcome::taken;
        }
    }

private:
    enum class Outcome { taken, attach_again, stopped };

    Outcome look(BusReader& reader, CopiedRecord& frame) {
        for (;;) {
            const std::uint32_t ticket = reader.ticket();
            const bool superseded = reader.superseded();
            const bool over = reader.ended() || !reader.writer_alive();
            reader.refresh();
            FlowReader* flow = reader.flow(FlowKind::video);
            if (flow != nullptr && newest_of(*flow, frame)) return Outcome::taken;
            if (stop_.requested()) return Outcome::stopped;
            if (superseded) return Outcome::attach_again;
            if (over) throw VerbError(bus() + " ended before it held a frame");
            if (std::chrono::steady_clock::now() >= deadline_) explain_no_frame(flow != nullptr);
            reader.wait(ticket, std::min(deadline_, std::chrono::steady_clock::now() + kLongestWait));
        }
    }

    bool newest_of(FlowReader& flow, CopiedRecord& frame) const {
        // An overrun means that a newer one is there; a producer that wins this race for ever meets the deadline.
        do {
            flow.seek_newest();
            const ReadStatus status = copy_record(flow, frame);
            if (status == ReadStatus::ok) return true;
            if (status == ReadStatus::damaged) throw VerbError("the video flow of " + bus() + " is damaged");
            if (status != ReadStatus::overrun) return false;
        } while (std::chrono::steady_clock::now() < deadline_ && !stop_.requested());
        return false;
    }

    [[noreturn]] void explain_no_frame(bool has_video) const {
        if (!has_video) {
            throw VerbError(bus() + " has no video flow; see what it has with: ringcast info " + options_.bus);
        }
        throw VerbError("no frame came on " + bus() + " within " + options_.timeout +
                        "; wait longer with --timeout 30s");
    }
    [[nodiscard]] std::string bus() const { return "bus \"" + options_.bus + "\""; }

    const Options& options_;
    Deadline deadline_;
    StopSignal stop_;
};

/// Under a temporary name beside the final one, so that nobody ever sees half a picture.
void write_file(const std::string& path, const std::vector<std::uint8_t>& bytes) {
    const std::filesystem::path target(path);
    const std::filesystem::path temporary =
        target.parent_path() / ("." + target.filename().string() + ".tmp-" + std::to_string(getpid()));
    try {
        ByteOutput file(temporary.string(), {});
        file.write(bytes);
        file.close();
        std::filesystem::rename(temporary, target);
    } catch (...) {
        std::error_code ignored;
        std::filesystem::remove(temporary, ignored);
        throw;
    }
}

void write_picture(const std::string& path, const std::vector<std::uint8_t>& bytes) {
    if (path == "-") {
        ByteOutput("-", "a picture on a terminal is of no use; redirect it, as in: ringcast snapshot BUS - > out.png")
            .write(bytes);
        return;
    }
    if (std::filesystem::is_directory(path)) {
        throw VerbError("\"" + sanitise(path) + "\" is a folder; name a file in it, as in: " + sanitise(path) +
                        "/out.png");
    }
    try {
        write_file(path, bytes);
    } catch (const std::filesystem::filesystem_error& error) {
        throw VerbError("cannot write \"" + sanitise(path) + "\": " + error.code().message());
    }
}

void report(const Options& options, PictureFormat format, const CopiedRecord& frame, std::size_t bytes) {
    const Record& record = frame.record;
    const char* format_name = format == PictureFormat::png ? "png" : "jpg";
    std::string text;
    if (options.json) {
        text = pretty({{"path", options.output},
                       {"format", format_name},
                       {"width_px", record.caps.width},
                       {"height_px", record.caps.height},
                       {"size_bytes", bytes},
                       {"bus", options.bus},
                       {"index", record.index},
                       {"media_index", record.media_index},
                       {"pts_ns", record.pts_ns}});
    } else if (options.output != "-") {
        text = "wrote " + sanitise(options.output) + ": " + std::to_string(record.caps.width) + "x" +
               std::to_string(record.caps.height) + " " + format_name + ", " + human_bytes(bytes) + ", record " +
               std::to_string(record.index) + " at " + seconds_text(record.pts_ns) + " s\n";
    }
    if (options.output == "-") {
        std::fputs(text.c_str(), stderr);
    } else {
        print(text);
    }
}

int run(const Options& options) {
    signal(SIGPIPE, SIG_IGN);
    const PictureFormat format = format_of(options);
    CopiedRecord frame;
    if (!NewestFrame(options, std::chrono::steady_clock::now() + *duration_from(options.timeout)).take(frame)) {
        throw VerbError("stopped before a frame came");
    }
    const std::vector<std::uint8_t> picture = encode_picture(frame.record.caps, frame.record.payload, format);
    try {
        write_picture(options.output, picture);
    } catch (const ReaderLeft&) {
        return kExitOk;
    }
    report(options, format, frame, picture.size());
    return kExitOk;
}

}  // namespace

void add_snapshot(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("snapshot", "Save the newest frame of a bus as PNG or JPEG.");
    verb.set_usage("BUS FILE.png|FILE.jpg|- [--format png|jpg] [--timeout 5s] [--json]");
    verb.option("bus", options->bus, "Name of the bus.").required().check(check_bus_name).type_name("NAME");
    verb.option("file", options->output, "Picture to write; \"-\" is stdout (PNG unless said).")
        .required()
        .type_name("FILE");
    verb.option("--format", options->format, "Picture format; without it, by the name of the file.")
        .one_of({"png", "jpg"});
    verb.option("--timeout", options->timeout, "How long to wait for a frame.")
        .check(duration_check(std::chrono::nanoseconds(0)))
        .show_default()
        .type_name("TIME");
    add_json_flag(verb, options->json);
    verb.set_footer(
        "The file appears whole or not at all. Leaves no trace on the bus: no reader, no writer notices.\n\n"
        "Examples:\n"
        "  ringcast snapshot talk talk.png\n"
        "  ringcast snapshot talk talk.jpg --json\n"
        "  ringcast snapshot talk - | ffprobe -hide_banner -");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
