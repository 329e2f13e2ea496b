// SPDX-License-Identifier: Apache-2.0
#include "file/file_sink.hpp"

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <string>
#include <system_error>
#include <utility>

#include "file/limits.hpp"
#include "file/unfinished.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;
using Task = UnfinishedRecording::Task;

// Under a host that does not wait for linger(): disconnect and the end of the process together stay within 5 s.
constexpr std::chrono::seconds kPatience{4};

[[noreturn]] void refuse(const std::string& text) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, text);
}

fs::path path_option(const Options& options) {
    std::string path = options.text("path");
    if (path.empty()) refuse("file sink: no file named; say path=show.mp4, or .mkv, .ts or .flv");
    if (!container_of(path)) {
        refuse("path=" + path + ": the extension decides the format and must be .mp4, .mkv, .ts or .flv");
    }
    return path;
}

}  // namespace

FileSink::FileSink(Host host, const Options& options)
    : host_(host),
      names_(path_option(options), split_limit(options).is_set()),
      settings_{.container = container_of(names_.path()).value(),
                .split = split_limit(options),
                .min_free = byte_option(options, "min_free")},
      when_exists_(options.choice("overwrite", "no|yes|number")),
      fast_start_(options.yes("fast_start")),
      finisher_(host, settings_.min_free) {}

FileSink::~FileSink() {
    if (!has_lingered_) finisher_.wait(std::chrono::steady_clock::now() + kPatience);
}

void FileSink::linger() {
    has_lingered_ = true;
    finisher_.wait(std::chrono::steady_clock::time_point::max());
}

void FileSink::connect() {
    finisher_.go_on();
    check_folder();
    take_on_leftovers();
    if (names_.next_is_plain() && !overwrites()) check_plain_name();
}

void FileSink::check_folder() const {
    const fs::path folder = names_.fixed_folder();
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) {
        refuse("cannot make the folder " + folder.string() + ": " + error.message() + "; choose another path=");
    }
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
        refuse("cannot write into the folder " + folder.string() + ": " + system_text(errno) +
               "; choose another path=");
    }
    if (fs::is_directory(names_.path(), error)) {
        refuse("path=" + names_.path().string() + " is a folder; name a file in it");
    }
    const std::uint64_t left = free_bytes(folder);
    if (left < settings_.min_free) {
        throw SinkError(RINGCAST_SINK_E_STORAGE,
                        "only " + shown_bytes(left) + " left on the disk of " + folder.string() + ", less than the " +
                            shown_bytes(settings_.min_free) +
                            " of min_free=; free some space, choose another path= or set a smaller min_free=");
    }
}

/// What an earlier life of this recorder could not finish: files of its names alone, so that the recorder they belong
/// to knows by them that it has been there before. A file that somebody works on is locked, and left alone.
void FileSink::take_on_leftovers() {
    remove_left_replacements(names_.fixed_folder(), names_.folders_below(),
                             [this](const fs::path& path) { return names_.could_be(path); });
    if (overwrites() && !names_.is_pattern()) return;  // it replaces them
    for (const fs::path& path : unfinished_files(names_.fixed_folder(), names_.folders_below())) {
        if (!names_.could_be(path)) continue;
        UniqueFd locked = open_unfinished_file(path);
        if (!locked) continue;
        // The recording of which this is a part goes on with the next number.
        names_.pass_over_plain();
        const Task task = is_noted_whole(path) ? Task::sync : Task::repair;
        finisher_.add({path, settings_.container, std::move(locked), task});
    }
}

void FileSink::check_plain_name() {
    std::error_code error;
    const fs::path& path = names_.path();
    if (!fs::exists(path, error) || fs::file_size(path, error) == 0) return;
    if (when_exists_ == "number") {
        names_.pass_over_plain();
        return;
    }
    refuse(path.string() +
           " already exists; add overwrite=yes to replace it, overwrite=number to go on beside it, or " +
           "choose another path=, such as " + path.stem().string() + "-%Y%m%d-%H%M%S" + path.extension().string());
}

void FileSink::headers(std::span<const ringcast_sink_stream* const> streams) {
    finish_recording();
    RecordingFiles& files = *this;
    recording_ = std::make_unique<Recording>(settings_, streams, files);
}

void FileSink::packet(const ringcast_sink_packet& packet) {
    recording_->packet(packet);
}

void FileSink::disconnect(bool /*final*/) {
    finish_recording();
}

void FileSink::finish_recording() {
    const std::unique_ptr<Recording> recording = std::move(recording_);
    if (recording) recording->finish();
}

std::unique_ptr<RecordingFile> FileSink::next_file() {
    const auto is_taken = [this](const fs::path& path) {
        std::error_code error;
        return finisher_.holds(path) || (!overwrites() && fs::exists(path, error));
    };
    auto file = std::make_unique<RecordingFile>(names_.next(std::time(nullptr), is_taken), overwrites(), bytes_);
    host_.set_info("path", file->path());
    host_.set_stat("part", ++files_);
    return file;
}

void FileSink::on_closed(std::unique_ptr<RecordingFile> file, std::chrono::milliseconds length, bool torn) {
    on_progress(length);
    host_.info("recorded " + file->path().string() + ": " + std::to_string(length.count()) + " ms, " +
               shown_bytes(static_cast<std::uint64_t>(file->size())));
    const bool rewrites = settings_.container == Container::mp4 && fast_start_;
    // A transport stream has no index that could be missing.
    const bool needs_repair = torn && settings_.container != Container::ts;
    const fs::path path = file->path();
    if (!rewrites && !needs_repair) note_whole(path);
    finisher_.add(
        {path, settings_.container, file->release(), rewrites ? Task::rewrite : Task::sync, rewrites || needs_repair});
}

void FileSink::on_nothing_whole(std::unique_ptr<RecordingFile> file) {
    host_.warn(file->path().string() + " is removed: the disk was full before there was anything in it that plays");
    file->remove();
}

void FileSink::on_progress(std::chrono::milliseconds length) {
    host_.set_stat("recorded_ms", length.count());
}

}  // namespace ringcast::sink
