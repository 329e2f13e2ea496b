// SPDX-License-Identifier: Apache-2.0
#include "file/finisher.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "file/limits.hpp"
#include "file/remux.hpp"
#include "file/torn_end.hpp"
#include "file/unfinished.hpp"
#include "file/writeback.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLookAtSpaceEvery = kWritebackStep;
// Whatever min_free says: what is written between two looks, by this thread and by the recording that runs meanwhile.
// That one is to go on.
constexpr std::uint64_t kSpaceForOthers = 64 * 1024 * 1024;
constexpr std::int64_t kMostHeaderBytes = 4096;

fs::path temporary_of(const fs::path& path) {
    return path.parent_path() / ("." + path.filename().string() + ".rewriting");
}

/// The recording that runs meanwhile, and the model, come first: on Linux both settings are per thread.
void be_humble() noexcept {
    constexpr int kWhoThread = 1;
    constexpr int kClassIdle = 3 << 13;
    constexpr int kNice = 10;
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, kNice));
    static_cast<void>(::syscall(SYS_ioprio_set, kWhoThread, 0, kClassIdle));
}

std::string seconds(std::chrono::milliseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(time.count()) / 1000);
    return text;
}

}  // namespace

Finisher::Finisher(Host host, std::uint64_t min_free) : host_(host), min_free_(min_free), thread_([this] { run(); }) {}

Finisher::~Finisher() {
    give_up();
    {
        const std::scoped_lock lock(mutex_);
        quit_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Finisher::add(UnfinishedRecording recording) {
    {
        const std::scoped_lock lock(mutex_);
        waiting_.push_back(std::move(recording));
    }
    changed_.notify_all();
}

bool Finisher::holds(const fs::path& path) const {
    const std::scoped_lock lock(mutex_);
    const auto is_it = [&](const UnfinishedRecording& recording) { return recording.path == path; };
    return busy_with_ == path || std::ranges::any_of(waiting_, is_it);
}

void Finisher::wait(std::chrono::steady_clock::time_point limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, limit, [this] { return given_up_ || (waiting_.empty() && busy_with_.empty()); });
}

void Finisher::give_up() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        given_up_ = true;
    }
    changed_.notify_all();
}

void Finisher::go_on() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        given_up_ = false;
    }
    changed_.notify_all();
}

void Finisher::run() {
    be_humble();
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return quit_ || (!given_up_ && !waiting_.empty()); });
        if (quit_) return;
        {
            UnfinishedRecording recording = std::move(waiting_.front());
            waiting_.pop_front();
            busy_with_ = recording.path;
            lock.unlock();
            finish(recording);
        }
        lock.lock();
        busy_with_.clear();
        changed_.notify_all();
    }
}

void Finisher::finish(UnfinishedRecording& recording) {
    using Task = UnfinishedRecording::Task;
    if (recording.task == Task::sync) {
        put_on_disk(recording);
        return;
    }
    try {
        std::error_code ignored;
        fs::remove(temporary_of(recording.path), ignored);
        if (recording.task == Task::rewrite || cut_torn_end(recording)) rewrite(recording);
    } catch (const std::exception& error) {
        std::error_code ignored;
        fs::remove(temporary_of(recording.path), ignored);
        host_.warn(recording.path.string() + " stays as it was recorded, it plays: " + error.what());
    }
}

/// The mark goes last: a machine that loses its power before that finds the file again.
void Finisher::put_on_disk(const UnfinishedRecording& recording) {
    struct stat status {};
    const bool is_there = ::fstat(recording.locked.get(), &status) == 0;
    const auto go_on = [this] { return !given_up_; };
    if (is_there && !write_back(recording.locked.get(), status.st_size, go_on)) return;
    if (::fsync(recording.locked.get()) != 0) {
        host_.warn(recording.path.string() + " may not be whole on its disk: " + system_text(errno));
        return;
    }
    sync_folder_of(recording.path);
    if (!recording.keeps_mark) unmark_unfinished(recording.path);
}

