// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "runtime/media_time.hpp"
#include "runtime/packet_streams.hpp"
#include "runtime/passed_audio.hpp"
#include "runtime/video_lane.hpp"

namespace ringcast::runtime {

/// The video of one output whose packets come encoded from the bus.
///
/// The timeline decides by dts what stands where, as it does for pictures; its ticks are finer than the stream's
/// frames, so that no two packets meet on one. A packet is sent at its own time plus the shift the timeline gave it;
/// repeated ticks are holes in which the viewer keeps the picture. What needs a packet that is missing is left out up
/// to the next keyframe. One thread.
class PassedVideo final : public VideoLane {
public:
    /// `sound`: takes what stands between its packets in the same flow; nullptr: nobody does.
    explicit PassedVideo(PassedStreams streams, PassedAudio* sound = nullptr);

    /// Ticks of the timeline to a picture: fine enough that no two packets meet on one.
    static constexpr std::uint32_t kTicksPerPicture = 4;
    /// The rate of the timeline's ticks for these streams.
    [[nodiscard]] static Rational ticks_of(const PassedStreams& streams);

    ReadStatus read(FlowReader& flow, const Timeline& timeline) override;
    void tell(Timeline& timeline) override;
    void forget_before(std::uint64_t id) override;
    [[nodiscard]] std::optional<AudioRecord> take_sound() override { return std::exchange(read_sound_, {}); }
    void encode(const EmitFrame& frame, const PacketHandler& handler) override;
    void drain(const PacketHandler&) override {}

    [[nodiscard]] const StreamInfo& stream() const noexcept override { return stream_; }
    [[nodiscard]] bool needs_new_output() const noexcept override { return changed_; }
    [[nodiscard]] std::optional<PassedStreams> next_streams() const override { return streams_; }
    void adjust(TimelineCounters& counters) const override;

private:
    struct Unsent {
        VideoRecord record;
        std::int64_t delay_ns = 0;  ///< pts after dts
        bool key = false;
        bool sent = false;
        AVPacketPtr payload;
    };
    void take(const Record& record);
    void take_video(const Record& record);
    void send(Unsent& packet, std::int64_t shift_ns, const PacketHandler& handler);
    [[nodiscard]] std::int64_t video_ticks(std::int64_t ns) const;

    PassedStreams streams_;
    StreamInfo stream_;
    PassedAudio* sound_;
    OutputGrid grid_;
    std::optional<Unsent> read_;  // the record that was read last, when it is a packet of ours
    std::optional<AudioRecord> read_sound_;
    std::deque<Unsent> packets_;  // by rising id
    std::uint64_t lost_ = 0;      // of the flow, as counted when it was last looked at
    std::uint64_t session_ = 0;
    bool reads_from_key_ = true;  // what is read next needs packets that are not there
    bool sends_from_key_ = true;  // the same of what is sent next
    bool changed_ = false;
    std::int64_t last_dts_ = INT64_MIN;
    std::uint64_t sent_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace ringcast::runtime
