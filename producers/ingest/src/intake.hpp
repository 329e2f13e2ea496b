// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>

#include "coded_track.hpp"
#include "demuxer.hpp"
#include "ringcast/producers/ingest.hpp"
#include "sound_clock.hpp"
#include "splicer.hpp"
#include "tick_unwrapper.hpp"

namespace ringcast::ingest {

/// The packets of one connection: the first stream of pictures and the first of sound, with unwrapped times and, in
/// packets mode, coded as a bus carries them. One thread.
class Intake {
public:
    Intake(const Demuxer& demuxer, IngestMode mode, Splicer& splicer)
        : demuxer_(demuxer), mode_(mode), splicer_(splicer) {}

    /// Throws NotCarried.
    void take(runtime::AVPacketPtr packet, Splicer::Clock::time_point now);

private:
    struct Chosen {
        int stream = -1;
        Splicer::Clock::time_point seen;
        std::unique_ptr<CodedTrack> coded;  ///< packets mode
        std::unique_ptr<SoundClock> clock;  ///< of sound
        bool is_new = true;
    };
    struct Times {
        std::int64_t dts_ns;
        std::int64_t pts_ns;
    };

    void announce_tracks();
    /// The track of a packet that is to be taken.
    std::optional<Track> choose(const AVPacket& packet, Splicer::Clock::time_point now);
    std::optional<Times> times_of(AVPacket& packet, const AVStream& stream, Chosen& chosen);
    [[nodiscard]] std::int64_t duration_of(const AVPacket& packet, const AVStream& stream, Track track) const;

    const Demuxer& demuxer_;
    IngestMode mode_;
    Splicer& splicer_;
    std::size_t announced_ = 0;
    std::array<Chosen, kTracks> chosen_;
    std::optional<TickUnwrapper> ticks_;
    std::array<Rational, kTracks> rates_{Rational{0, 1}, Rational{0, 1}};  ///< packets per second; 0/1: not known
};

}  // namespace ringcast::ingest
