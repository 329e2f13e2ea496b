// SPDX-License-Identifier: Apache-2.0
/// What the bus costs its writer: copies beside memcpy and bare streaming stores, publishing in place beside a bare
/// wake, system calls, and readers that stop, die or dawdle. Times are thread-CPU times.
#include <benchmark/benchmark.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstring>
#include <functional>
#include <string>
#include <vector>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "ringcast/producer.hpp"
#include "ringcast/reader.hpp"

namespace {

using namespace std::chrono_literals;
using ringcast::FlowKind;

constexpr std::size_t kFrameBytes = std::size_t{1920} * 1080 * 3;
constexpr std::size_t kSources = 16;  // 100 MB: colder than any cache
constexpr std::size_t kSlots = 8;

ringcast::ProducerOptions options_for(std::uint32_t width, std::uint32_t height) {
    ringcast::ProducerOptions options;
    options.bus = "bench-" + std::to_string(getpid());
    options.video = ringcast::VideoFormat{ringcast::PixelFormat::bgr24, width, height, {25, 1}};
    options.video_depth = 320ms;
    return options;
}

// ---- Copies ----

const std::byte* next_source() {
    static const std::vector<std::byte> sources(kSources * kFrameBytes, std::byte{1});
    static std::size_t next = 0;
    next = (next + 1) % kSources;
    return sources.data() + next * kFrameBytes;
}

std::byte* next_target() {
    static auto* const ring = static_cast<std::byte*>(
        mmap(nullptr, kSlots * kFrameBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
    static std::size_t next = 0;
    next = (next + 1) % kSlots;
    return ring + next * kFrameBytes;
}

void report_frames(benchmark::State& state) {
    state.counters["frames_per_s"] =
        benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void copy_memcpy(benchmark::State& state) {
    for (auto _ : state) {
        std::memcpy(next_target(), next_source(), kFrameBytes);
        benchmark::ClobberMemory();
    }
    report_frames(state);
}
BENCHMARK(copy_memcpy)->Unit(benchmark::kMicrosecond);

void copy_streaming(benchmark::State& state) {
#ifdef __SSE2__
    for (auto _ : state) {
        const std::byte* from = next_source();
        std::byte* to = next_target();
        for (std::size_t at = 0; at < kFrameBytes; at += 16) {
            _mm_stream_si128(reinterpret_cast<__m128i*>(to + at),
                             _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + at)));
        }
        _mm_sfence();
    }
    report_frames(state);
#else
    state.SkipWithError("needs SSE2");
#endif
}
BENCHMARK(copy_streaming)->Unit(benchmark::kMicrosecond);

void copy_write_video(benchmark::State& state) {
    ringcast::Producer producer(options_for(1920, 1080));
    for (auto _ : state)
        producer.write_video({next_source(), kFrameBytes});
    report_frames(state);
    producer.end();
}
BENCHMARK(copy_write_video)->Unit(benchmark::kMicrosecond);

// ---- In place ----

void bare_wake(benchmark::State& state) {
    std::atomic<std::uint32_t> word{0};
    for (auto _ : state) {
        word.fetch_add(1);
        syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    }
}
BENCHMARK(bare_wake);

void publish_in_place(benchmark::State& state) {
    ringcast::Producer producer(options_for(1920, 1080));
    for (auto _ : state) {
        benchmark::DoNotOptimize(producer.acquire_video().data());
        producer.commit_video();
    }
    producer.end();
}
BENCHMARK(publish_in_place);

// ---- System calls ----

constexpr int kCommits = 100;

/// Counts the system calls of `kCommits` publishes, which the traced child frames by two getppid().
int traced_system_calls() {
    const pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        raise(SIGSTOP);
        ringcast::Producer producer(options_for(640, 360));
        syscall(SYS_getppid);
        for (int number = 0; number < kCommits; ++number) {
            producer.acquire_video();
            producer.commit_video();
        }
        syscall(SYS_getppid);
        producer.end();
        _exit(0);
    }
    int status = 0;
    int marks = 0;
    int calls = 0;
    bool entering = true;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD);
    while (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0 && waitpid(child, &status, 0) == child) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) break;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
        if (entering) {
            __ptrace_syscall_info info{};
            ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
            const bool mark = info.entry.nr == SYS_getppid;
            marks += mark ? 1 : 0;
            calls += marks == 1 && !mark ? 1 : 0;
        }
        entering = !entering;
    }
    return marks == 2 && WIFEXITED(status) ? calls : -1;
}

