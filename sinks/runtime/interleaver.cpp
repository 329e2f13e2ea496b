// SPDX-License-Identifier: Apache-2.0
#include "runtime/interleaver.hpp"

#include "runtime/media_time.hpp"

namespace ringcast::runtime {
namespace {

constexpr Track other_of(Track track) {
    return track == Track::video ? Track::audio : Track::video;
}

}  // namespace

InterleaveOrder::InterleaveOrder(const InterleaverOptions& options) : options_(options) {}

const Rational& InterleaveOrder::timebase(Track track) const {
    return track == Track::video ? options_.video_timebase : options_.audio_timebase;
}

bool InterleaveOrder::on_packet(Track track, std::int64_t dts) {
    State& state = states_[static_cast<std::size_t>(track)];
    if (state.newest && dts <= *state.newest) return false;
    state.newest = dts;
    return true;
}

void InterleaveOrder::on_end(Track track) {
    states_[static_cast<std::size_t>(track)].ended = true;
}

bool InterleaveOrder::is_before(Track track, std::int64_t dts, std::int64_t count, std::uint32_t rate) const {
    return Int128{dts} * timebase(track).num * rate < Int128{count} * timebase(track).den;
}

int InterleaveOrder::compare(Track a, std::int64_t dts_a, Track b, std::int64_t dts_b, std::int64_t b_plus_ns) const {
    // Both sides times den_a · den_b · 1e9: a dts of 2^40 with 32-bit timebases stays below 2^127 by far.
    const Int128 den_a = timebase(a).den;
    const Int128 den_b = timebase(b).den;
    const Int128 left = static_cast<Int128>(dts_a) * timebase(a).num * den_b * kSecondNs;
    const Int128 right = static_cast<Int128>(dts_b) * timebase(b).num * den_a * kSecondNs + b_plus_ns * den_a * den_b;
    return left < right ? -1 : left > right ? 1 : 0;
}

bool InterleaveOrder::may_leave(Track track, std::int64_t dts) const {
    const Track other = other_of(track);
    if (state(other).ended) return true;
    const bool bounded = options_.mode == InterleaveMode::bounded;
    if (bounded && compare(track, *state(track).newest, track, dts, options_.max_hold_ns) >= 0) return true;
    if (!state(other).newest) return false;
    return compare(track, dts, other, *state(other).newest, bounded ? options_.trail_ns : 0) <= 0;
}

std::optional<Track> InterleaveOrder::next(std::optional<std::int64_t> front_video,
                                           std::optional<std::int64_t> front_audio) const {
    if (front_video && front_audio) {
        return compare(Track::video, *front_video, Track::audio, *front_audio, 0) <= 0 ? Track::video : Track::audio;
    }
    if (front_video && may_leave(Track::video, *front_video)) return Track::video;
    if (front_audio && may_leave(Track::audio, *front_audio)) return Track::audio;
    return std::nullopt;
}

}  // namespace ringcast::runtime
