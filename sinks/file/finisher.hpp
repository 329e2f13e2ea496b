// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "file/container.hpp"
#include "mux/host.hpp"
#include "mux/unique_fd.hpp"

namespace ringcast::sink {

/// A recording that plays, and what is left to be done to it.
struct UnfinishedRecording {
    enum class Task {
        sync,     ///< put it on the disk
        rewrite,  ///< write it anew with its index first (mp4)
        repair,   ///< a crash left it: its end may be torn, its index is missing
    };

    std::filesystem::path path;
    Container container = Container::mp4;
    UniqueFd locked;
    Task task = Task::sync;
    bool keeps_mark = false;  ///< sync: something is left for the next recorder
    bool was_torn = false;    ///< repair: something had to be cut off
};

/// Finishes recordings one after the other in a thread of its own at the lowest priority: cuts a torn end off, writes
/// the file anew beside the old one, and puts it in its place. At any moment the file of that name plays; what is given
/// up keeps its mark, and the next recorder with that path takes it on.
/// Thread safety: any thread.
class Finisher {
public:
    /// Nothing is written that would leave less than `min_free` bytes on the disk.
    Finisher(Host host, std::uint64_t min_free);
    /// Gives up what is not done.
    ~Finisher();
    Finisher(const Finisher&) = delete;
    Finisher& operator=(const Finisher&) = delete;

    void add(UnfinishedRecording recording);
    /// True while the file of that name waits here or is worked on: nobody may record to it.
    [[nodiscard]] bool holds(const std::filesystem::path& path) const;
    /// Returns when nothing is left to do, give_up() was called or `limit` has passed.
    void wait(std::chrono::steady_clock::time_point limit);
    /// What is under way stops soon; nothing is begun until go_on().
    void give_up() noexcept;
    void go_on() noexcept;

private:
    void run();
    void finish(UnfinishedRecording& recording);
    void put_on_disk(const UnfinishedRecording& recording);
    bool cut_torn_end(UnfinishedRecording& recording);
    void rewrite(UnfinishedRecording& recording);
    bool replace(const UnfinishedRecording& recording, const std::filesystem::path& temporary);
    [[nodiscard]] bool has_space(const UnfinishedRecording& recording) const;

    Host host_;
    const std::uint64_t min_free_;
    std::atomic<bool> given_up_{false};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<UnfinishedRecording> waiting_;
    std::filesystem::path busy_with_;  ///< empty: with nothing
    bool quit_ = false;
    std::thread thread_;  // last: starts when the rest is whole
};

}  // namespace ringcast::sink
