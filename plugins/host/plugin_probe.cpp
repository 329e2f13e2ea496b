// SPDX-License-Identifier: Apache-2.0
#include "plugin_probe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "plugin_folders.hpp"

namespace ringcast::host {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMostOutput = 1U << 20U;  // a plugin that floods its output is not believed

struct ChildResult {
    std::string out;
    std::string err;
    int wait_status = 0;
    bool timed_out = false;
};

class Pipe {
public:
    Pipe() {
        if (pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
    }
    ~Pipe() {
        close_read();
        close_write();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    [[nodiscard]] int read_end() const { return ends_[0]; }
    [[nodiscard]] int write_end() const { return ends_[1]; }
    void close_read() { close_one(ends_[0]); }
    void close_write() { close_one(ends_[1]); }

private:
    static void close_one(int& fd) {
        if (fd >= 0) close(fd);
        fd = -1;
    }
    std::array<int, 2> ends_{-1, -1};
};

int spawn_probe(const std::filesystem::path& executable, const std::filesystem::path& file, const Pipe& out,
                const Pipe& err, pid_t& pid) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err.write_end(), STDERR_FILENO);
    std::string program = executable.string();
    std::string verb = "--probe";
    std::string path = file.string();
    std::string json = "--json";
    std::array<char*, 5> argv{program.data(), verb.data(), path.data(), json.data(), nullptr};
    const int error = posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/// Appends what is there; false at end of file.
bool drain(int fd, std::string& text) {
    std::array<char, 4096> buffer{};
    const ssize_t got = read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    if (got > 0 && text.size() < kMostOutput) text.append(buffer.data(), static_cast<std::size_t>(got));
    return got > 0;
}

void collect(Pipe& out, Pipe& err, pid_t pid, ChildResult& result) {
    const Clock::time_point deadline = Clock::now() + kPatience;
    std::array<pollfd, 2> fds{{{out.read_end(), POLLIN, 0}, {err.read_end(), POLLIN, 0}}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0) {
            result.timed_out = true;
            kill(pid, SIGKILL);
            break;
        }
        if (poll(fds.data(), fds.size(), static_cast<int>(left)) < 0 && errno != EINTR) break;
        if (fds[0].revents != 0 && !drain(fds[0].fd, result.out)) fds[0].fd = -1;
        if (fds[1].revents != 0 && !drain(fds[1].fd, result.err)) fds[1].fd = -1;
    }
    while (waitpid(pid, &result.wait_status, 0) < 0 && errno == EINTR) {
    }
}

std::string last_line(const std::string& text) {
    const std::size_t end = text.find_last_not_of(" \n");
    if (end == std::string::npos) return {};
    const std::size_t start = text.rfind('\n', end);
    return text.substr(start == std::string::npos ? 0 : start + 1,
                       end - (start == std::string::npos ? 0 : start + 1) + 1);
}

std::string problem_of(const ChildResult& child) {
    if (child.timed_out) return "loading it took longer than 5 s; the probe was ended";
    if (WIFSIGNALED(child.wait_status)) {
        const int signal = WTERMSIG(child.wait_status);
        return "loading it crashed (signal " + std::to_string(signal) + ", " + strsignal(signal) + ")";
    }
    const std::string line = last_line(child.err);
    const std::string status = std::to_string(WEXITSTATUS(child.wait_status));
    return line.empty() ? "the probe ended with exit code " + status + " and no message" : line;
}

std::string text_or_empty(const nlohmann::json& value) {
    return value.is_string() ? value.get<std::string>() : "";
}

void read_description(const nlohmann::json& json, ProbeResult& result) {
    result.name = json.at("name");
    result.version = json.at("version");
    result.summary = json.at("summary");
    result.abi_major = json.at("abi_major");
    result.abi_minor = json.at("abi_minor");
    result.takes_packets = json.at("takes_packets");
    result.takes_frames = json.at("takes_frames");
    result.can_hand_over = json.at("can_hand_over");
    result.main_option = text_or_empty(json.at("main_option"));
    result.content_hash = json.at("content_hash");
    result.defaults = json.at("defaults").get<std::vector<std::string>>();
    for (const nlohmann::json& entry : json.at("options")) {
        ProbedOption option;
        option.key = entry.at("key");
        if (entry.at("default").is_string()) option.default_value = entry.at("default").get<std::string>();
        option.help = text_or_empty(entry.at("help"));
        option.choices = text_or_empty(entry.at("choices"));
        result.options.push_back(std::move(option));
    }
}

}  // namespace

std::filesystem::path default_sink_executable() {
    return executable_folder() / "ringcast-sink";
}

ProbeResult probe_plugin(const std::filesystem::path& file, const std::filesystem::path& sink_executable) {
    ProbeResult result;
    result.file = file;
    Pipe out;
    Pipe err;
    pid_t pid = -1;
    const int error = spawn_probe(sink_executable, file, out, err, pid);
    if (error != 0) {
        result.problem = "cannot run " + sink_executable.string() + ": " + std::strerror(error);
        return result;
    }
    out.close_write();
    err.close_write();
    ChildResult child;
    collect(out, err, pid, child);
    if (child.timed_out || !WIFEXITED(child.wait_status) || WEXITSTATUS(child.wait_status) != 0) {
        result.problem = problem_of(child);
        return result;
    }
    try {
        read_description(nlohmann::json::parse(child.out), result);
        result.usable = true;
    } catch (const nlohmann::json::exception& exception) {
        result = ProbeResult{};
        result.file = file;
        result.problem = std::string("the probe's answer cannot be read: ") + exception.what();
    }
    return result;
}

std::vector<ProbeResult> probe_plugins(const std::filesystem::path& sink_executable) {
    std::vector<ProbeResult> results;
    for (const std::filesystem::path& file : plugin_files())
        results.push_back(probe_plugin(file, sink_executable));
    return results;
}

}  // namespace ringcast::host
