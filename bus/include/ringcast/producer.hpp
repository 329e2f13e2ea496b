// SPDX-License-Identifier: Apache-2.0
/// The writing end of a bus.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast {

enum class WriterMode : std::uint32_t {
    live = 0,      ///< never waits
    paced = 1,     ///< sleeps so that pts runs at most `lead` ahead of the clock
    lossless = 2,  ///< waits, bounded, for live readers that asked for every record
};

struct ProducerOptions {
    std::string bus;                ///< 1..48 of [A-Za-z0-9_-]
    std::string name = "producer";  ///< shown by the inspector
    WriterMode mode = WriterMode::live;
    std::optional<VideoFormat> video;  ///< one flow each; at least one flow in all
    std::optional<AudioFormat> audio;
    std::optional<std::chrono::nanoseconds> video_depth;  ///< default 1 s, shrunk to what /dev/shm holds (>= 4 frames)
    std::optional<std::chrono::nanoseconds> audio_depth;  ///< default 30 s
    /// Packets and events flows hold what fits; a packets flow keeps about 10 s at 10 Mb/s.
    bool packets = false;
    bool events = false;
    std::string group;                 ///< name or number; whose members may read the bus; empty: as created
    std::uint32_t permissions = 0640;  ///< 0600, 0640 (0660 means the same) or 0644; the board adds write to each read
    std::chrono::nanoseconds lead{200'000'000};
    std::chrono::nanoseconds reader_timeout{30'000'000'000};  ///< lossless: evict a reader that stands still so long
};

/// A frame whose lines or planes lie anywhere: strides in bytes from line to line, 0 for lines without padding.
struct FrameView {
    std::array<const std::byte*, layout::kMaxPlanes> planes{};
    std::array<std::ptrdiff_t, layout::kMaxPlanes> strides{};
};

/// One elementary stream of a packets flow.
struct PacketStream {
    std::uint32_t id = 0;
    Codec codec = Codec::h264;
    std::uint32_t width = 0;  ///< video
    std::uint32_t height = 0;
    Rational fps{0, 1};
    std::uint32_t rate = 0;  ///< audio: Hz
    std::uint32_t channels = 0;
    std::vector<std::byte> config;  ///< avcC, hvcC, AudioSpecificConfig, OpusHead; repeated before every keyframe
};

/// One encoded packet: H.264 and H.265 length-prefixed, AAC raw.
struct PacketView {
    std::uint32_t stream_id = 0;
    std::int64_t pts_ns = 0;
    std::int64_t dts_ns = 0;  ///< rises from packet to packet of a stream
    std::int64_t duration_ns = 0;
    bool key = false;
    std::span<const std::byte> data;
};

/// Thread safety: one thread per flow; video, audio, packets and events may each be written from a thread of its own.
/// flush() from any. Not usable after fork() in the child (calls throw Error(forked)). Destroying without end() leaves
/// the stream unfinished: sinks wait for the next producer, which continues where this one stopped; the names stay
/// until then or until `ringcast clean`.
class Producer {
public:
    /// Creates the bus objects, or takes over those of a dead producer of the same name and mode; reserves and touches
    /// their memory, takes the writer locks.
    /// Throws Error: busy (names the holder's pid), no_space (names the fix), invalid_argument, permission, system.
    explicit Producer(const ProducerOptions& options);
    ~Producer();
    Producer(Producer&&) noexcept;
    Producer& operator=(Producer&&) noexcept;

    /// Copies one frame in and publishes it. `pixels` holds tightly packed planes of the flow's format.
    /// Without pts the count decides. Throws Error(invalid_argument) on a wrong size, (ended), (forked).
    void write_video(std::span<const std::byte> pixels, std::optional<std::int64_t> pts_ns = std::nullopt);
    /// The same from planes and lines that lie apart.
    void write_video(const FrameView& frame, std::optional<std::int64_t> pts_ns = std::nullopt);

    /// The slot of the next frame, to render straight into: frame_bytes() of writable memory, valid until
    /// commit_video() or abort_video(). One open acquire at a time.
    std::span<std::byte> acquire_video();
    void commit_video(std::optional<std::int64_t> pts_ns = std::nullopt);
    void abort_video();

    /// Copies interleaved samples in, split into blocks of at most 100 ms; any length. What the ring cannot hold yet
    /// waits in this process and is fed by the clock (live, paced) or by the video's pts (lossless); at most 120 s may
    /// wait, then Error(too_large) and nothing of this push is written. A paced producer without video sleeps instead.
    void write_audio(std::span<const std::byte> samples, std::optional<std::int64_t> pts_ns = std::nullopt);
    /// Sound that still waits for its time in this process.
    [[nodiscard]] std::chrono::nanoseconds audio_waiting() const;

    /// Another format from the next frame or sample on. Throws Error(no_space); the old format then stays.
    void set_video_format(const VideoFormat& format);
    void set_audio_format(const AudioFormat& format);

    /// Declares a stream of the packets flow, or changes it from its next keyframe on.
    void set_packet_stream(const PacketStream& stream);
    void write_packet(const PacketView& packet);

    /// One small JSON text (UTF-8, at most 64 KiB; not parsed here). Without pts it stands where the next frame, else
    /// the next sample, else now stands.
    void write_event(std::string_view json, std::optional<std::int64_t> pts_ns = std::nullopt);

    /// The avatar was interrupted: whatever sinks have not sent yet is void, and so is the sound that waits here. What
    /// is written next follows what was last sent.
    void flush();

    /// Ends the stream: marks every flow, wakes the readers, removes the names. Readers still drain what is mapped.
    /// Sound that waits is published first, in live and paced mode by the clock: the call takes that long.
    void end();

    /// Sinks attached to this bus, alive, with their encoders open; those of a lossless bus could begin their output,
    /// too.
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
