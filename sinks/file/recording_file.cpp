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

[[noreturn]] void refuse_newcomer(const std::filesystem::path& path) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, path.string() + " has come into being while this sink waited; add " +
                                                "overwrite=yes to replace it or choose another path=");
}

UniqueFd open_locked(const std::filesystem::path& path, const std::filesystem::path& name, int how) {
    UniqueFd fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | how, kFileMode));
    if (!fd && errno == EEXIST) refuse_newcomer(path);
    if (!fd) throw_storage_error(path, errno);
    // Who locks a file that has just been replaced or removed has not got its name.
    if (!lock_file(fd.get()) || !has_name(fd.get(), path)) {
        throw SinkError(RINGCAST_SINK_E_CONFIG,
                        "another sink records to " + name.string() + "; give this one another path=");
    }
    return fd;
}

}  // namespace

RecordingFile::RecordingFile(std::filesystem::path path, bool replace, std::atomic<std::uint64_t>& total_bytes)
    : path_(std::move(path)), total_bytes_(total_bytes) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    if (error) throw_storage_error(path_.parent_path(), error.value());
    // O_EXCL closes the window between the look at the name in connect() and now: nobody's file is ever emptied.
    UniqueFd fd = open_locked(path_, path_, replace || is_empty_file(path_) ? 0 : O_EXCL);
    if (!is_empty_file(path_)) {
        if (!replace) refuse_newcomer(path_);
        open_beside(std::move(fd));
        return;
    }
    fd_ = std::move(fd);
    try {
        mark_unfinished(path_);
    } catch (...) {
        ::unlink(path_.c_str());
        throw;
    }
}

void RecordingFile::open_beside(UniqueFd old) {
    // What a symbolic link points to is replaced, not the link.
    std::error_code error;
    target_ = std::filesystem::canonical(path_, error);
    if (error) throw_storage_error(path_, error.value());
    struct stat status {};
    if (::fstat(old.get(), &status) != 0) throw_storage_error(path_, errno);
    if (!S_ISREG(status.st_mode)) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, path_.string() + " is no regular file; choose another path=");
    }
    temporary_ = replacement_of(target_);
    old_ = std::move(old);
    fd_ = open_locked(temporary_, path_, 0);
    if (::ftruncate(fd_.get(), 0) != 0) throw_storage_error(temporary_, errno);
    // The same owner and rights as the old one, where that is allowed.
    static_cast<void>(!::fchown(fd_.get(), status.st_uid, status.st_gid));
    static_cast<void>(!::fchmod(fd_.get(), status.st_mode & 07777U));
}

void RecordingFile::mark_whole() {
    if (!temporary_.empty()) take_name();
    whole_size_ = size_;
}

void RecordingFile::take_name() {
    mark_unfinished(path_);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
        const int reason = errno;
        unmark_unfinished(path_);
        throw_storage_error(path_, reason);
    }
    temporary_.clear();
    old_ = UniqueFd();
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
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
        return;
    }
    ::unlink(path_.c_str());
    unmark_unfinished(path_);
}

}  // namespace ringcast::sink
