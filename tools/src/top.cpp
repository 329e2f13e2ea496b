// SPDX-License-Identifier: Apache-2.0
/// `ringcast top`: a live view of one bus or all.
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "clock.hpp"
#include "command.hpp"
#include "duration_words.hpp"
#include "last_words.hpp"
#include "ringcast/error.hpp"
#include "stop_signal.hpp"
#include "top_view.hpp"

namespace ringcast::tools {

namespace {

using std::chrono::steady_clock;

struct Options {
    std::string bus;
    std::string interval = "1s";
    std::uint64_t count = 0;  ///< 0: no limit
    bool json = false;
};

/// A bus that is not there now may be there at the next look.
std::vector<BusLook> look_at(const std::string& bus) {
    std::vector<BusLook> looks;
    for (const std::string& name : bus.empty() ? list_buses() : std::vector<std::string>{bus}) {
        try {
            looks.push_back({.info = inspect_bus(name), .rates = measure_rates(name)});
        } catch (const Error& error) {
            if (error.code() == ErrorCode::not_found) continue;
            BusLook unreadable;
            unreadable.info.name = name;
            unreadable.info.problems.push_back(sanitise(error.what()));
            looks.push_back(std::move(unreadable));
        }
    }
    return looks;
}

/// The terminal while top draws on it: its own screen, no cursor, keys at once. Puts everything back at the end.
class Terminal {
public:
    static bool usable() {
        const char* name = std::getenv("TERM");
        return isatty(STDOUT_FILENO) != 0 && name != nullptr && std::string_view(name) != "dumb" && *name != '\0';
    }

    Terminal() {
        if (isatty(STDIN_FILENO) != 0 && tcgetattr(STDIN_FILENO, &saved_) == 0) {
            termios keys = saved_;
            keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
            keys.c_cc[VMIN] = 0;
            keys.c_cc[VTIME] = 0;
            // From a background job this would stop the process instead.
            reads_keys_ = tcgetpgrp(STDIN_FILENO) == getpgrp() && tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
        }
        expect_to_put_back(kPutBack, reads_keys_ ? &saved_ : nullptr);
        print("\033[?1049h\033[?25l\033[?7l");
    }
    ~Terminal() {
        expect_to_put_back(nullptr, nullptr);
        try {
            print(kPutBack);
        } catch (const VerbError&) {
            // The terminal is gone, and with it what would have to be put back.
        }
        if (reads_keys_) tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
    }
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    /// Over what was there, so that nothing flickers; what does not fit below is left away.
    bool draw(std::string_view text) const {
        winsize size{};
        const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
        std::string screen = "\033[H";
        std::size_t rows = known ? size.ws_row : 24;
        for (std::size_t end = text.find('\n'); end != std::string_view::npos && rows > 0; end = text.find('\n')) {
            screen += std::string(text.substr(0, end)) + "\033[K" + (--rows > 0 ? "\r\n" : "");
            text.remove_prefix(end + 1);
        }
        return print(screen + "\033[J");
    }

    [[nodiscard]] int keys_fd() const noexcept { return reads_keys_ ? STDIN_FILENO : -1; }

private:
    static constexpr const char* kPutBack = "\033[?7h\033[?25h\033[?1049l";

    termios saved_{};
    bool reads_keys_ = false;
};

class Top {
public:
    explicit Top(const Options& options) : options_(options), interval_(*duration_from(options.interval)) {
        if (!options.json && Terminal::usable()) terminal_ = std::make_unique<Terminal>();
    }

    int run() {
        auto next = steady_clock::now();
        for (std::uint64_t shown = 1;; ++shown) {
            if (!show()) break;
            if (shown == options_.count) break;
            // A machine that was asleep, or a look that took long, must not be made up for.
            next = std::max(next + interval_, steady_clock::now());
            if (!wait_until(next)) break;
        }
        return kExitOk;
    }

private:
    bool show() {
        const std::vector<BusLook> looks = look_at(options_.bus);
        const std::int64_t now_ns = monotonic_now_ns();
        speeds_.look(looks, now_ns);
        if (options_.json) return print(one_line(top_json(looks, speeds_, now_ns)));
        const std::string text = top_text(looks, speeds_, absent(), Screen::of_stdout());
        if (terminal_) return terminal_->draw(title() + text);
        return print((std::exchange(first_, false) ? "" : "\n") + text);
    }

    [[nodiscard]] std::string absent() const {
        if (options_.bus.empty()) return "no bus is there; start one with: ringcast testsrc --bus talk";
        return "bus \"" + options_.bus + "\" is not there; waiting for it";
    }

    [[nodiscard]] std::string title() const {
        const Screen screen = Screen::of_stdout();
        return cut_line(screen.paint("ringcast top, every " + options_.interval + "; q ends", Tone::dim),
                        screen.width) +
               "\n\n";
    }

    /// False when a stop was asked for, by a signal or by q.
    [[nodiscard]] bool wait_until(steady_clock::time_point deadline) {
        for (;;) {
            if (stop_.requested()) return false;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
            if (left.count() <= 0) return true;
            std::array<pollfd, 2> fds{{{stop_.fd(), POLLIN, 0}, {keys_fd(), POLLIN, 0}}};
            poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
            if (fds[1].revents != 0 && !read_keys()) return false;
        }
    }

    [[nodiscard]] int keys_fd() const { return terminal_ ? terminal_->keys_fd() : -1; }

    /// False for q, and when the terminal has gone.
    [[nodiscard]] bool read_keys() const {
        std::array<char, 64> keys{};
        const ssize_t count = read(keys_fd(), keys.data(), keys.size());
        if (count < 0) return errno == EINTR || errno == EAGAIN;
        const std::string_view typed(keys.data(), static_cast<std::size_t>(count));
        return count > 0 && typed.find_first_of("qQ\x03\x04") == std::string_view::npos;
    }

    const Options& options_;
    std::chrono::nanoseconds interval_;
    StopSignal stop_;  // before the terminal: a signal between the two must still put the terminal back
    std::unique_ptr<Terminal> terminal_;
    ReaderSpeeds speeds_;
    bool first_ = true;
};

}  // namespace

void add_top(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("top", "Watch one bus or all, live.");
    verb.set_usage("[BUS] [--interval 1s] [--count N] [--json]");
    verb.option("bus", options->bus, "Only this bus; without it, all.").check(check_bus_name).type_name("NAME");
    verb.option("-i,--interval", options->interval, "Time between two looks.")
        .check(duration_check(std::chrono::milliseconds(10)))
        .show_default()
        .type_name("TIME");
    verb.option("-n,--count", options->count, "End after so many looks.").check(check_count).type_name("N");
    verb.flag("--json", options->json, "Print one JSON object per look, each on a line.");
    verb.set_footer(
        "On a terminal it redraws in place until q or Ctrl-C; else it prints one block per look. A bus may come\n"
        "and go. Looks from outside: no reader or writer notices.\n\n"
        "Examples:\n"
        "  ringcast top\n"
        "  ringcast top talk --interval 500ms\n"
        "  ringcast top talk --count 3 --json");
    run_as_verb(verb, exit_code, [options] {
        signal(SIGPIPE, SIG_IGN);
        return Top(*options).run();
    });
}

}  // namespace ringcast::tools
