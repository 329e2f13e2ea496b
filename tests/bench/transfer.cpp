// SPDX-License-Identifier: Apache-2.0
#include "transfer.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <functional>
#include <new>
#include <stdexcept>

namespace ringcast::bench {
namespace {

constexpr int kPatienceMs = 20'000;

/// What the processes of a run share.
struct Shared {
    std::atomic<bool> open{false};
    std::atomic<unsigned> ready{0};
    std::atomic<bool> done{false};  ///< every frame was written
    std::atomic<bool> closed{false};
    std::atomic<bool> failed{false};
    double wall_s = 0;
    double writer_cpu_s = 0;
};

/// What a reader keeps while it lives; it ends by SIGKILL.
struct Tally {
    std::atomic<std::uint64_t> arrived{0};
    std::atomic<std::uint64_t> cpu_ns{0};  ///< since it was ready
};

class SharedArea {
public:
    SharedArea(unsigned readers, unsigned frames)
        : stride_(sizeof(Tally) + frames * sizeof(double)), bytes_(64 + readers * stride_) {
        memory_ = static_cast<std::byte*>(
            mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
        if (memory_ == MAP_FAILED) throw std::bad_alloc();
        new (memory_) Shared;
        static_assert(sizeof(Shared) <= 64);
    }
    ~SharedArea() { munmap(memory_, bytes_); }
    SharedArea(const SharedArea&) = delete;
    SharedArea& operator=(const SharedArea&) = delete;

    Shared* operator->() const { return std::launder(reinterpret_cast<Shared*>(memory_)); }
    [[nodiscard]] Tally& tally(unsigned reader) const {
        return *reinterpret_cast<Tally*>(memory_ + 64 + reader * stride_);
    }
    [[nodiscard]] double* hand_off_us(unsigned reader) const { return reinterpret_cast<double*>(&tally(reader) + 1); }

private:
    std::size_t stride_;
    std::size_t bytes_;
    std::byte* memory_;
};

std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

bool await(const std::function<bool()>& condition) {
    for (int waited = 0; !condition(); ++waited) {
        if (waited == kPatienceMs) return false;
        usleep(1000);
    }
    return true;
}

void write_frames(Transport& transport, const Work& work, const SharedArea& shared) {
    transport.open_writer();
    shared->open = true;
    if (!await([&] { return shared->ready == work.readers; })) throw std::runtime_error("readers do not come");
    usleep(200'000);
    // More than the caches hold: a model's frames do not wait in them either.
    const std::vector<std::byte> source(16 * kFrameBytes, std::byte{1});
    const auto frame = [&](unsigned number) {
        return std::span(source).subspan(number % 16 * kFrameBytes, kFrameBytes);
    };
    const auto sleep = [&] { usleep(static_cast<useconds_t>(work.pause.count())); };
    const std::uint64_t begun = now_ns();
    const std::uint64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (unsigned number = 0; number < work.frames; ++number) {
        if (work.pause.count() == 0) {
            transport.send(frame(number));
            continue;
        }
        const std::span<std::byte> place = transport.prepare();
        std::memcpy(place.data(), frame(number).data(), kFrameBytes);
        sleep();
        const std::uint64_t stamp = now_ns();
        std::memcpy(place.data(), &stamp, sizeof stamp);
        transport.publish();
        sleep();  // a reader that was woken onto this core must not wait for the next copy
    }
    shared->writer_cpu_s = static_cast<double>(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e-9;
    shared->wall_s = static_cast<double>(now_ns() - begun) * 1e-9;
    usleep(100'000);  // the last frames arrive
    shared->done = true;
    transport.close_writer();
    shared->closed = true;
    pause();
}

void read_frames(Transport& transport, unsigned number, const Work& work, const SharedArea& shared) {
    if (!await([&] { return shared->open.load(); })) throw std::runtime_error("the writer does not open");
    transport.open_reader(number);
    shared->ready += 1;
    Tally& tally = shared.tally(number);
    const std::uint64_t cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    for (;;) {
        const std::uint64_t stamp = transport.receive();
        const std::uint64_t now = now_ns();
        const std::uint64_t seen = tally.arrived.load(std::memory_order_relaxed);
        if (seen == work.frames) continue;
        shared.hand_off_us(number)[seen] = static_cast<double>(now - stamp) * 1e-3;
        tally.cpu_ns.store(now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu, std::memory_order_relaxed);
        tally.arrived.store(seen + 1, std::memory_order_release);
    }
}

pid_t start(const std::function<void()>& process, const SharedArea& shared) {
    const pid_t child = fork();
    if (child != 0) return child;
    try {
        process();
    } catch (const std::exception& error) {
        if (!shared->done) std::fprintf(stderr, "%s\n", error.what());
    }
    if (!shared->done) shared->failed = true;
    _exit(1);
}

void end(pid_t process) {
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
}

}  // namespace

Figures transfer(const Work& work) {
    const SharedArea shared(work.readers, work.frames);
    const std::unique_ptr<Transport> transport = work.make(work.readers);
    std::vector<pid_t> readers;
    const pid_t writer = start([&] { write_frames(*transport, work, shared); }, shared);
    for (unsigned number = 0; number < work.readers; ++number)
        readers.push_back(start([&] { read_frames(*transport, number, work, shared); }, shared));
    const bool over = await([&] { return shared->closed || shared->failed; });

    Figures figures;
    for (unsigned number = 0; number < work.readers; ++number) {
        end(readers[number]);
        const double* first = shared.hand_off_us(number);
        const std::uint64_t count = shared.tally(number).arrived.load();
        figures.readers_cpu_s += static_cast<double>(shared.tally(number).cpu_ns.load()) * 1e-9;
        figures.arrived += count;
        // The first two rounds map pages and warm caches up.
        const std::uint64_t warm = std::min<std::uint64_t>(2 * kSlots, count);
        figures.hand_off_us.insert(figures.hand_off_us.end(), first + warm, first + count);
    }
    end(writer);
    if (!over || shared->failed) throw std::runtime_error("the transport does not run here");
    std::ranges::sort(figures.hand_off_us);
    figures.wall_s = shared->wall_s;
    figures.writer_cpu_s = shared->writer_cpu_s;
    return figures;
}

double percentile(const std::vector<double>& sorted, double percent) {
    if (sorted.empty()) return 0;
    return sorted[static_cast<std::size_t>(percent / 100 * static_cast<double>(sorted.size() - 1))];
}

}  // namespace ringcast::bench
