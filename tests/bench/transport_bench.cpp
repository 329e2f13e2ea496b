// SPDX-License-Identifier: Apache-2.0
/// 1080p frames from one process to 1, 4 and 32: the bus beside a bare futex ping and beside what people use else.
#include <benchmark/benchmark.h>

#include <string>

#include "transfer.hpp"

namespace ringcast::bench {
namespace {

using namespace std::chrono_literals;

struct Named {
    const char* name;
    std::unique_ptr<Transport> (*make)(unsigned readers);
};
constexpr Named kTransports[] = {
    {"futex_ping", make_futex_ping},
    {"ringcast", make_ringcast},
    {"fifo", make_fifo},
    {"memfd_over_unix_socket", make_memfd},
#ifdef RINGCAST_BENCH_GSTREAMER
    {"gstreamer_shm", make_gstreamer},
#endif
#ifdef RINGCAST_BENCH_ICEORYX
    {"iceoryx", make_iceoryx},
#endif
};

void measure(benchmark::State& state, const Named& transport, unsigned frames, std::chrono::microseconds pause) {
    const auto readers = static_cast<unsigned>(state.range(0));
    for (auto _ : state) {
        try {
            const Figures figures = transfer({transport.make, readers, frames, pause});
            state.SetIterationTime(figures.wall_s);
            if (pause > 0us) {
                state.counters["p50_us"] = percentile(figures.hand_off_us, 50);
                state.counters["p99_us"] = percentile(figures.hand_off_us, 99);
            } else {
                state.counters["frames_per_s"] = frames / figures.wall_s;
                state.counters["writer_cpu_ms_per_frame"] = figures.writer_cpu_s * 1000 / frames;
                state.counters["readers_cpu_ms_per_frame"] = figures.readers_cpu_s * 1000 / frames;
            }
            state.counters["arrived"] = static_cast<double>(figures.arrived) / readers / frames;
        } catch (const std::exception& error) {
            state.SkipWithError(error.what());
        }
    }
}

}  // namespace

void register_transports() {
    for (const Named& transport : kTransports) {
        const auto add = [&](const std::string& work, unsigned frames, std::chrono::microseconds pause) {
            benchmark::RegisterBenchmark((work + "/" + transport.name).c_str(),
                                         [=](benchmark::State& state) { measure(state, transport, frames, pause); })
                ->Arg(1)
                ->Arg(4)
                ->Arg(32)
                ->ArgName("readers")
                ->Iterations(1)
                ->UseManualTime()
                ->Unit(benchmark::kMillisecond);
        };
        add("hand_off", 300, 1ms);
        add("copied_in", 200, 0us);
    }
}

}  // namespace ringcast::bench

int main(int argc, char** argv) {
    ringcast::bench::register_transports();
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
