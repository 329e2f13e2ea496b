// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "runtime/media_time.hpp"
#include "runtime/packet_streams.hpp"
#include "runtime/video_lane.hpp"

namespace ringcast::runtime {

/// The video of one output whose packets come encoded from the bus, with the sound that comes encoded beside them.
///
/// The timeline decides by dts what stands where, as it does for pictures; its ticks are finer than the stream's
/// frames, so that no two packets meet on one. A packet is sent at its own time plus the shift the timeline gave it;
/// repeated ticks are holes in which the viewer keeps the picture. What needs a packet that is missing is left out up
/// to the next keyframe. One thread.
class PassedVideo final : public VideoLane {
public:
    explicit PassedVideo(PassedStreams streams);

    /// The rate of the timeline's ticks for these streams.
    [[nodiscard]] static Rational ticks_of(const PassedStreams& streams);

    ReadStatus read(FlowReader& flow, const Timeline& timeline) override;
    void tell(Timeline& timeline) override;
    void forget_before(std::uint64_t id) override;
    void flush(std::uint64_t id) override;
    void encode(const EmitFrame& frame, const PacketHandler& handler) override;
    void drain(const PacketHandler& handler) override;

    [[nodiscard]] const StreamInfo& stream() const noexcept override { return stream_; }
    [[nodiscard]] bool needs_new_output() const noexcept override { return changed_; }
    [[nodiscard]] std::optional<PassedStreams> next_streams() const override { return streams_; }
    [[nodiscard]] std::optional<StreamInfo> passed_audio() const override;
    void adjust(TimelineCounters& counters) const override;

private:
    struct Unsent {
        VideoRecord record;
        std::int64_t delay_ns = 0;  ///< pts after dts
        bool key = false;
        bool sent = false;
        AVPacketPtr payload;
    };
    struct Sound {
        std::uint64_t id;
        std::int64_t pts_ns;
        std::int64_t duration_ns;
        std::uint64_t session;
        AVPacketPtr payload;
    };

    void take(const Record& record);
    void take_video(const Record& record);
    void send(Unsent& packet, const PacketHandler& handler);
    void send_sounds(std::int64_t until_ns, const PacketHandler& handler);
    void send_sound(Sound&& sound, const PacketHandler& handler);
    [[nodiscard]] std::int64_t video_ticks(std::int64_t ns) const;

    PassedStreams streams_;
    StreamInfo stream_;
    OutputGrid grid_;
    std::optional<Unsent> read_;  // the record that was read last, when it is a packet of ours
    std::deque<Unsent> packets_;  // by rising id
    std::deque<Sound> sounds_;
    std::uint64_t lost_ = 0;  // of the flow, as counted when it was last looked at
    std::uint64_t session_ = 0;
    bool reads_from_key_ = true;  // what is read next needs packets that are not there
    bool sends_from_key_ = true;  // the same of what is sent next
    bool changed_ = false;
    std::optional<std::int64_t> shift_ns_;  // output time minus bus time of the packet sent last
    std::uint64_t shift_session_ = 0;
    std::int64_t picture_end_ns_ = 0;  // of the packet sent last, in output time
    std::int64_t last_dts_ = INT64_MIN;
    std::optional<std::int64_t> sound_end_;  // of what was sent
    std::uint64_t sent_ = 0;
    std::uint64_t dropped_ = 0;
};

}  // namespace ringcast::runtime