void system_calls_per_commit(benchmark::State& state) {
    int calls = 0;
    for (auto _ : state)
        calls = traced_system_calls();
    if (calls < 0) state.SkipWithError("ptrace is not allowed here");
    state.counters["calls"] = static_cast<double>(calls) / kCommits;
}
BENCHMARK(system_calls_per_commit)->Iterations(1);

// ---- Troublesome readers ----

enum class Trouble { none, stopped, killed, slow };

/// What the readers of one window tell.
struct Account {
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> lost{0};
    std::atomic<bool> ready{false};
};

pid_t start_reader(const std::string& bus, Account* account, std::chrono::milliseconds per_frame) {
    const pid_t child = fork();
    if (child != 0) return child;
    ringcast::ReaderOptions options;
    options.bus = bus;
    options.name = "bench";
    const auto reader = ringcast::BusReader::attach(options, -1, std::nullopt);
    ringcast::FlowReader* flow = reader->flow(FlowKind::video);
    account->ready = true;
    for (auto status = ringcast::ReadStatus::ok; status != ringcast::ReadStatus::ended;) {
        const std::uint32_t ticket = reader->ticket();
        status = flow->try_read([&](const ringcast::Record& record) {
            benchmark::DoNotOptimize(record.payload[0]);
            if (per_frame > 0ms) usleep(static_cast<useconds_t>(per_frame.count()) * 1000);
        });
        account->delivered = flow->counts().delivered;
        account->lost = flow->counts().overrun + flow->counts().aborted;
        if (status == ringcast::ReadStatus::not_yet) reader->wait(ticket, std::chrono::steady_clock::now() + 1s);
    }
    _exit(0);
}

/// Three readers, one of them in trouble; thread-CPU of the writer per commit, and what the other two lost.
void writer_beside(benchmark::State& state, Trouble trouble) {
    constexpr unsigned kFrames = 150;
    auto options = options_for(1280, 720);
    options.video_depth = 1s;
    auto* accounts = static_cast<Account*>(
        mmap(nullptr, 3 * sizeof(Account), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    const std::vector<std::byte> frame(std::size_t{1280} * 720 * 3);
    for (auto _ : state) {
        state.PauseTiming();
        ringcast::Producer producer(options);
        std::vector<pid_t> readers;
        for (unsigned number = 0; number < 3; ++number) {
            new (accounts + number) Account;
            const bool slow = number == 2 && trouble == Trouble::slow;
            readers.push_back(start_reader(options.bus, accounts + number, slow ? 200ms : 0ms));
            while (!accounts[number].ready)
                usleep(1000);
        }
        usleep(20'000);
        if (trouble == Trouble::stopped) kill(readers[2], SIGSTOP);
        if (trouble == Trouble::killed) kill(readers[2], SIGKILL);
        state.ResumeTiming();
        for (unsigned number = 0; number < kFrames; ++number) {
            producer.write_video(frame);
            usleep(2000);
        }
        state.PauseTiming();
        producer.end();
        for (unsigned number = 0; number < 2; ++number)
            waitpid(readers[number], nullptr, 0);
        kill(readers[2], SIGKILL);
        waitpid(readers[2], nullptr, 0);
        state.counters["others_delivered"] =
            static_cast<double>(accounts[0].delivered + accounts[1].delivered) / (2 * kFrames);
        state.counters["unaccounted"] = static_cast<double>(2 * kFrames - accounts[0].delivered - accounts[0].lost -
                                                            accounts[1].delivered - accounts[1].lost);
        state.ResumeTiming();
    }
    munmap(accounts, 3 * sizeof(Account));
}
BENCHMARK_CAPTURE(writer_beside, healthy_reader, Trouble::none)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(writer_beside, stopped_reader, Trouble::stopped)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(writer_beside, killed_reader, Trouble::killed)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(writer_beside, slow_reader, Trouble::slow)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
