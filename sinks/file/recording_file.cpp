// SPDX-License-Identifier: Apache-2.0
#include "file/recording_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "file/unfinished.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

constexpr mode_t kFileMode = 0644;

bool is_empty_file(const std::filesystem::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

UniqueFd create(const std::filesystem::path& path, bool replace) {
    // O_EXCL closes the window between the look at the name in connect() and now: nobody's file is ever emptied.
    const int how = replace || is_empty_file(path) ? 0 : O_EXCL;
    UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | how, kFileMode));
    if (!fd && errno == EEXIST) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, path.string() + " has come into being while this sink waited; add " +
                                                    "overwrite=yes to replace it or choose another path=");
    }
    if (!fd) throw_storage_error(path, errno);
    if (!lock_file(fd.get())) {
        throw SinkError(RINGCAST_SINK_E_CONFIG,
                        "another sink records to " + path.string() + "; give this one another path=");
    }
    return fd;
}

}  // namespace

RecordingFile::RecordingFile(std::filesystem::path path, bool replace, std::atomic<std::uint64_t>& total_bytes)
    : path_(std::move(path)), total_bytes_(total_bytes) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    if (error) throw_storage_error(path_.parent_path(), error.value());
    fd_ = create(path_, replace);
    try {
        mark_unfinished(path_);
    } catch (...) {
        if (is_empty_file(path_)) ::unlink(path_.c_str());
        throw;
    }
    if (::ftruncate(fd_.get(), 0) != 0) throw_storage_error(path_, errno);
}

void RecordingFile::write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), position_);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw_storage_error(path_, errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        position_ += written;
        size_ = std::max(size_, position_);
        total_bytes_.fetch_add(static_cast<std::uint64_t>(written), std::memory_order_relaxed);
    }
}

void RecordingFile::seek(std::int64_t position) {
    position_ = position;
}

void RecordingFile::truncate_to_whole() noexcept {
    // Nothing to be done when even this fails: players skip a torn last fragment too.
    if (::ftruncate(fd_.get(), whole_size_) == 0) size_ = whole_size_;
}

void RecordingFile::start_writeback() noexcept {
    static_cast<void>(::sync_file_range(fd_.get(), 0, whole_size_, SYNC_FILE_RANGE_WRITE));
}

void RecordingFile::remove() noexcept {
    ::unlink(path_.c_str());
    unmark_unfinished(path_);
}

}  // namespace ringcast::sink
