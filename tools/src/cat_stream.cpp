// SPDX-License-Identifier: Apache-2.0
#include "cat_stream.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "clock.hpp"
#include "command.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kLongestWait{1};
constexpr std::chrono::milliseconds kTrackWait{500};  // a bus whose writers are two programs
constexpr std::chrono::milliseconds kBeginPoll{50};

bool same_picture(const layout::Caps& a, const layout::Caps& b) {
    return a.format == b.format && a.width == b.width && a.height == b.height;
}
bool same_sound(const layout::Caps& a, const layout::Caps& b) {
    return a.format == b.format && a.sample_rate == b.sample_rate && a.channels == b.channels;
}

}  // namespace

void CatStream::run() {
    from_oldest_ = options_.lossless;  // a reader stands at the oldest record of the live session until it seeks
    limit_ns_ = options_.limit_ns;
    try {
        while (!stop_.requested()) {
            const std::unique_ptr<BusReader> reader = attach();
            if (!reader) break;
            stop_.watch(reader.get());
            const Outcome outcome = follow(*reader);
            account();
            stop_.watch(nullptr);
            if (outcome == Outcome::finished) break;
            // The next session's first records are the continuation, so none of them is skipped.
            from_oldest_ = true;
        }
        if (stop_.requested()) reason_ = "stopped";
        if (output_) output_->finish();
    } catch (const ReaderLeft&) {
        account();
        reason_ = "reader left";
    } catch (const Stopped&) {
        account();
        reason_ = "stopped";
    }
}

std::unique_ptr<BusReader> CatStream::attach() {
    const ReaderOptions options{.bus = options_.bus,
                                .name = "cat",
                                .plugin = {},
                                .lossless = options_.lossless,
                                .flows = {options_.video, options_.audio, false, false}};
    auto reader = BusReader::try_attach(options);
    if (reader) return reader;
    if (!output_) std::fprintf(stderr, "ringcast cat: waiting for a producer on bus \"%s\"\n", options_.bus.c_str());
    from_oldest_ = true;
    return BusReader::attach(options, stop_.fd(), std::nullopt);
}

/// Adds what this attachment lost; its flows go with the reader.
void CatStream::account() {
    for (const Lane& lane : lanes_) {
        if (lane.flow == nullptr) continue;
        const ReadCounts counts = lane.flow->counts();
        counts_of(lane).overrun += counts.overrun;
        counts_of(lane).aborted += counts.aborted;
    }
    for (Lane& lane : lanes_)
        lane.flow = nullptr;
}

CatStream::Outcome CatStream::follow(BusReader& reader) {
    reader.board().set_state(layout::SinkState::ready);  // nothing has to be opened: a producer that waits may start
    for (;;) {
        const std::uint32_t ticket = reader.ticket();
        // Read before the last look at the flows: what was published earlier is then certainly seen.
        const bool superseded = reader.superseded();
        const bool alive = reader.writer_alive();
        const bool ended = reader.ended();
        open_flows(reader);
        const bool all = lanes_.size() == static_cast<std::size_t>(options_.video) + (options_.audio ? 1 : 0);
        if (!output_ && !lanes_.empty() &&
            (all || ended || !alive || (begin_by_ && steady_clock::now() >= *begin_by_))) {
            start_at(reader);
            begin_output();
        }
        while (output_ && read_next(reader)) {
            if (stop_.requested()) return Outcome::finished;
            if (complete()) return limit_reached();
        }
        if (stop_.requested()) return Outcome::finished;
        if (output_ && complete()) return limit_reached();
        if (ended) return Outcome::finished;
        if (superseded) return Outcome::attach_again;
        if (!alive && !reader.ended()) {
            std::fprintf(stderr,
                         "ringcast cat: the producer of bus \"%s\" is gone without ending the stream; waiting for the "
                         "next one\n",
                         options_.bus.c_str());
            return Outcome::attach_again;
        }
        if (!lanes_.empty() && std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.damaged; }))
            throw VerbError("bus \"" + options_.bus + "\" is damaged: its records cannot be read");
        const bool hurry = (!output_ && begin_by_) || last_lane_;
        reader.wait(ticket, steady_clock::now() + (hurry ? std::chrono::nanoseconds(kBeginPoll)
                                                         : std::chrono::nanoseconds(kLongestWait)));
    }
}

