// SPDX-License-Identifier: Apache-2.0
/// One measured run of a transport: a writer process, reader processes, and what it cost them.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "transport.hpp"

namespace ringcast::bench {

struct Work {
    std::unique_ptr<Transport> (*make)(unsigned readers) = nullptr;
    unsigned readers = 1;
    unsigned frames = 100;
    /// Before and after each hand-over; the readers sleep meanwhile. Zero: as fast as it goes.
    std::chrono::microseconds pause{0};
};

struct Figures {
    double wall_s = 0;                ///< of all frames, at the writer
    double writer_cpu_s = 0;          ///< user and system, of the writer's process
    double readers_cpu_s = 0;         ///< of all readers together
    std::uint64_t arrived = 0;        ///< frames, at all readers together
    std::vector<double> hand_off_us;  ///< from just before publish() until a reader holds the frame; sorted
};

/// With a pause each frame is filled first and the hand-over timed; without one it is sent from cold memory.
/// Throws std::runtime_error when the transport does not run here.
Figures transfer(const Work& work);

double percentile(const std::vector<double>& sorted, double percent);

}  // namespace ringcast::bench
