// SPDX-License-Identifier: Apache-2.0
#include "sink_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "plugin_error.hpp"
#include "ringcast/error.hpp"

namespace ringcast::host {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kPeerPatience{5};    // after a stop: then a blocked delivery is interrupted
constexpr std::chrono::seconds kLingerPatience{4};  // after a stop: then work in the background is interrupted
constexpr std::chrono::seconds kStopPatience{8};    // after a stop: then the process ends as it stands

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

/// A process keeps its terminal until that is hung up.
bool has_terminal() {
    const int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

extern "C" void on_bus_error(int /*signal*/) {
    constexpr char kText[] =
        "ringcast-sink: shared memory was cut short under the reader (SIGBUS); the bus is damaged\n";
    static_cast<void>(!write(STDERR_FILENO, kText, sizeof kText - 1));
    _exit(kExitFailure);
}

/// The plugin is handed each key once, but not always in the order in which they were read.
bool same_values(const SecretOptions::Values& a, const SecretOptions::Values& b) {
    return a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin());
}

/// Turns signals into calls on the pipeline; lives on the main thread while the pipeline runs on its own.
class Watch {
public:
    Watch(runtime::Pipeline& pipeline, PluginInstance& instance, SecretOptions secrets,
          std::shared_ptr<spdlog::logger> log)
        : pipeline_(pipeline),
          instance_(instance),
          secrets_(std::move(secrets)),
          log_(std::move(log)),
          signals_(signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd"),
          told_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd") {}

    /// The outputs are closed; the plugin finishes what it does in the background.
    void tell_lingering() { tell(Phase::lingering); }
    /// From here on the plugin is not called any more; it is being destroyed.
    void tell_destroying() { tell(Phase::destroying); }
    void tell_done() { tell(Phase::done); }

    void until_done() {
        for (;;) {
            std::array<pollfd, 2> fds{{{signals_.get(), POLLIN, 0}, {told_.get(), POLLIN, 0}}};
            const int ready = poll(fds.data(), fds.size(), timeout_ms());
            if (ready < 0 && errno != EINTR)
                throw Error(ErrorCode::system, std::string("poll: ") + std::strerror(errno));
            std::uint64_t times = 0;
            if (fds[1].revents != 0) static_cast<void>(!read(told_.get(), &times, sizeof times));
            if (phase_ == Phase::done) return;
            settle_replacements();
            if (fds[0].revents != 0) on_signal();
            if (stopped_at_) press();
        }
    }

private:
    enum class Phase { running, lingering, destroying, done };
    /// The plugin's, to new values; the reason is empty when it took them.
    struct Answer {
        SecretOptions::Values values;
        std::string reason;
    };
    static inline const std::string kOldValue = "the old value stays in use: ";

    void tell(Phase phase) {
        {
            const std::scoped_lock lock(phase_mutex_);
            phase_ = phase;
        }
        poke();
    }

    void poke() {
        const std::uint64_t one = 1;
        static_cast<void>(!write(told_.get(), &one, sizeof one));
    }

    void on_signal() {
        signalfd_siginfo info{};
        if (read(signals_.get(), &info, sizeof info) != sizeof info) return;
        if (info.ssi_signo == SIGHUP && !(had_terminal_ && !has_terminal())) return renew_secrets();
        const char* name = sigabbrev_np(static_cast<int>(info.ssi_signo));
        if (stopped_at_) end_now(std::string("second signal (SIG") + (name == nullptr ? "?" : name) + ")");
        log_->info("SIG{}: finishing the output", name == nullptr ? "?" : name);
        stopped_at_ = steady_clock::now();
        const std::scoped_lock lock(phase_mutex_);
        if (phase_ != Phase::destroying) pipeline_.request_stop();
    }

    void renew_secrets() {
        const std::scoped_lock lock(phase_mutex_);
        if (phase_ == Phase::destroying || stopped_at_) return;
        if (!secrets_.may_change()) return log_->info("SIGHUP: no option comes from a file; nothing to read again");
        if (!instance_.can_replace()) {
            return log_->error("SIGHUP: plugin {} takes no new values while it runs; start the sink again",
                               instance_.plugin().api().name);
        }
        try {
            hand_over(secrets_.look_again());
        } catch (const UsageError& error) {
            refuse_renewal(error.what());
        }
    }

    void hand_over(SecretOptions::Values changed) {
        if (refused_ &&
            same_values(changed, refused_->values)) {  // the peer is not left for what is known to be refused
            secrets_.settle(changed, false);
            return refuse_renewal(refused_->reason);
        }
        refused_.reset();
        pipeline_.warn({});
        if (changed.empty()) return log_->info("SIGHUP: the files hold what they held before");
        for (const std::string& warning : secrets_.warnings())
            log_->warn("{}", warning);
        std::string keys;
        for (const auto& [key, value] : changed)
            keys += (keys.empty() ? "" : " and ") + key;
        log_->info("SIGHUP: {} changed", keys);
        pipeline_.replace_options(std::move(changed), [this](const auto& values, const std::string& refusal) {
            {
                const std::scoped_lock lock(phase_mutex_);
                answers_.push_back({values, refusal});
            }
            poke();
        });
    }

    /// What the plugin answered on the sink thread.
    void settle_replacements() {
        std::vector<Answer> answers;
        {
            const std::scoped_lock lock(phase_mutex_);
            answers.swap(answers_);
        }
        for (Answer& answer : answers) {
            secrets_.settle(answer.values, answer.reason.empty());
            if (answer.reason.empty()) continue;
            pipeline_.warn(kOldValue + answer.reason);  // it stands in the log already
            refused_ = std::move(answer);
        }
    }

    void refuse_renewal(const std::string& reason) {
        log_->error("SIGHUP: {}{}", kOldValue, reason);
        pipeline_.warn(kOldValue + reason);
    }

    void press() {
        const auto waited = steady_clock::now() - *stopped_at_;
        if (waited >= kStopPatience) end_now("the output did not finish within 8 s");
        const std::scoped_lock lock(phase_mutex_);
        if (phase_ == Phase::destroying) return;
        if (phase_ == Phase::lingering && waited >= kLingerPatience) instance_.interrupt();
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
        const auto waited = steady_clock::now() - *stopped_at_;
        const bool may_linger = phase_ == Phase::lingering && waited < kLingerPatience;
        const bool only_ends = interrupted_ || phase_ == Phase::destroying;
        const auto next = *stopped_at_ + (may_linger ? kLingerPatience : only_ends ? kStopPatience : kPeerPatience);
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - steady_clock::now());
        return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    }