void CatStream::open_flows(BusReader& reader) {
    reader.refresh();
    for (const FlowKind kind : {FlowKind::video, FlowKind::audio}) {
        if (!(kind == FlowKind::video ? options_.video : options_.audio)) continue;
        FlowReader* flow = reader.flow(kind);
        if (flow == nullptr) continue;
        auto lane = std::find_if(lanes_.begin(), lanes_.end(), [&](const Lane& each) { return each.kind == kind; });
        if (lane == lanes_.end()) {
            // A flow that comes after the stream has begun has no place in it.
            if (output_) {
                tell_left_out(kind);
                continue;
            }
            lanes_.push_back({.kind = kind, .flow = flow, .caps = {}});
            if (!begin_by_) begin_by_ = steady_clock::now() + kTrackWait;
        } else if (lane->flow == nullptr) {
            lane->flow = flow;
        }
    }
}

/// The containers name their streams at the start.
void CatStream::tell_left_out(FlowKind kind) {
    if (std::exchange(left_out_.at(static_cast<std::size_t>(kind)), true)) return;
    std::fprintf(stderr,
                 "ringcast cat: the %s flow of bus \"%s\" came after the stream had begun and is left out; start cat "
                 "again to have it\n",
                 std::string(name_of(kind)).c_str(), options_.bus.c_str());
}

/// First attachment: at the newest frame, sound from the same moment; or all that is there.
void CatStream::start_at(BusReader& reader) {
    FlowReader* video = options_.video ? reader.flow(FlowKind::video) : nullptr;
    FlowReader* audio = options_.audio ? reader.flow(FlowKind::audio) : nullptr;
    Record frame;
    if (from_oldest_) return;
    if (video != nullptr) video->seek_newest();
    const bool has_frame = video != nullptr && video->try_peek(frame) == ReadStatus::ok;
    if (audio == nullptr) return;
    if (!has_frame) return audio->seek_newest();
    shift_ns_ = wrapping_difference(0, frame.pts_ns);
    session_ = frame.session;
    Record block;
    for (std::uint64_t looked = 0; looked < audio->slot_count() && audio->try_peek(block) == ReadStatus::ok; ++looked) {
        if (wrapping_sum(block.pts_ns, block.duration_ns) > frame.pts_ns) break;
        audio->try_read([](const Record&) {});
    }
}

void CatStream::begin_output() {
    MediaStreams streams;
    for (Lane& lane : lanes_) {
        Record record;
        const bool has = lane.flow->try_peek(record) == ReadStatus::ok;
        const layout::Caps& caps = has ? record.caps : lane.flow->initial_caps();
        if (lane.kind == FlowKind::video) streams.video = video_format_of(caps, SIZE_MAX);
        if (lane.kind == FlowKind::audio) streams.audio = audio_format_of(caps);
        if (lane.kind == FlowKind::video ? !streams.video : !streams.audio) {
            throw VerbError("the caps of the " + std::string(name_of(lane.kind)) + " flow of bus \"" + options_.bus +
                            "\" are damaged");
        }
        lane.caps = caps;
    }
    output_ = make_media_output(options_.format, streams, out_);
}

/// The lane to read next: in the order of pts within a session, of capture across sessions.
CatStream::Lane* CatStream::earliest() {
    Lane* best = nullptr;
    Record best_record;
    for (Lane& lane : lanes_) {
        if (lane.flow == nullptr || lane.damaged) continue;
        Record record;
        const ReadStatus status = lane.flow->try_peek(record);
        // Reading it counts the loss and finds the next record; reading a damaged one says so.
        if (status == ReadStatus::overrun || status == ReadStatus::damaged) return &lane;
        if (status != ReadStatus::ok) continue;
        const bool same = best != nullptr && best_record.session == record.session;
        const bool earlier =
            same ? record.pts_ns < best_record.pts_ns : record.capture_time_ns < best_record.capture_time_ns;
        if (best == nullptr || earlier) {
            best = &lane;
            best_record = record;
        }
    }
    return best;
}

bool CatStream::read_next(BusReader& reader) {
    Lane* lane = earliest();
    if (lane == nullptr) return false;
    const ReadStatus status = copy_record(*lane->flow, copy_);
    if (status == ReadStatus::damaged) {
        lane->damaged = true;
        std::fprintf(stderr, "ringcast cat: the %s flow of bus \"%s\" is damaged and is not read any more\n",
                     std::string(name_of(lane->kind)).c_str(), options_.bus.c_str());
    }
    if (status == ReadStatus::ok && !lane->done) write(*lane, reader);
    return true;
}

