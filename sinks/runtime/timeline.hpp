// SPDX-License-Identifier: Apache-2.0
/// The timeline: turns records of a bus into the exact, gapless output of one sink.
///
/// A pure state machine: records and clock readings in, output operations out. No thread, no system call, no clock of
/// its own; one thread uses it. The caller keeps the bytes and names them by ids; the timeline only decides which bytes
/// stand at which output position. docs/timing.md holds the rules and formulas.
///
/// What comes out, always:
///   - video ticks 0, 1, 2, ... each exactly once (CFR at Options::fps); only an encoder that cannot follow leaves some
///     out (Options::lag_limit_ns);
///   - audio without hole or overlap: each operation starts at the output sample where the one before it ended;
///   - both tracks end within half a tick of each other.
///
/// How a sink drives it:
///   1. on_video()/on_audio() for each record, in the order they become readable (of several, the lowest pts first);
///   2. pop() until it returns nothing, doing each operation in turn;
///   3. forget private copies with ids below video_needed_from() / audio_needed_from();
///   4. tell_time() now and then; with Options::fill also advance() when all that is readable was given and popped, and
///      again at next_due_ns(); then pop() as in 2;
///   5. finish() when no record will come, or stop(), then pop() up to EndOutput.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include "ringcast/caps.hpp"

namespace ringcast::runtime {

enum class Track { video = 0, audio = 1 };

struct VideoRecord {
    std::uint64_t id = 0;  ///< the caller's name for the picture; rises from record to record
    std::int64_t pts_ns = 0;
    std::int64_t duration_ns = 0;  ///< how long it is shown when nothing follows; at least one tick
    std::int64_t capture_time_ns = 0;
    std::uint64_t session = 0;
    bool discontinuity = false;  ///< layout::kFlagDiscontinuity
    bool explicit_pts = false;   ///< layout::kFlagExplicitPts
};

/// AudioRecord::quiet has one bit for each piece of so many to the second.
inline constexpr std::uint32_t kQuietPieces = 64;
inline constexpr std::uint32_t kQuietPiecesPerSecond = 100;

struct AudioRecord {
    std::uint64_t id = 0;  ///< the caller's name for the samples; rises from record to record
    std::int64_t pts_ns = 0;
    std::int64_t capture_time_ns = 0;
    std::uint64_t session = 0;
    std::uint64_t sample_index = 0;  ///< absolute, of the first sample
    std::uint32_t sample_count = 0;  ///< per channel
    std::uint32_t sample_rate = 0;   ///< Hz
    std::uint32_t format_id = 0;     ///< changes when channels or sample format change (the caps generation)
    bool discontinuity = false;
    bool explicit_pts = false;
    std::uint64_t quiet = 0;  ///< bit i: the 10 ms from i · 10 ms on are below -40 dB (as far as 64 bits reach)
};

// ---- Operations ----

enum class FrameKind {
    fresh,        ///< the picture, for the first time
    repeat,       ///< a picture that was or will be shown, to fill a tick
    slate,        ///< black: there is no picture yet
    stall_slate,  ///< what the user wants shown when nothing has come for stall_timeout
};

/// Encode one picture with pts = tick (in units of 1/fps).
struct EmitFrame {
    std::int64_t tick = 0;
    FrameKind kind = FrameKind::fresh;
    std::uint64_t id = 0;              ///< VideoRecord::id; 0 for a slate
    std::int64_t capture_time_ns = 0;  ///< of a fresh picture; else 0
    std::int64_t bus_pts_ns = 0;       ///< pts on the bus that this tick shows
};

/// Finish the resampler so that exactly `position` output samples exist in all (drop or pad its last few), then start
/// it anew for input of `input_rate`. Comes before the first samples, too.
struct StartSegment {
    std::int64_t position = 0;     ///< output samples since the start
    std::uint32_t input_rate = 0;  ///< Hz; of the samples of the operations that follow
    std::uint32_t format_id = 0;   ///< AudioRecord::format_id; meaningless when silence_only
    bool silence_only = false;     ///< there is no input: only EmitSilence follows, at the output rate
};

/// Feed `count` input samples of record `id`, from sample `offset` on, to the resampler.
struct CopySamples {
    std::int64_t position = 0;  ///< output sample where the first of them stands (rounded to nearest)
    std::uint64_t id = 0;       ///< AudioRecord::id
    std::uint32_t offset = 0;   ///< input samples
    std::uint32_t count = 0;    ///< input samples
    std::int64_t bus_pts_ns = 0;
};

/// Feed `count` input samples of silence to the resampler.
struct EmitSilence {
    std::int64_t position = 0;
    std::uint32_t count = 0;  ///< input samples of the segment; at most 100 ms
};

/// The output is over: exactly `ticks` frames and `samples` output samples. Finish the resampler to that length.
struct EndOutput {
    std::int64_t ticks = 0;
    std::int64_t samples = 0;
};

using Operation = std::variant<EmitFrame, StartSegment, CopySamples, EmitSilence, EndOutput>;

// ---- Settings and figures ----

/// What is shown once a stall has lasted stall_timeout.
enum class StallShow {
    hold,   ///< the last picture, as before
    slate,  ///< FrameKind::stall_slate
    stop,   ///< nothing: gave_up() gets true, the output can be ended
};

struct TimelineOptions {
    Rational fps{25, 1};         ///< output frames per second, constant
    std::uint32_t rate = 48000;  ///< output samples per second
    /// More than one where ticks are finer than pictures: a record ends with its first tick, the next one is due later.
    std::uint32_t ticks_per_picture = 1;
    bool shortest = false;  ///< at the end cut the longer track instead of padding the shorter
    /// With `shortest`: so many pictures wait for sound at most; beyond, the oldest leave, and the output is at least
    /// that long. Memory first: raw pictures are large.
    std::size_t most_held_pictures = 250;
    /// A track that never came is filled in once the other is this far on, in media time and by capture times both (so
    /// that a long speech pushed in one go starts no slate). `pause_wait_ns`: the same for one that stopped coming.
    std::int64_t track_wait_ns = 1'000'000'000;
    std::int64_t pause_wait_ns = 2'000'000'000;

