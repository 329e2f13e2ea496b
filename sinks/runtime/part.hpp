// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/reader.hpp"
#include "runtime/audio_lane.hpp"
#include "runtime/encode_times.hpp"
#include "runtime/interleaver.hpp"
#include "runtime/packet.hpp"
#include "runtime/packet_streams.hpp"
#include "runtime/sink_options.hpp"
#include "runtime/timeline.hpp"
#include "runtime/video_lane.hpp"

namespace ringcast::runtime {

/// What an output looks like; fixed when it opens.
struct OutputFormat {
    Size size;
    Rational fps{25, 1};
    std::int64_t ring_ns = 0;             ///< depth of the video flow; 0 unknown
    PassedStreams passed;                 ///< these are sent as they come; with video, `fps` is PassedVideo::ticks_of()
    std::uint32_t ticks_per_picture = 1;  ///< of the input: more where it is slower than the output
    bool patient = false;  ///< a lossless writer feeds both tracks: neither is missing, however far behind it is
};

/// How many pictures that take so much memory each may wait for their sound: 256 MiB of them, and two at least.
[[nodiscard]] std::size_t most_held_pictures(std::size_t picture_bytes);

/// One output from its first record to its last: timeline, both tracks, interleaver. It may outlive the session of the
/// producer it began with. One thread.
class Part {
public:
    /// Opens the encoders. Throws Error. Finished packets go to `handler` in delivery order.
    Part(const SinkOptions& options, const OutputFormat& format, PacketHandler handler);

    /// CLOCK_REALTIME at output pts 0.
    void set_epoch_realtime(std::int64_t ns) { epoch_realtime_ns_ = ns; }
    [[nodiscard]] std::vector<StreamInfo> streams() const;
    /// What people should know while it runs: that a fallback encodes. Empty: nothing.
    [[nodiscard]] std::string note() const { return video_->note(); }

    /// Shown once a stall has lasted stall_timeout.
    void set_stall_slate(const PictureFile& picture) { video_->set_stall_slate(picture); }

    /// The readers' cursors on a bus that is read from now on (0: no such flow yet). Of sound that comes encoded it is
    /// that of the packets flow; so is the index of a flush.
    void enter_bus(std::uint64_t video_cursor, std::uint64_t audio_cursor);
    /// What was not encoded of the records below these indices is void.
    void flush(std::uint64_t video_index, std::uint64_t audio_index);

    /// Takes one record of the video's flow into private memory; the timeline hears of it with tell_video().
    ReadStatus read_video(FlowReader& flow);
    void tell_video();
    /// Copies one block into private memory; the timeline hears of it with tell_audio().
    ReadStatus copy_audio(FlowReader& flow);
    /// pts of the oldest copied block the timeline has not heard of.
    [[nodiscard]] std::optional<std::int64_t> next_audio_pts() const;
    void tell_audio();

    /// Does one operation of the timeline; false when it has none.
    bool step();
    // The presentation clock; see Timeline.
    void tell_time(std::int64_t now_ns) { timeline_.tell_time(now_ns); }
    void advance(std::int64_t now_ns) { timeline_.advance(now_ns); }
    [[nodiscard]] std::optional<std::int64_t> next_due_ns() const { return timeline_.next_due_ns(); }
    /// Pictures enough wait for their time, or sound enough of the same flow.
    [[nodiscard]] bool is_full() const { return timeline_.is_full() || (one_flow_ && holds_much_sound()); }
    /// So much that more of it stays in the ring.
    [[nodiscard]] bool holds_much_sound() const { return audio_->bytes_held() >= kMostAudioHeld; }
    [[nodiscard]] bool is_stalled() const { return timeline_.is_stalled(); }
    /// What is passed on is coded in another way from here on: this output ends, one of next_streams() begins.
    [[nodiscard]] bool needs_new_output() const { return video_->needs_new_output() || audio_->needs_new_output(); }
    [[nodiscard]] PassedStreams next_streams() const;
    [[nodiscard]] bool gave_up() const { return timeline_.gave_up(); }
    /// With on_stall=fill, when the producer has ended: what it gave ahead of time still waits. Nothing waits for more.
    [[nodiscard]] bool plays_out(bool holds_afterwards);

    /// No record follows: the timeline hears of what is left and pads; then step() until it returns false.
    void finish();
    /// As Timeline::stop().
    void stop();

    void request_keyframe() noexcept { video_->request_keyframe(); }
    [[nodiscard]] TimelineCounters counters() const;
    [[nodiscard]] const EncodeTimes& encode_times() const noexcept { return encode_times_; }
    [[nodiscard]] bool started() const { return timeline_.started(); }
    [[nodiscard]] std::int64_t output_end_ns() const;

private:
    void perform(const EmitFrame& frame);
    void perform(const StartSegment& segment);
    void perform(const CopySamples& samples);
    void perform(const EmitSilence& samples);
    void perform(const EndOutput& end);
    void tell_untold();
    [[nodiscard]] std::uint64_t first_untold_id() const;
    void deliver(Packet&& packet);

    static constexpr std::size_t kMostAudioHeld = 256U << 20U;  // bytes

    const bool fills_;
    const bool one_flow_;  // pictures and sound both come encoded
    std::unique_ptr<AudioLane> audio_;
    std::unique_ptr<VideoLane> video_;
    Timeline timeline_;
    std::int64_t epoch_realtime_ns_ = 0;
    Interleaver<Packet> interleaver_;
    PacketHandler handler_;
    PacketHandler from_lanes_;
    std::deque<AudioRecord> untold_audio_;
    EncodeTimes encode_times_;
};

}  // namespace ringcast::runtime
