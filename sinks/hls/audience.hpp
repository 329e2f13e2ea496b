// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace ringcast::sink {

/// Who watches through the web server, so that the server can stay until the last segment has reached them.
/// A player uses several connections and a household shares one address: a viewer is known by address and user agent,
/// and of viewers that look alike there are as many as fetched one and the same segment.
/// Thread safety: any thread.
class Audience {
public:
    using Clock = std::chrono::steady_clock;

    /// A file has left whole: the playlist, or a segment by its number.
    void fetched_playlist(const std::string& viewer, Clock::time_point now);
    void fetched_segment(const std::string& viewer, std::uint64_t number, Clock::time_point now);

    /// Waits until everyone who was seen lately has fetched segment `last`, at most until `deadline` or interrupt().
    /// True: everyone has, or nobody watches.
    bool wait_until_served(std::uint64_t last, Clock::time_point deadline);

    /// Ends the wait that runs and those to come, until the next welcome().
    void interrupt();
    void welcome();

private:
    struct Viewer {
        Clock::time_point seen;
        std::map<std::uint64_t, unsigned> fetched;  ///< how often, of the newest few segments
    };

    Viewer& note(const std::string& name, Clock::time_point now);
    [[nodiscard]] bool all_have(std::uint64_t last, Clock::time_point now) const;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Viewer> viewers_;
    bool interrupted_ = false;
};

}  // namespace ringcast::sink