/// False: there is nothing more to do for this file.
bool Finisher::cut_torn_end(UnfinishedRecording& recording) {
    const std::string name = recording.path.string();
    struct stat status {};
    if (::fstat(recording.locked.get(), &status) != 0) return false;
    const auto found = find_whole_part(recording.locked.get(), recording.container, [this] { return !given_up_; });
    if (!found) return false;
    const WholePart& whole = *found;
    if (whole.is_finished) {
        unmark_unfinished(recording.path);
        return false;
    }
    if (!whole.has_media) {
        unmark_unfinished(recording.path);
        // A header and no more: it died within its first second. Anything larger is not ours to throw away.
        const bool is_header = status.st_size <= kMostHeaderBytes;
        if (is_header) ::unlink(recording.path.c_str());
        host_.warn(name + (is_header ? " is removed: the sink that made it died before there was a whole second in it"
                                     : " is kept, but nothing in it can be played"));
        return false;
    }
    const std::int64_t torn = status.st_size - whole.bytes;
    if (torn > 0 && ::ftruncate(recording.locked.get(), whole.bytes) != 0) throw_storage_error(name, errno);
    recording.was_torn = torn > 0;
    if (recording.was_torn) {
        host_.warn(name + " was not finished by the sink that recorded it: " + std::to_string(torn) +
                   " torn bytes at its end are cut off");
    } else {
        host_.info(name + " is whole; what an earlier sink left undone is done now");
    }
    if (recording.container != Container::ts) return true;
    put_on_disk(recording);
    host_.info((recording.was_torn ? "repaired " : "finished ") + name + ": " +
               shown_bytes(static_cast<std::uint64_t>(whole.bytes)) + " play");
    return false;
}

bool Finisher::has_space(const UnfinishedRecording& recording) const {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(recording.path, error);
    const std::uint64_t needed = size + size / 16 + min_free_ + kSpaceForOthers;
    const std::uint64_t left = free_bytes(recording.path.parent_path());
    if (left >= needed) return true;
    host_.info(recording.path.string() + " stays as it was recorded, it plays: its index comes first only when " +
               shown_bytes(needed) + " are free, " + shown_bytes(left) + " are");
    return false;
}

void Finisher::rewrite(UnfinishedRecording& recording) {
    if (given_up_ || !has_space(recording)) return;
    const fs::path temporary = temporary_of(recording.path);
    bool space_left = true;
    std::int64_t next_look = 0;
    const RemuxResult result = remux(recording.path, temporary, recording.container, [&](std::int64_t written) {
        if (written >= next_look) {
            space_left = free_bytes(recording.path.parent_path()) >= min_free_ + kSpaceForOthers;
            next_look = written + kLookAtSpaceEvery;
        }
        return space_left && !given_up_;
    });
    std::error_code ignored;
    if (!result.done) {
        fs::remove(temporary, ignored);
        host_.info(recording.path.string() + " stays as it was recorded, it plays: " +
                   (space_left ? "the sink was stopped before its index came first; the next one finishes it"
                               : "the disk is too full to write it anew"));
        return;
    }
    // Locked under its new name as well, until its mark is gone.
    const UniqueFd locked = open_left_file(temporary);
    if (!replace(recording, temporary)) {
        fs::remove(temporary, ignored);
        return;
    }
    unmark_unfinished(recording.path);
    host_.info((recording.was_torn ? "repaired " : "finished ") + recording.path.string() + ": " +
               seconds(result.length) +
               (recording.container == Container::mp4 ? " play, index first" : " play, with index and length"));
}

/// Not when somebody has moved, removed or replaced the file meanwhile.
bool Finisher::replace(const UnfinishedRecording& recording, const fs::path& temporary) {
    struct stat mine {};
    struct stat named {};
    if (::fstat(recording.locked.get(), &mine) != 0 || ::stat(recording.path.c_str(), &named) != 0 ||
        mine.st_ino != named.st_ino || mine.st_dev != named.st_dev) {
        return false;
    }
    // The new file is the same recording to whoever lists it: same owner, rights and time where that is allowed.
    static_cast<void>(!::chown(temporary.c_str(), mine.st_uid, mine.st_gid));
    static_cast<void>(!::chmod(temporary.c_str(), mine.st_mode & 07777U));
    const timespec times[] = {mine.st_atim, mine.st_mtim};
    static_cast<void>(!::utimensat(AT_FDCWD, temporary.c_str(), times, 0));
    if (::rename(temporary.c_str(), recording.path.c_str()) != 0) throw_storage_error(recording.path, errno);
    sync_folder_of(recording.path);
    return true;
}

}  // namespace ringcast::sink
