// SPDX-License-Identifier: Apache-2.0
/// The real ringcast-sink as a child process, with the example plugin, built outside the tree from the header alone.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "ringcast/inspect.hpp"
#include "ringcast/producer.hpp"

namespace ringcast::host {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int kFailedToStart = 127;

std::string read_file(const fs::path& file) {
    std::ifstream stream(file);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

/// A child whose output goes to files; killed when the test leaves without waiting for it.
class Child {
public:
    Child(std::vector<std::string> words, const fs::path& folder) : out_(folder / "out.txt"), err_(folder / "err.txt") {
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out_.c_str(), kFlags, 0600);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err_.c_str(), kFlags, 0600);
        std::vector<char*> argv;
        for (std::string& word : words)
            argv.push_back(word.data());
        argv.push_back(nullptr);
        if (posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid_ = -1;
        posix_spawn_file_actions_destroy(&actions);
    }
    ~Child() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            wait();
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// Exit code; 128 + signal when it was killed.
    int wait() {
        if (pid_ <= 0) return kFailedToStart;
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    void kill(int signal) const { ::kill(pid_, signal); }
    [[nodiscard]] std::string out() const { return read_file(out_); }
    [[nodiscard]] std::string err() const { return read_file(err_); }

private:
    fs::path out_;
    fs::path err_;
    pid_t pid_ = -1;
};

class SinkProcess : public testing::Test {
protected:
    SinkProcess() {
        static int counter = 0;
        bus = "sink-" + std::to_string(getpid()) + "-" + std::to_string(counter++);
        std::string name = (fs::temp_directory_path() / "ringcast-sink-XXXXXX").string();
        folder = mkdtemp(name.data());
    }
    ~SinkProcess() override {
        fs::remove_all(folder);
        for (const auto& entry : fs::directory_iterator("/dev/shm")) {
            if (entry.path().filename().string().starts_with("ringcast." + bus + ".")) fs::remove(entry.path());
        }
    }

    std::unique_ptr<Child> sink(const fs::path& plugin, std::vector<std::string> words = {}) const {
        std::vector<std::string> line{SINK_EXECUTABLE, plugin.string(), "--bus", bus};
        line.insert(line.end(), words.begin(), words.end());
        return std::make_unique<Child>(line, folder);
    }
    static fs::path odd(const std::string& name) { return fs::path(ODD_PLUGINS) / (name + ".so"); }

    /// Copies the example and the header to a folder of their own and builds there, as a third party would.
    [[nodiscard]] fs::path build_example() const {
        const fs::path work = folder / "third-party";
        fs::create_directories(work / "include" / "ringcast");
        fs::copy(EXAMPLE_SOURCE, work / "stats", fs::copy_options::recursive);
        fs::copy_file(PLUGIN_HEADER, work / "include" / "ringcast" / "sink.h");
        const std::string build = (work / "build").string();
        Child configure({CMAKE_PROGRAM, "-S", (work / "stats").string(), "-B", build,
                         "-DRINGCAST_INCLUDE=" + (work / "include").string(),
                         std::string("-DCMAKE_C_COMPILER=") + C_COMPILER, "-DCMAKE_C_FLAGS=-Werror"},
                        folder);
        EXPECT_EQ(configure.wait(), 0) << configure.out() << configure.err();
        Child make({CMAKE_PROGRAM, "--build", build}, folder);
        EXPECT_EQ(make.wait(), 0) << make.out() << make.err();
        return work / "build" / "stats.so";
    }

    [[nodiscard]] ProducerOptions producer_options() const {
        ProducerOptions options;
        options.bus = bus;
        options.mode = WriterMode::lossless;
        options.video = VideoFormat{PixelFormat::bgr24, 64, 48, {25, 1}};
        options.audio = AudioFormat{SampleFormat::s16, 48000, 1};
        return options;
    }
    static void write(Producer& producer, int frames) {
        for (int i = 0; i < frames; ++i) {
            producer.write_video(std::vector<std::byte>(64 * 48 * 3));
            producer.write_audio(std::vector<std::byte>(1920 * 2));
        }
    }
    static void wait_until_says(const Child& child, const std::string& text) {
        while (child.err().find(text) == std::string::npos)
            std::this_thread::sleep_for(1ms);
    }
    static std::size_t count(const std::string& text, const std::string& part) {
        std::size_t found = 0;
        for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
            ++found;
        return found;
    }

    std::string bus;
    fs::path folder;
};

TEST_F(SinkProcess, feeds_a_third_partys_plugin_built_from_the_header_alone) {
    const auto child = sink(build_example(), {"--once", "print=packets"});
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write(producer, 75);
    producer.end();
    EXPECT_EQ(child->wait(), 0) << child->err();
    EXPECT_EQ(count(child->out(), "video pts="), 75U);
    EXPECT_EQ(count(child->out(), " key"), 2U + count(child->out(), "audio pts=")) << "every AAC packet is a key";
    EXPECT_NE(child->err().find("video: 75 packets, 2 keyframes"), std::string::npos) << child->err();
}

TEST_F(SinkProcess, overwriting_the_plugin_of_a_running_sink_does_not_kill_it) {
    const fs::path plugin = build_example();
    const auto child = sink(plugin, {"--once"});
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write(producer, 10);
    const auto size = fs::file_size(plugin);
    std::fstream(plugin, std::ios::in | std::ios::out | std::ios::binary) << std::string(size, '\xcc');
    write(producer, 10);
    fs::resize_file(plugin, 0);
    write(producer, 10);
    producer.end();
    EXPECT_EQ(child->wait(), 0) << child->err();
    EXPECT_NE(child->err().find("video: 30 packets"), std::string::npos) << child->err();
}

TEST_F(SinkProcess, a_signal_finishes_the_output_and_exits_0) {
    for (const int signal : {SIGTERM, SIGINT}) {
        const auto child = sink(odd("none"));
        Producer producer(producer_options());
        ASSERT_TRUE(producer.wait_readers(1, 60s));
        write(producer, 10);
        child->kill(signal);
        EXPECT_EQ(child->wait(), 0) << child->err();
        EXPECT_NE(child->err().find("finishing the output"), std::string::npos) << child->err();
        producer.end();
    }
}

TEST_F(SinkProcess, a_signal_ends_the_wait_for_a_bus_with_0) {
    const auto child = sink(odd("none"));
    wait_until_says(*child, "waiting for bus");
    child->kill(SIGTERM);
    EXPECT_EQ(child->wait(), 0) << child->err();
}

TEST_F(SinkProcess, a_second_signal_ends_a_stuck_sink_at_once_with_1) {
    const auto child = sink(odd("stuck"));
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write(producer, 60);  // more than the encoder holds back, less than queue and ring hold
    wait_until_says(*child, "stuck for ever");
    child->kill(SIGTERM);
    wait_until_says(*child, "finishing the output");
    child->kill(SIGINT);
    EXPECT_EQ(child->wait(), 1) << child->err();
    EXPECT_NE(child->err().find("second signal (SIGINT): ended at once"), std::string::npos) << child->err();
    EXPECT_EQ(child->err().find("did not finish"), std::string::npos) << child->err();
}

TEST_F(SinkProcess, a_sink_that_stays_stuck_after_one_signal_is_interrupted_then_ended_with_1) {
    const auto child = sink(odd("stuck"));
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write(producer, 60);  // more than the encoder holds back, less than queue and ring hold
    wait_until_says(*child, "stuck for ever");
    child->kill(SIGTERM);
    EXPECT_EQ(child->wait(), 1) << child->err();
    const std::size_t interrupted = child->err().find("interrupted, still stuck");
    const std::size_t ended = child->err().find("did not finish within 8 s: ended at once");
    EXPECT_NE(interrupted, std::string::npos) << child->err();
    EXPECT_NE(ended, std::string::npos) << child->err();
    EXPECT_LT(interrupted, ended) << child->err();
}

TEST_F(SinkProcess, a_plugin_that_hangs_while_it_is_destroyed_is_ended_with_1) {
    const auto child = sink(odd("stuck_at_end"));
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write(producer, 10);
    child->kill(SIGTERM);
    EXPECT_EQ(child->wait(), 1) << child->err();
    EXPECT_NE(child->err().find("did not finish within 8 s: ended at once"), std::string::npos) << child->err();
    EXPECT_EQ(child->err().find("waits for its peer"), std::string::npos) << "a plugin that goes is not called";
    producer.end();
}

TEST_F(SinkProcess, a_plugin_with_work_left_is_waited_for_until_a_signal_and_then_interrupted) {
    const auto child = sink(odd("lingers"), {"--once"});
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write(producer, 10);
    producer.end();
    wait_until_says(*child, "odd: lingering");
    std::this_thread::sleep_for(200ms);
    EXPECT_EQ(child->err().find("odd: interrupted"), std::string::npos) << "the end of a stream is no stop";
    child->kill(SIGTERM);
    EXPECT_EQ(child->wait(), 0) << child->err();
    EXPECT_NE(child->err().find("odd: interrupted"), std::string::npos) << child->err();
}

TEST_F(SinkProcess, a_signal_gives_the_work_that_is_left_some_seconds) {
    const auto child = sink(odd("lingers"));
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(1, 60s));
    write(producer, 10);
    child->kill(SIGTERM);
    EXPECT_EQ(child->wait(), 0) << child->err();
    const std::size_t lingering = child->err().find("odd: lingering");
    EXPECT_LT(lingering, child->err().find("odd: interrupted")) << child->err();
    producer.end();
}

TEST_F(SinkProcess, killing_one_sink_leaves_the_other_whole) {
    const fs::path other_folder = folder / "other";
    fs::create_directories(other_folder);
    const fs::path plugin = build_example();
    const auto victim = sink(plugin, {"--name", "victim"});
    Child survivor({SINK_EXECUTABLE, plugin.string(), "--bus", bus, "--once"}, other_folder);
    Producer producer(producer_options());
    ASSERT_TRUE(producer.wait_readers(2, 60s));
    write(producer, 20);
    victim->kill(SIGKILL);
    EXPECT_EQ(victim->wait(), 128 + SIGKILL);
    write(producer, 80);
    producer.end();
    EXPECT_EQ(survivor.wait(), 0) << survivor.err();
    EXPECT_NE(survivor.err().find("video: 100 packets"), std::string::npos) << survivor.err();
}

TEST_F(SinkProcess, an_undefined_return_code_is_named_and_exits_1) {
    const auto child = sink(odd("noisy_failure"), {"--once"});
    EXPECT_EQ(child->wait(), 1) << "and needs no bus for that";
    EXPECT_NE(child->err().find("connect() returned -77"), std::string::npos) << child->err();
    EXPECT_EQ(child->err().find("frames in"), std::string::npos) << "there was no output to sum up";
}

TEST_F(SinkProcess, wrong_words_exit_2_with_one_line) {
    EXPECT_EQ(sink(odd("none"), {"targt=x"})->wait(), 2);
    EXPECT_EQ(sink(odd("none"), {"target=!"})->wait(), 2);
    EXPECT_EQ(sink(odd("none"), {"--no-such-flag"})->wait(), 2);
    const auto child = sink(odd("none"), {"target=!"});
    EXPECT_EQ(child->wait(), 2);
    EXPECT_EQ(child->err(), "ringcast-sink: odd: target must not begin with '!'\n");
}

TEST_F(SinkProcess, a_plugin_that_cannot_be_used_exits_1_with_one_line) {
    const auto child = sink(odd("future_major"));
    EXPECT_EQ(child->wait(), 1);
    EXPECT_EQ(count(child->err(), "\n"), 1U) << child->err();
}

TEST_F(SinkProcess, memory_cut_short_under_it_is_one_line_and_exit_1) {
    const auto child = sink(odd("none"));
    // A hostile producer, in a process of its own: it loses the memory it cuts just as well.
    const pid_t hostile = fork();
    if (hostile == 0) {
        Producer producer(producer_options());
        if (!producer.wait_readers(1, 60s)) _exit(1);
        fs::resize_file("/dev/shm/ringcast." + bus + ".bus", 0);
        for (;;)
            pause();
    }
    EXPECT_EQ(child->wait(), 1) << child->err();
    EXPECT_NE(child->err().find("SIGBUS"), std::string::npos) << child->err();
    ::kill(hostile, SIGKILL);
    waitpid(hostile, nullptr, 0);
}

TEST_F(SinkProcess, help_shows_the_options_of_plugin_and_host) {
    const auto child = sink(odd("none"), {"--help"});
    EXPECT_EQ(child->wait(), 0);
    EXPECT_NE(child->out().find("target"), std::string::npos);
    EXPECT_NE(child->out().find("video.bitrate"), std::string::npos);
    EXPECT_NE(child->out().find("Default: 44100."), std::string::npos) << "the plugin's, not the host's";
}

}  // namespace
}  // namespace ringcast::host
