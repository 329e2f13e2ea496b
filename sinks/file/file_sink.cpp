// SPDX-License-Identifier: Apache-2.0
#include "file/file_sink.hpp"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

constexpr AVRational kFragmentLength{1, 1};  // seconds: what a kill -9 can cost

[[noreturn]] void refuse(const std::string& text) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, text);
}

std::uint32_t lead_stream_of(std::span<const ringcast_sink_stream* const> streams) {
    for (std::uint32_t i = 0; i < streams.size(); ++i) {
        if (streams[i]->media == RINGCAST_SINK_VIDEO) return i;
    }
    return 0;
}

std::string shown_size(std::int64_t bytes) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
    return text;
}

}  // namespace

FileSink::FileSink(Host host, const Options& options)
    : host_(host), path_(options.text("path")), overwrite_(options.yes("overwrite")), is_mp4_(true) {
    if (path_.empty()) refuse("file sink: no file named; say path=out.mp4 or path=out.mkv");
    const std::string extension = path_.extension();
    if (extension != ".mp4" && extension != ".mkv") {
        refuse("path=" + path_.string() + ": the extension decides the format and must be .mp4 or .mkv");
    }
    is_mp4_ = extension == ".mp4";
    path_ = fs::absolute(path_).lexically_normal();
}

void FileSink::connect() {
    const fs::path folder = path_.parent_path();
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) refuse("cannot make the folder " + folder.string() + ": " + error.message());
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
        refuse("cannot write into the folder " + folder.string() + ": " + system_text(errno) +
               "; choose another path=");
    }
    if (fs::is_directory(path_, error)) refuse("path=" + path_.string() + " is a folder; name a file in it");
    const bool holds_something = fs::exists(path_, error) && fs::file_size(path_, error) > 0;
    if (next_part_ == 1 && holds_something && !overwrite_) {
        refuse(path_.string() + " already exists; add overwrite=yes to replace it or choose another path=");
    }
}

void FileSink::headers(std::span<const ringcast_sink_stream* const> streams) {
    finish_part();
    auto part = std::make_unique<Part>(next_path(), overwrite_, bytes_);
    part->lead_stream = lead_stream_of(streams);
    const ringcast_sink_stream& lead = *streams[part->lead_stream];
    part->lead_timebase = {static_cast<int>(lead.timebase_num), static_cast<int>(lead.timebase_den)};
    try {
        part->muxer = std::make_unique<Muxer>(format(), streams, part->file);
    } catch (...) {
        part->file.remove();
        throw;
    }
    part_ = std::move(part);
    host_.set_info("path", part_->file.path());
    host_.set_stat("part", next_part_);
}

void FileSink::packet(const ringcast_sink_packet& packet) {
    try {
        start_fragment_when_due(packet);
        part_->muxer->write(packet);
    } catch (const SinkError& error) {
        if (error.code() == RINGCAST_SINK_E_STORAGE) {
            part_->file.truncate_to_whole();
            part_.reset();
            ++next_part_;
        }
        throw;
    }
}

void FileSink::disconnect(bool /*final*/) {
    finish_part();
}

void FileSink::start_fragment_when_due(const ringcast_sink_packet& packet) {
    Part& part = *part_;
    if (packet.stream != part.lead_stream) return;
    if (!part.first_dts) part.first_dts = part.fragment_dts = packet.dts;
    const std::int64_t length = packet.dts - part.fragment_dts;
    if (av_compare_ts(length, part.lead_timebase, 1, kFragmentLength) >= 0) {
        // The first flush of a delayed moov writes the moov alone, and the fragment stays behind.
        if (is_mp4_ && part.first_fragment) part.muxer->flush();
        part.muxer->flush();
        part.file.mark_whole();
        part.first_fragment = false;
        part.fragment_dts = packet.dts;
        host_.set_stat("recorded_ms", av_rescale_q(packet.dts - *part.first_dts, part.lead_timebase, {1, 1000}));
    }
    part.end_dts = packet.dts + packet.duration;
}

void FileSink::finish_part() {
    if (!part_) return;
    const std::unique_ptr<Part> part = std::move(part_);
    if (!part->first_dts) {
        part->file.remove();
        return;
    }
    ++next_part_;
    try {
        part->muxer->finish();
    } catch (const SinkError& error) {
        if (error.code() == RINGCAST_SINK_E_STORAGE) part->file.truncate_to_whole();
        throw;
    }
    part->file.sync();
    const std::int64_t length_ms = av_rescale_q(part->end_dts - *part->first_dts, part->lead_timebase, {1, 1000});
    host_.set_stat("recorded_ms", length_ms);
    host_.info("recorded " + part->file.path().string() + ": " + std::to_string(length_ms) + " ms, " +
               shown_size(part->file.size()));
}

fs::path FileSink::next_path() {
    std::error_code error;
    for (;; ++next_part_) {
        fs::path path = path_;
        if (next_part_ > 1) {
            path.replace_filename(path_.stem().string() + "-" + std::to_string(next_part_) +
                                  path_.extension().string());
        }
        // A part in the middle of a show must not fail over an old file of that name: it takes the next free number.
        if (next_part_ == 1 || overwrite_ || !fs::exists(path, error)) return path;
    }
}

Muxer::Format FileSink::format() const {
    if (!is_mp4_) return {.name = "matroska", .seekable = true, .options = {{"cluster_time_limit", "1000"}}};
    // delay_moov: the moov waits for the first fragment, so that the edit list that hides the AAC priming is right.
    return {.name = "mp4", .seekable = true, .options = {{"movflags", "frag_custom+delay_moov+default_base_moof"}}};
}

}  // namespace ringcast::sink
