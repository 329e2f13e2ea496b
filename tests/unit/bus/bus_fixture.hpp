// SPDX-License-Identifier: Apache-2.0
/// A bus name of the test's own, gone from /dev/shm afterwards, and child processes that can be killed.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "ringcast/producer.hpp"
#include "ringcast/reader.hpp"

namespace ringcast::test {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

inline std::vector<std::string> shm_files(const std::string& bus) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator("/dev/shm")) {
        const std::string name = entry.path().filename();
        if (name.starts_with("ringcast." + bus + ".")) files.push_back(name);
    }
    return files;
}

class BusTest : public testing::Test {
protected:
    BusTest() {
        static std::atomic<int> counter{0};
        bus_ = "test-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
    }
    ~BusTest() override {
        for (const auto& file : shm_files(bus_))
            std::filesystem::remove("/dev/shm/" + file);
    }

    /// Small: 32×8 bgr24 at 25 fps and 8 kHz mono, one second deep each.
    [[nodiscard]] ProducerOptions options() const {
        ProducerOptions options;
        options.bus = bus_;
        options.video = VideoFormat{PixelFormat::bgr24, 32, 8, {25, 1}};
        options.audio = AudioFormat{SampleFormat::s16, 8000, 1};
        options.audio_depth = 1s;
        return options;
    }
    [[nodiscard]] ProducerOptions video_only() const {
        ProducerOptions video = options();
        video.audio.reset();
        video.audio_depth.reset();
        return video;
    }
    [[nodiscard]] std::unique_ptr<BusReader> reader(bool lossless = false) const {
        ReaderOptions options;
        options.bus = bus_;
        options.name = "reader";
        options.plugin = "test";
        options.lossless = lossless;
        auto reader = BusReader::try_attach(options);
        EXPECT_NE(reader, nullptr);
        return reader;
    }

    std::string bus_;
};

inline constexpr std::size_t kFrameBytes = 32 * 8 * 3;

inline std::vector<std::byte> frame(unsigned number) {
    return std::vector<std::byte>(kFrameBytes, static_cast<std::byte>(number & 0xff));
}

inline ReadStatus read_one(FlowReader& flow) {
    return flow.try_read([](const Record&) {});
}

/// Reads all there is; returns how many were whole.
inline unsigned drain(FlowReader& flow) {
    unsigned count = 0;
    for (;;) {
        const ReadStatus status = read_one(flow);
        if (status == ReadStatus::ok) ++count;
        if (status != ReadStatus::ok && status != ReadStatus::overrun) return count;
    }
}

/// A forked process that runs `body(ready)`; body calls ready() once, which the parent waits for, then does as it
/// likes.
class Child {
public:
    explicit Child(const std::function<void(const std::function<void(int)>& ready)>& body) {
        int ends[2] = {-1, -1};
        if (::pipe(ends) != 0) throw std::runtime_error("pipe");
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(ends[0]);
            int code = 1;
            try {
                body([&](int value) { [[maybe_unused]] const auto n = ::write(ends[1], &value, sizeof(value)); });
                code = testing::Test::HasFailure() ? 1 : 0;
            } catch (const std::exception& error) {
                ::fprintf(stderr, "child: %s\n", error.what());
            }
            ::_exit(code);
        }
        ::close(ends[1]);
        from_child_ = ends[0];
    }
    ~Child() {
        kill();
        ::close(from_child_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// What the child passed to ready(), -1 when it died first.
    int wait_ready() const {
        int value = -1;
        return ::read(from_child_, &value, sizeof(value)) == sizeof(value) ? value : -1;
    }
    void kill() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        join();
    }
    /// Exit code; 128 + signal when killed.
    int join() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_ = -1;
    int from_child_ = -1;
};

[[noreturn]] inline void sleep_for_ever() {
    for (;;)
        ::pause();
}

}  // namespace ringcast::test