    runtime::Pipeline& pipeline_;
    PluginInstance& instance_;  ///< gone from Phase::destroying on
    SecretOptions secrets_;
    std::shared_ptr<spdlog::logger> log_;
    const bool had_terminal_ = has_terminal();
    sigset_t set_ = stop_signals();
    FileDescriptor signals_;
    FileDescriptor told_;
    std::mutex phase_mutex_;  ///< held while the plugin is called, so that it is not destroyed meanwhile; for answers_
    std::vector<Answer> answers_;
    std::optional<Answer> refused_;  ///< the newest that is in force
    std::atomic<Phase> phase_{Phase::running};
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

ExitCode run_sink(runtime::PipelineOptions options, std::unique_ptr<PluginInstance> instance, SecretOptions secrets,
                  const std::shared_ptr<spdlog::logger>& log) {
    runtime::Pipeline pipeline(std::move(options), *instance, log);
    instance->host().on_keyframe_request([&pipeline] { pipeline.request_keyframe(); });
    Watch watch(pipeline, *instance, std::move(secrets), log);
    bool ok = false;
    std::thread thread([&] {
        ok = pipeline.run();
        watch.tell_lingering();
        instance->linger();
        watch.tell_destroying();
        instance.reset();
        watch.tell_done();
    });
    watch.until_done();
    thread.join();
    log_summary(*log, pipeline.totals());
    return ok ? kExitOk : kExitFailure;
}

}  // namespace ringcast::host
