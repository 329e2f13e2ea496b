// SPDX-License-Identifier: Apache-2.0
#include "hls/audience.hpp"

#include <algorithm>

namespace ringcast::sink {

namespace {

// Longer than the server holds a playlist request: whoever still watches has asked for something since.
constexpr std::chrono::seconds kLately{15};
constexpr std::size_t kSegmentsKept = 4;
constexpr std::size_t kMostViewers = 1024;  // whoever makes up more names than that is not waited for

}  // namespace

Audience::Viewer& Audience::note(const std::string& name, Clock::time_point now) {
    if (!viewers_.contains(name) && viewers_.size() >= kMostViewers) {
        std::erase_if(viewers_, [&](const auto& each) { return now - each.second.seen > kLately; });
        if (viewers_.size() >= kMostViewers) viewers_.clear();
    }
    Viewer& viewer = viewers_[name];
    viewer.seen = now;
    return viewer;
}

void Audience::fetched_playlist(const std::string& viewer, Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    note(viewer, now);
}

void Audience::fetched_segment(const std::string& viewer, std::uint64_t number, Clock::time_point now) {
    {
        const std::lock_guard lock(mutex_);
        auto& fetched = note(viewer, now).fetched;
        ++fetched[number];
        if (fetched.size() > kSegmentsKept) fetched.erase(fetched.begin());
    }
    changed_.notify_all();
}

bool Audience::all_have(std::uint64_t last, Clock::time_point now) const {
    return std::ranges::all_of(viewers_, [&](const auto& each) {
        const Viewer& viewer = each.second;
        if (now - viewer.seen > kLately) return true;
        unsigned heads = 1;
        unsigned served = 0;
        for (const auto& [number, times] : viewer.fetched) {
            if (number == last) {
                served = times;
            } else {
                heads = std::max(heads, times);
            }
        }
        return served >= heads;
    });
}

bool Audience::wait_until_served(std::uint64_t last, Clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    bool served = false;
    changed_.wait_until(lock, deadline, [&] {
        served = all_have(last, Clock::now());
        return served || interrupted_;
    });
    return served;
}

void Audience::interrupt() {
    {
        const std::lock_guard lock(mutex_);
        interrupted_ = true;
    }
    changed_.notify_all();
}

void Audience::welcome() {
    const std::lock_guard lock(mutex_);
    interrupted_ = false;
}

}  // namespace ringcast::sink