    /// The output lasts as long as the clock: what is ahead of it waits, what is missing is filled in. Without it
    /// output time is media time, and no clock is looked at.
    bool fill = false;
    /// A picture that could have been popped so long ago is dropped: the encoder cannot follow. 0: never.
    std::int64_t lag_limit_ns = 0;
    std::int64_t stall_timeout_ns = 10'000'000'000;
    StallShow stall_show = StallShow::hold;
    std::int64_t most_delay_ns = 2'000'000'000;  ///< so long at most one track is held because the other comes late
};

struct TimelineCounters {
    std::uint64_t frames = 0;           ///< ticks handed out
    std::uint64_t repeated_frames = 0;  ///< of those: filled in (repeats and slates)
    std::uint64_t dropped_frames = 0;   ///< records that got no tick of their own
    std::uint64_t samples = 0;          ///< output samples handed out
    std::uint64_t silence_samples = 0;  ///< of those: filled in
    std::uint64_t trimmed_samples = 0;  ///< input samples that had no place (before the start, or too late)
    std::uint64_t late_samples = 0;     ///< of those: too late
    std::uint64_t rebases = 0;          ///< new sessions, flushes and backward jumps that were joined
    std::uint64_t stalls = 0;           ///< times both tracks were filled in and shifted because nothing came
    std::int64_t shifted_ns = 0;        ///< by how much in all, late tracks included
    std::int64_t delay_ns = 0;          ///< of that: held since the last join because one track comes late
};

class Timeline {
public:
    explicit Timeline(const TimelineOptions& options);
    ~Timeline();
    Timeline(Timeline&&) noexcept;
    Timeline& operator=(Timeline&&) noexcept;
    Timeline(const Timeline&) = delete;
    Timeline& operator=(const Timeline&) = delete;

    /// Fixes output position 0 to this pts; before the first record only. Without it the first record decides. What
    /// lies before is trimmed to the sample.
    void start_at(std::int64_t pts_ns);

    /// False: the record gets no place of its own (counted), its bytes may be forgotten at once.
    bool on_video(const VideoRecord& record);
    bool on_audio(const AudioRecord& record);

    /// False: on_video() would drop it. For skipping the pixel work of a frame that is only peeked at; pass the record
    /// to on_video() all the same.
    [[nodiscard]] bool wants_video(const VideoRecord& record) const;

    /// What was not popped is void, and so are records with lower ids that come later: the producer was interrupted.
    /// The next record of each track is joined to the end of what was popped.
    void flush(std::uint64_t video_id, std::uint64_t audio_id);

    /// The monotonic clock. Time that goes backwards is ignored.
    void tell_time(std::int64_t now_ns);
    /// The same, and with `fill`: whatever is not here by now has not come; what that means is decided here.
    void advance(std::int64_t now_ns);
    /// When something is due next; nothing when the clock does not matter.
    [[nodiscard]] std::optional<std::int64_t> next_due_ns() const;
    /// Pictures enough wait for their time: read no more of them for now.
    [[nodiscard]] bool is_full() const;
    /// Something was placed, and waits for its time.
    [[nodiscard]] bool holds_media() const;
    /// With `fill`: nothing follows, so neither track waits for the other, and what is held plays to its end. When it
    /// has: whether the output ends there (finish()) or is held for the next producer.
    void play_out(bool holds_afterwards);
    [[nodiscard]] bool is_stalled() const;  ///< nothing comes; the output is filled in
    [[nodiscard]] bool gave_up() const;     ///< a stall outlasted stall_timeout with StallShow::stop

    /// No record will come any more: the producer ended the stream. Pads (or cuts, with `shortest`) both tracks to one
    /// length; EndOutput is the last operation. Records after it are ignored.
    void finish();
    /// The same for a sink that is told to stop: what waits leaves, but for sound that was given ahead of the pictures.
    /// Of sound that has left already, what is past EndOutput::samples is not to be shown.
    void stop();

    /// The next operation, in output order (the track that is behind first); nothing when more input is needed.
    std::optional<Operation> pop();

    /// Records with lower ids will not be named again. The record a popped operation names stays needed until the next
    /// call of pop().
    [[nodiscard]] std::uint64_t video_needed_from() const;
    [[nodiscard]] std::uint64_t audio_needed_from() const;

    [[nodiscard]] TimelineCounters counters() const;
    [[nodiscard]] bool started() const;  ///< a record was taken: output position 0 is fixed
    [[nodiscard]] bool ended() const;    ///< EndOutput was popped

    /// End of what was popped, of each track, in ns of output time (for the board).
    [[nodiscard]] std::int64_t output_end_ns(Track track) const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ringcast::runtime
