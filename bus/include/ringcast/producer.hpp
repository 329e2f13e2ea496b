// SPDX-License-Identifier: Apache-2.0
/// The writing end of a bus.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "ringcast/caps.hpp"

namespace ringcast {

enum class WriterMode : std::uint32_t {
    live = 0,      ///< never waits
    paced = 1,     ///< sleeps so that pts runs at most `lead` ahead of the clock
    lossless = 2,  ///< waits, bounded, for live readers that asked for every record; only video back-pressures
};

struct ProducerOptions {
    std::string bus;                ///< 1..48 of [A-Za-z0-9_-]
    std::string name = "producer";  ///< shown by the inspector
    WriterMode mode = WriterMode::live;
    std::optional<VideoFormat> video;  ///< one flow each; at least one of them
    std::optional<AudioFormat> audio;
    std::optional<std::chrono::nanoseconds> video_depth;  ///< default 1 s, shrunk to what /dev/shm holds (>= 4 frames)
    std::optional<std::chrono::nanoseconds> audio_depth;  ///< default 30 s
    std::chrono::nanoseconds lead{200'000'000};
    std::chrono::nanoseconds reader_timeout{30'000'000'000};  ///< lossless: evict a reader that stands still so long
};

/// Thread safety: one thread per flow; video and audio calls may come from two threads. Not usable after fork() in the
/// child (calls throw Error(forked)). Destroying without end() leaves the stream unfinished: sinks wait for the next
/// producer, which continues where this one stopped; the names stay until then or until `ringcast clean`.
class Producer {
public:
    /// Creates the bus objects, reserves and touches their memory, takes the writer locks.
    /// Throws Error: busy (names the holder's pid), no_space (names the fix), invalid_argument, permission, system.
    explicit Producer(const ProducerOptions& options);
    ~Producer();
    Producer(Producer&&) noexcept;
    Producer& operator=(Producer&&) noexcept;

    /// Copies one frame in and publishes it. `pixels` holds tightly packed planes of the flow's format.
    /// Without pts the count decides. Throws Error(invalid_argument) on a wrong size, (ended), (forked).
    void write_video(std::span<const std::byte> pixels, std::optional<std::int64_t> pts_ns = std::nullopt);

    /// The slot of the next frame, to render straight into: frame_bytes() of writable memory, valid until
    /// commit_video() or abort_video(). One open acquire at a time.
    std::span<std::byte> acquire_video();
    void commit_video(std::optional<std::int64_t> pts_ns = std::nullopt);
    void abort_video();

    /// Copies interleaved samples in, split into blocks of at most 100 ms; any length.
    void write_audio(std::span<const std::byte> samples, std::optional<std::int64_t> pts_ns = std::nullopt);

    /// Ends the stream: marks every flow, wakes the readers, removes the names. Readers still drain what is mapped.
    void end();

    /// Sinks attached to this bus, alive, with their encoders open.
    [[nodiscard]] unsigned ready_readers() const;
    /// Waits until `count` readers are ready; false at the deadline.
    bool wait_readers(unsigned count, std::chrono::nanoseconds timeout) const;

    [[nodiscard]] std::uint64_t session() const noexcept;
    [[nodiscard]] std::uint64_t frames_written() const noexcept;
    [[nodiscard]] std::uint64_t samples_written() const noexcept;
    /// One line for a log when the default depth had to shrink; empty otherwise.
    [[nodiscard]] std::string warning() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ringcast
