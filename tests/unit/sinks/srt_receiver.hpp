// SPDX-License-Identifier: Apache-2.0
/// A far end of SRT: takes what a sink sends, message by message.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "srt/srt_connect.hpp"

namespace ringcast::test {

using Message = std::vector<std::uint8_t>;

/// Listens on a free port of loopback, or calls one, and reads until the other end closes.
class SrtReceiver {
public:
    /// The first to come is taken, and those after it when the one before has left.
    static std::unique_ptr<SrtReceiver> listening(const srt::SrtWords& words = {}, bool reads = true);
    /// Connects to "srt://...". Throws srt::SrtError. With `reads` false it takes nothing, and has room for very
    /// little.
    static std::unique_ptr<SrtReceiver> calling(const std::string& url, const srt::SrtWords& words = {},
                                                bool reads = true);
    SrtReceiver(const SrtReceiver&) = delete;
    SrtReceiver& operator=(const SrtReceiver&) = delete;
    ~SrtReceiver();

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<Message> messages() const;
    /// Waits until so many have come; false: they did not, for a long time.
    [[nodiscard]] bool wait_for_messages(std::size_t count) const;
    /// Waits for the end of the connection; false as above.
    [[nodiscard]] bool wait_for_end() const;
    /// Everything that came, as a file.
    void save(const std::filesystem::path& path) const;
    /// Leaves without a word; of a listening one the present client only.
    void hang_up();
    [[nodiscard]] std::string streamid() const;

private:
    SrtReceiver() = default;
    void run();
    bool read_all();

    srt::SrtLibrary library_;
    srt::SrtPoll poll_;
    std::optional<srt::SrtListener> listener_;
    mutable std::mutex mutex_;
    srt::SrtSocket socket_;
    std::vector<Message> messages_;
    std::string streamid_;
    unsigned ended_ = 0;
    bool reads_ = true;
    std::thread thread_;
};

}  // namespace ringcast::test
