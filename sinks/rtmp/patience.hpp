// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>

#include "mux/unique_fd.hpp"

namespace ringcast::sink {

/// Ends waits from another thread. Once set it stays set until cleared, so that none is missed that comes just before a
/// wait begins. Thread safety: all of it.
class StopSignal {
public:
    StopSignal();

    void set() noexcept;
    void clear() noexcept;
    [[nodiscard]] bool is_set() const noexcept;
    /// Readable while set.
    [[nodiscard]] int fd() const noexcept { return event_.get(); }

private:
    UniqueFd event_;
};

/// What is left of the time in which a step has to be done.
class Patience {
public:
    Patience(const StopSignal& stop, std::chrono::milliseconds limit)
        : stop_(stop), limit_(limit), end_(std::chrono::steady_clock::now() + limit) {}

    /// Waits for poll events on a descriptor, at most `share` of what is left. False: that share is used up.
    /// Throws SinkError: INTERRUPTED, or TRANSIENT when no time is left, with `what` was being done in the text.
    bool wait(int fd, short events, const std::string& what, double share = 1.0) const;

    /// Throws as wait() does.
    void check(const std::string& what) const;

    [[nodiscard]] const StopSignal& stop() const noexcept { return stop_; }
    [[nodiscard]] std::chrono::steady_clock::time_point end() const noexcept { return end_; }

private:
    [[nodiscard]] std::chrono::milliseconds left() const;

    const StopSignal& stop_;
    std::chrono::milliseconds limit_;
    std::chrono::steady_clock::time_point end_;
};

/// "8 s", for messages.
std::string seconds_text(std::chrono::milliseconds time);

}  // namespace ringcast::sink