void CatStream::write(Lane& lane, BusReader& reader) {
    check_caps(lane);
    const std::int64_t at_ns = place(lane, copy_.record);
    lane.last_ns = at_ns;
    lane.kind == FlowKind::video ? write_video(lane, at_ns) : write_audio(lane, at_ns);
    if (lane.done && !last_lane_) last_lane_ = steady_clock::now() + kLongestWait;
    show(reader);
}

/// What the container cannot say midway must not change.
void CatStream::check_caps(Lane& lane) {
    const layout::Caps& now = copy_.record.caps;
    const bool same = lane.kind == FlowKind::video ? same_picture(*lane.caps, now) : same_sound(*lane.caps, now);
    const bool may_change = options_.format == MediaFormat::raw || options_.format == MediaFormat::y4m;
    if (same || may_change) return;
    if (output_) output_->finish();
    throw VerbError("the " + std::string(name_of(lane.kind)) + " of bus \"" + options_.bus + "\" changed from " +
                    caps_text(lane.kind, *lane.caps) + " to " + caps_text(lane.kind, now) + ", which one " +
                    std::string(media_name(options_.format)) + " stream cannot carry; run the command again");
}

std::int64_t CatStream::place(const Lane& lane, const Record& record) {
    std::int64_t at_ns = wrapping_sum(record.pts_ns, shift_ns_);
    if (record.session != session_ || at_ns < lane.last_ns) {
        session_ = record.session;
        shift_ns_ = wrapping_difference(horizon_ns_, record.pts_ns);
        at_ns = horizon_ns_;
    }
    return at_ns;
}

void CatStream::write_video(Lane& lane, std::int64_t at_ns) {
    const auto format = video_format_of(copy_.record.caps, copy_.record.payload.size());
    if (!format || at_ns < 0) return;
    CatCounts& counts = counts_of(lane);
    if ((limit_ns_ && at_ns >= *limit_ns_) || (options_.limit_frames && counts.records >= *options_.limit_frames)) {
        lane.done = true;
        return;
    }
    output_->video({.caps = copy_.record.caps, .payload = copy_.record.payload, .pts_ns = at_ns});
    ++counts.records;
    horizon_ns_ = std::max(horizon_ns_, wrapping_sum(at_ns, count_to_ns(1, format->fps)));
    if (options_.limit_frames && counts.records == *options_.limit_frames) {
        lane.done = true;
        limit_ns_ = wrapping_sum(at_ns, count_to_ns(1, format->fps));
    }
}

/// Samples before the start and behind the limit are cut.
void CatStream::write_audio(Lane& lane, std::int64_t at_ns) {
    const auto format = audio_format_of(copy_.record.caps);
    if (!format) return;
    const Rational rate{format->rate, 1};
    const std::uint32_t bytes = sample_bytes(copy_.record.caps);
    std::uint64_t count = copy_.record.payload.size() / bytes;
    std::uint64_t skip = 0;
    if (at_ns < 0) {
        skip = std::min(count, ns_to_count(std::max<std::int64_t>(-INT64_MAX, at_ns) * -1, rate));
        at_ns = 0;
        count -= skip;
    }
    if (limit_ns_) {
        const std::uint64_t end = ns_to_count(*limit_ns_, rate);
        const std::uint64_t begin = std::min(end, ns_to_count(at_ns, rate));
        lane.done = begin + count >= end;
        count = std::min(count, end - begin);
    }
    if (count == 0) return;
    output_->audio({.caps = copy_.record.caps,
                    .payload = copy_.record.payload.subspan(skip * bytes, count * bytes),
                    .pts_ns = at_ns});
    ++counts_of(lane).records;
    horizon_ns_ = std::max(horizon_ns_, wrapping_sum(at_ns, count_to_ns(count, rate)));
}

/// True when every flow has reached the limit, or the one that has not got nothing more for a while.
bool CatStream::complete() const {
    const bool all = std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.done; });
    return !lanes_.empty() && (all || (last_lane_ && steady_clock::now() >= *last_lane_));
}

/// Its own line in `ringcast info`.
void CatStream::show(BusReader& reader) {
    reader.board().set_state(layout::SinkState::live);
    layout::BoardCell* cell = reader.board().cell();
    if (cell == nullptr) return;
    constexpr auto relaxed = std::memory_order_relaxed;
    const std::int64_t now_ns = monotonic_now_ns();
    cell->bytes_sent.store(out_.written(), relaxed);
    cell->lag_ns.store(wrapping_difference(now_ns, copy_.record.capture_time_ns), relaxed);
    cell->output_pts_ns.store(horizon_ns_, relaxed);
    cell->updated_ns.store(now_ns, relaxed);
}

}  // namespace ringcast::tools
