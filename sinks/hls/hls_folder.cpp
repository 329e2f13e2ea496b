// SPDX-License-Identifier: Apache-2.0
#include "hls/hls_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "hls/playlist.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0644;
constexpr std::string_view kTemporarySuffix = ".part";

bool is_own_name(std::string_view name) {
    if (name.starts_with('.') && name.ends_with(kTemporarySuffix)) {
        name = name.substr(1, name.size() - 1 - kTemporarySuffix.size());
    }
    return name == kPlaylistName || segment_number(name).has_value();
}

int open_for_writing(const fs::path& path) {
    const int fd = ::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, kFileMode);
    if (fd < 0) throw_storage_error(path, errno);
    return fd;
}

void write_all(int fd, const fs::path& path, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw_storage_error(path, errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

[[noreturn]] void refuse(const std::string& text) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, text);
}

}  // namespace

HlsFolder::HlsFolder(const fs::path& path) : path_(fs::absolute(path).lexically_normal()) {}

HlsFolder::~HlsFolder() {
    if (lock_fd_ >= 0) ::close(lock_fd_);
}

void HlsFolder::open() {
    if (lock_fd_ >= 0) return;
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) refuse("cannot make the folder " + path_.string() + ": " + error.message() + "; choose another dir=");
    if (::access(path_.c_str(), W_OK | X_OK) != 0) {
        refuse("cannot write into the folder " + path_.string() + ": " + system_text(errno) + "; choose another dir=");
    }
    const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) refuse("cannot open the folder " + path_.string() + ": " + system_text(errno));
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd);
        refuse("another sink writes into " + path_.string() + "; give this one a folder of its own with dir=");
    }
    lock_fd_ = fd;
    remove_leftovers();
}

void HlsFolder::remove_leftovers() {
    std::error_code error;
    for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        if (is_own_name(entry->path().filename().string())) fs::remove(entry->path(), ignored);
    }
    if (error) refuse("cannot read the folder " + path_.string() + ": " + error.message());
}

fs::path HlsFolder::temporary_path(const std::string& name) const {
    return path_ / ("." + name + std::string(kTemporarySuffix));
}

void HlsFolder::rename_into_place(const std::string& name) {
    const fs::path target = path_ / name;
    if (::rename(temporary_path(name).c_str(), target.c_str()) != 0) throw_storage_error(target, errno);
}

void HlsFolder::publish_segment(std::uint64_t number) {
    rename_into_place(segment_name(number));
    const std::lock_guard lock(mutex_);
    if (first_segment_ == next_segment_) first_segment_ = number;
    next_segment_ = number + 1;
}

void HlsFolder::publish_playlist(const std::string& text, bool ended) {
    const fs::path temporary = temporary_path(kPlaylistName);
    const int fd = open_for_writing(temporary);
    try {
        write_all(fd, temporary, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    } catch (...) {
        ::close(fd);
        ::unlink(temporary.c_str());
        throw;
    }
    ::close(fd);
    rename_into_place(kPlaylistName);
    const std::lock_guard lock(mutex_);
    has_playlist_ = true;
    has_ended_ = ended;
}

void HlsFolder::clear() {
    const std::lock_guard lock(mutex_);
    has_playlist_ = false;
    stream_name_ = std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    std::error_code ignored;
    fs::remove(path_ / kPlaylistName, ignored);
    for (; first_segment_ < next_segment_; ++first_segment_)
        fs::remove(path_ / segment_name(first_segment_), ignored);
}

std::optional<fs::path> HlsFolder::find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    if (name == kPlaylistName) return has_playlist_ ? std::optional(path_ / kPlaylistName) : std::nullopt;
    const auto number = segment_number(name);
    if (!number || *number < first_segment_ || *number >= next_segment_) return std::nullopt;
    return path_ / segment_name(*number);
}

bool HlsFolder::has_playlist() const {
    const std::lock_guard lock(mutex_);
    return has_playlist_;
}

std::string HlsFolder::stream_name() const {
    const std::lock_guard lock(mutex_);
    return stream_name_;
}

bool HlsFolder::playlist_answers(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    return has_playlist_ && (has_ended_ || number < next_segment_);
}

void SegmentWriter::begin(std::uint64_t number) {
    number_ = number;
    path_ = folder_.temporary_path(segment_name(number));
    fd_ = open_for_writing(path_);
}

void SegmentWriter::publish() {
    ::close(std::exchange(fd_, -1));
    folder_.publish_segment(number_);
}

void SegmentWriter::abandon() noexcept {
    if (fd_ < 0) return;
    ::close(std::exchange(fd_, -1));
    ::unlink(path_.c_str());
}

void SegmentWriter::write(std::span<const std::uint8_t> bytes) {
    write_all(fd_, path_, bytes);
    total_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
}

void SegmentWriter::seek(std::int64_t /*position*/) {
    throw SinkError(RINGCAST_SINK_E_INTERNAL, "a segment cannot be written backwards");
}

}  // namespace ringcast::sink
