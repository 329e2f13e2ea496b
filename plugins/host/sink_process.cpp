// SPDX-License-Identifier: Apache-2.0
#include "sink_process.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

#include "ringcast/error.hpp"

namespace ringcast::host {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPeerPatience{5};  // after a stop: then a blocked delivery is interrupted
constexpr std::chrono::seconds kStopPatience{8};  // after a stop: then the process ends as it stands

class FileDescriptor {
public:
    FileDescriptor(int fd, const char* what) : fd_(fd) {
        if (fd < 0) throw Error(ErrorCode::system, std::string(what) + ": " + std::strerror(errno));
    }
    ~FileDescriptor() { close(fd_); }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return fd_; }

private:
    int fd_;
};

sigset_t stop_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, signal);
    return set;
}

extern "C" void on_bus_error(int /*signal*/) {
    constexpr char kText[] =
        "ringcast-sink: shared memory was cut short under the reader (SIGBUS); the bus is damaged\n";
    static_cast<void>(!write(STDERR_FILENO, kText, sizeof kText - 1));
    _exit(kExitFailure);
}

/// Turns signals into calls on the pipeline; lives on the main thread while the pipeline runs on its own.
class Watch {
public:
    Watch(runtime::Pipeline& pipeline, std::shared_ptr<spdlog::logger> log)
        : pipeline_(pipeline),
          log_(std::move(log)),
          signals_(signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"),
          done_(eventfd(0, EFD_CLOEXEC), "eventfd") {}

    void tell_done() {
        const std::uint64_t one = 1;
        static_cast<void>(!write(done_.get(), &one, sizeof one));
    }

    void until_done() {
        for (;;) {
            std::array<pollfd, 2> fds{{{signals_.get(), POLLIN, 0}, {done_.get(), POLLIN, 0}}};
            const int ready = poll(fds.data(), fds.size(), timeout_ms());
            if (ready < 0 && errno != EINTR)
                throw Error(ErrorCode::system, std::string("poll: ") + std::strerror(errno));
            if (fds[1].revents != 0) return;
            if (fds[0].revents != 0) on_signal();
            if (stopped_at_) press();
        }
    }

private:
    void on_signal() {
        signalfd_siginfo info{};
        if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
        const char* name = sigabbrev_np(static_cast<int>(info.ssi_signo));
        if (stopped_at_) end_now(std::string("second signal (SIG") + (name == nullptr ? "?" : name) + ")");
        log_->info("SIG{}: finishing the output", name == nullptr ? "?" : name);
        stopped_at_ = steady_clock::now();
        pipeline_.request_stop();
    }

    void press() {
        const auto waited = steady_clock::now() - *stopped_at_;
        if (waited >= kStopPatience) end_now("the output did not finish within 8 s");
        if (waited < kPeerPatience || interrupted_) return;
        interrupted_ = true;
        log_->warn("the output still waits for its peer; interrupting it");
        pipeline_.interrupt_output();
    }

    [[noreturn]] void end_now(const std::string& why) {
        log_->error("{}: ended at once, the output may lack its end", why);
        log_->flush();
        _exit(kExitFailure);
    }

    [[nodiscard]] int timeout_ms() const {
        if (!stopped_at_) return -1;
        const auto next = *stopped_at_ + (interrupted_ ? kStopPatience : kPeerPatience);
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady_clock::now());
        return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }

    runtime::Pipeline& pipeline_;
    std::shared_ptr<spdlog::logger> log_;
    sigset_t set_ = stop_signals();
    FileDescriptor signals_;
    FileDescriptor done_;
    std::optional<steady_clock::time_point> stopped_at_;
    bool interrupted_ = false;
};

void log_summary(spdlog::logger& log, const runtime::PipelineTotals& totals) {
    if (totals.outputs == 0) return;
    log.info("{} frames in, {} encoded ({} repeated), {} dropped, {} lost (overrun {}, aborted {}); {:.3f} s, {} bytes",
             totals.frames_read, totals.frames_encoded, totals.frames_repeated, totals.frames_dropped,
             totals.frames_overrun + totals.frames_aborted, totals.frames_overrun, totals.frames_aborted,
             static_cast<double>(totals.output_ns) / 1e9, totals.bytes_sent);
    if (totals.audio_blocks_lost > 0) log.warn("{} audio blocks lost", totals.audio_blocks_lost);
}

}  // namespace

void set_up_signals() {
    const sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    signal(SIGPIPE, SIG_IGN);
    struct sigaction action {};
    action.sa_handler = on_bus_error;
    sigaction(SIGBUS, &action, nullptr);
}

ExitCode run_sink(runtime::PipelineOptions options, PluginInstance& instance,
                  const std::shared_ptr<spdlog::logger>& log) {
    runtime::Pipeline pipeline(std::move(options), instance, log);
    instance.host().on_keyframe_request([&pipeline] { pipeline.request_keyframe(); });
    Watch watch(pipeline, log);
    bool ok = false;
    std::thread thread([&] {
        ok = pipeline.run();
        watch.tell_done();
    });
    watch.until_done();
    thread.join();
    log_summary(*log, pipeline.totals());
    return ok ? kExitOk : kExitFailure;
}

}  // namespace ringcast::host
