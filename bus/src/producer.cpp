// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producer.hpp"

#include <algorithm>
#include <utility>

#include "audio_feed.hpp"
#include "bus_session.hpp"
#include "flushed_speech.hpp"
#include "pacer.hpp"
#include "packet_writer.hpp"
#include "producer_checks.hpp"
#include "pts_counter.hpp"
#include "reader_gate.hpp"
#include "ring_copy.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

constexpr std::chrono::seconds kMovePatience{1};
constexpr std::uint32_t kBlocksPerSecond = 10;  // an audio block is at most 100 ms

/// A producer that could not open leaves no lock files behind (a living rival's stay).
void remove_traces(const std::string& bus) noexcept {
    try {
        clean_buses(bus, false);
    } catch (const std::exception&) {
        // Another user's files; the error on its way to the caller says so.
    }
}

}  // namespace

class Producer::Impl {
public:
    explicit Impl(const ProducerOptions& options)
        : options_(options),
          session_(options),
          gate_(session_.board(), session_.header(), options.reader_timeout),
          packets_(options.bus, [this](const RecordFields& fields,
                                       std::span<const std::byte> data) { publish(FlowKind::packets, fields, data); }),
          fork_generation_(fork_generation()),
          video_pts_(options.video ? options.video->fps : Rational{25, 1}),
          audio_pts_(Rational{options.audio ? options.audio->rate : 48000, 1}),
          on_clock_(!options.video || !options.audio),
          pacer_(options, feed_),
          feed_({options.bus, options.mode, audio_depth(), options.lead, options.video.has_value()},
                [this](const RecordFields& fields, std::span<const std::byte> samples) {
                    publish_audio(fields, samples);
                }) {
        for (std::size_t kind = 0; kind < layout::kFlowCount; ++kind)
            expect_readers_of(static_cast<FlowKind>(kind));
    }

    std::span<std::byte> acquire_video() {
        OwnedFlow& flow = usable_flow(FlowKind::video);
        if (acquired_)
            throw Error(ErrorCode::invalid_argument, "a frame is acquired already: commit or abort it first");
        const std::uint64_t bytes = frame_bytes(flow.caps);
        if (options_.mode == WriterMode::lossless) gate_.wait(FlowKind::video, flow.writer.tail_after(bytes));
        const auto slot = flow.writer.begin(bytes);
        if (!slot) throw Error(ErrorCode::too_large, "frame of " + std::to_string(bytes) + " bytes exceeds the ring");
        acquired_ = true;
        return *slot;
    }

    void commit_video(std::optional<std::int64_t> pts_ns) {
        OwnedFlow& flow = usable_flow(FlowKind::video);
        if (!acquired_) throw Error(ErrorCode::invalid_argument, "commit_video without acquire_video");
        check_pts(pts_ns);
        acquired_ = false;
        start_on_clock(video_pts_);
        if (pts_ns) video_pts_.jump_to(*pts_ns);
        RecordFields fields = stamp(flow, video_pts_, 1);
        fields.media_index = video_pts_.count() - 1;
        fields.session = session_.session();
        pacer_.wait(fields.pts_ns);
        flow.writer.commit(fields);
        session_.wake();
        frames_.store(video_pts_.count(), std::memory_order_relaxed);
        next_video_pts_.store(video_pts_.next_pts(), std::memory_order_relaxed);
        feed_.video_reached(fields.pts_ns + fields.duration_ns);
    }

    void abort_video() { acquired_ = false; }

    void write_video(std::span<const std::byte> pixels, std::optional<std::int64_t> pts_ns) {
        OwnedFlow& flow = usable_flow(FlowKind::video);
        check_pts(pts_ns);
        check_frame_size(pixels.size(), flow.caps);
        const auto slot = acquire_video();
        copy_into_ring(slot.data(), pixels.data(), pixels.size());
        commit_video(pts_ns);
    }

    void write_video(const FrameView& frame, std::optional<std::int64_t> pts_ns) {
        const layout::Caps& caps = usable_flow(FlowKind::video).caps;
        check_pts(pts_ns);
        check_planes(frame, caps);
        const auto slot = acquire_video();
        copy_frame_into_ring(slot.data(), frame, caps);
        commit_video(pts_ns);
    }

    void write_audio(std::span<const std::byte> samples, std::optional<std::int64_t> pts_ns) {
        OwnedFlow& flow = usable_flow(FlowKind::audio);
        check_pts(pts_ns);
        const std::uint32_t sample = sample_bytes(flow.caps);
        check_whole_samples(samples.size(), sample);
        feed_.check_room(std::chrono::nanoseconds(count_to_ns(samples.size() / sample, {flow.caps.sample_rate, 1})));
        start_on_clock(audio_pts_);
        flushed_speech_.go_on(audio_pts_, options_.video.has_value());
        if (pts_ns && !samples.empty()) audio_pts_.jump_to(*pts_ns);
        const std::size_t block = std::size_t{flow.caps.sample_rate / kBlocksPerSecond} * sample;
        while (!samples.empty()) {
            const std::size_t bytes = std::min(block, samples.size());
            const auto count = static_cast<std::uint32_t>(bytes / sample);
            RecordFields fields = stamp(flow, audio_pts_, count);
            fields.media_index = audio_pts_.count() - count;
            fields.sample_count = count;
            pacer_.begin(fields.pts_ns);
            feed_.push(fields, samples.first(bytes));
            samples = samples.subspan(bytes);
        }
        samples_.store(audio_pts_.count(), std::memory_order_relaxed);
        next_audio_pts_.store(audio_pts_.next_pts(), std::memory_order_relaxed);
    }
    [[nodiscard]] std::chrono::nanoseconds audio_waiting() const {
        check_not_forked();
        return feed_.waiting();
    }

    void set_video_format(const VideoFormat& format) {
        static_cast<void>(usable_flow(FlowKind::video));
        if (acquired_) throw Error(ErrorCode::invalid_argument, "a frame is acquired: commit or abort it first");
        ProducerOptions change;
        change.bus = options_.bus;
        change.video = format;
        change.video_depth = options_.video_depth;
        session_.change_format(FlowKind::video, change, true);
        expect_readers_of(FlowKind::video);
        video_pts_.change_rate(format.fps);
    }

    void set_audio_format(const AudioFormat& format) {
        static_cast<void>(usable_flow(FlowKind::audio));
        ProducerOptions change;
        change.bus = options_.bus;
        change.audio = format;
        change.audio_depth = options_.audio_depth;
        flushed_speech_.go_on(audio_pts_, options_.video.has_value());
        // In the old format, for which a smaller ring is too small.
        const bool waits = feed_.waiting().count() > 0;
        const auto paused = feed_.pause();
        session_.change_format(FlowKind::audio, change, !waits);
        feed_.set_depth(audio_depth());
        expect_readers_of(FlowKind::audio);
        audio_pts_.change_rate({format.rate, 1});
    }

    void set_packet_stream(const PacketStream& stream) {
        static_cast<void>(usable_flow(FlowKind::packets));
        packets_.set_stream(stream);
    }

    void write_packet(const PacketView& packet) {
        static_cast<void>(usable_flow(FlowKind::packets));
        check_pts(packet.pts_ns);
        check_pts(packet.dts_ns);
        packets_.check(packet);
        pacer_.wait(packet.dts_ns);
        packets_.write(packet);
    }

    void write_event(std::string_view json, std::optional<std::int64_t> pts_ns) {
        static_cast<void>(usable_flow(FlowKind::events));
        check_pts(pts_ns);
        check_event_size(json.size());
        RecordFields fields;
        fields.pts_ns = fields.dts_ns = pts_ns.value_or(here());
        fields.media_index = events_++;
        fields.flags = layout::kFlagKey | (pts_ns ? std::uint32_t{layout::kFlagExplicitPts} : 0U);
        publish(FlowKind::events, fields, std::as_bytes(std::span(json)));
    }

    void flush() {
        check_not_forked();
        if (ended_) throw Error(ErrorCode::ended, "bus '" + options_.bus + "': end() was called");
        flushed_speech_.note(feed_.clear(), next_video_pts_);
        const auto paused = feed_.pause();
        session_.flush();
    }

    void end() {
        check_not_forked();
        if (!ended_) feed_.drain();
        // The names go with the end: who has not opened an object that replaced another would never see it.
        if (!ended_ && session_.has_superseded()) {
            gate_.wait_moved(options_.mode == WriterMode::lossless ? options_.reader_timeout : kMovePatience);
        }
        session_.end();
        ended_ = true;
    }

    [[nodiscard]] bool is_parents() const { return fork_generation_ != fork_generation(); }
    [[nodiscard]] const ReaderGate& gate() const {
        check_not_forked();
        return gate_;
    }
    [[nodiscard]] std::uint64_t session() const { return session_.session(); }
    [[nodiscard]] std::uint64_t frames() const { return frames_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t samples() const { return samples_.load(std::memory_order_relaxed); }
    [[nodiscard]] const std::string& warning() const { return session_.warning(); }

private:
    void check_not_forked() const {
        if (is_parents()) {
            throw Error(ErrorCode::forked, "bus '" + options_.bus +
                                               "': this producer belongs to the parent process; open the bus after "
                                               "fork(), in the process that writes");
        }
    }

    OwnedFlow& usable_flow(FlowKind kind) {
        check_not_forked();
        if (ended_) throw Error(ErrorCode::ended, "bus '" + options_.bus + "': end() was called");
        OwnedFlow* flow = session_.flow(kind);
        if (flow == nullptr) {
            throw Error(ErrorCode::invalid_argument,
                        "bus '" + options_.bus + "' was opened without a " + std::string(name_of(kind)) + " flow");
        }
        return *flow;
    }

    void expect_readers_of(FlowKind kind) {
        const OwnedFlow* flow = session_.flow(kind);
        if (flow != nullptr) gate_.expect(kind, flow_object_id(*flow->object.as<layout::FlowHeader>()));
    }

    [[nodiscard]] std::chrono::nanoseconds audio_depth() {
        const OwnedFlow* flow = session_.flow(FlowKind::audio);
        return std::chrono::nanoseconds(flow == nullptr ? 0 : flow->depth_ns);
    }

    /// Separate writers meet on the clock: their first record stands where it was committed.
    void start_on_clock(PtsCounter& pts) const {
        if (on_clock_ && pts.count() == 0) pts.start_at(monotonic_ns() - session_.epoch_ns());
    }

    /// Where an event without pts stands.
    [[nodiscard]] std::int64_t here() const {
        if (options_.video) return next_video_pts_.load(std::memory_order_relaxed);
        if (options_.audio) return next_audio_pts_.load(std::memory_order_relaxed);
        return monotonic_ns() - session_.epoch_ns();
    }

    static RecordFields stamp(const OwnedFlow& flow, PtsCounter& pts, std::uint64_t count) {
        const auto [start, duration, flags] = pts.next(count);
        RecordFields fields;
        fields.pts_ns = start;
        fields.dts_ns = start;
        fields.duration_ns = duration;
        fields.flags = flags;
        fields.caps_generation = flow.caps_generation;
        fields.caps = flow.caps;
        return fields;
    }

    /// Called by the feed, one block after the other, from whichever thread comes to it.
    void publish_audio(const RecordFields& fields, std::span<const std::byte> samples) {
        // A ring shallower than two blocks takes shorter ones.
        const std::uint32_t sample = sample_bytes(fields.caps);
        const std::size_t most = session_.flow(FlowKind::audio)->writer.largest_record() / sample * sample;
        RecordFields part = fields;
        for (std::size_t done = 0; done < samples.size(); done += most) {
            const auto bytes = samples.subspan(done, std::min(most, samples.size() - done));
            const Rational rate{fields.caps.sample_rate, 1};
            const std::int64_t begin = count_to_ns(done / sample, rate);
            part.pts_ns = part.dts_ns = fields.pts_ns + begin;
            part.duration_ns = count_to_ns((done + bytes.size()) / sample, rate) - begin;
            part.media_index = fields.media_index + done / sample;
            part.sample_count = static_cast<std::uint32_t>(bytes.size() / sample);
            publish(FlowKind::audio, bytes.size() == samples.size() ? fields : part, bytes);
            part.flags = layout::kFlagKey;
        }
    }

    /// One record of an own flow. Lossless: once nobody wants what it overwrites; of sound that hardly ever waits, as
    /// sinks take it out of the ring at once, whatever the picture does, and the feed writes no more than they hold.
    void publish(FlowKind kind, const RecordFields& fields, std::span<const std::byte> payload) {
        OwnedFlow& flow = *session_.flow(kind);
        if (options_.mode == WriterMode::lossless) gate_.wait(kind, flow.writer.tail_after(payload.size()));
        session_.write(flow, fields, payload);
    }

    ProducerOptions options_;
    BusSession session_;
    ReaderGate gate_;
    PacketWriter packets_;
    std::uint32_t fork_generation_;
    PtsCounter video_pts_;
    PtsCounter audio_pts_;
    bool on_clock_;
    bool acquired_ = false;
    std::uint64_t events_ = 0;
    std::atomic<bool> ended_{false};
    FlushedSpeech flushed_speech_;
    Pacer pacer_;
    std::atomic<std::int64_t> next_video_pts_{0};
    std::atomic<std::int64_t> next_audio_pts_{0};
    std::atomic<std::uint64_t> frames_{0};
    std::atomic<std::uint64_t> samples_{0};
    AudioFeed feed_;  // last: its thread uses what stands above
};

Producer::Producer(const ProducerOptions& options) {
    check_formats(options);
    try {
        impl_ = std::make_unique<Impl>(options);
    } catch (...) {
        remove_traces(options.bus);
        throw;
    }
}
Producer::~Producer() {
    // In a forked child the rings are not mapped and the locks are closed: there is nothing to take down, and unmapping
    // could hit what the child has mapped there since.
    if (impl_ && impl_->is_parents()) static_cast<void>(impl_.release());
}
Producer::Producer(Producer&&) noexcept = default;
Producer& Producer::operator=(Producer&& other) noexcept {
    std::swap(impl_, other.impl_);
    return *this;
}

void Producer::write_video(std::span<const std::byte> pixels, std::optional<std::int64_t> pts_ns) {
    impl_->write_video(pixels, pts_ns);
}
void Producer::write_video(const FrameView& frame, std::optional<std::int64_t> pts_ns) {
    impl_->write_video(frame, pts_ns);
}
std::span<std::byte> Producer::acquire_video() {
    return impl_->acquire_video();
}
void Producer::commit_video(std::optional<std::int64_t> pts_ns) {
    impl_->commit_video(pts_ns);
}
void Producer::abort_video() {
    impl_->abort_video();
}
void Producer::write_audio(std::span<const std::byte> samples, std::optional<std::int64_t> pts_ns) {
    impl_->write_audio(samples, pts_ns);
}
std::chrono::nanoseconds Producer::audio_waiting() const {
    return impl_->audio_waiting();
}
void Producer::set_video_format(const VideoFormat& format) {
    impl_->set_video_format(format);
}
void Producer::set_audio_format(const AudioFormat& format) {
    impl_->set_audio_format(format);
}
void Producer::set_packet_stream(const PacketStream& stream) {
    impl_->set_packet_stream(stream);
}
void Producer::write_packet(const PacketView& packet) {
    impl_->write_packet(packet);
}
void Producer::write_event(std::string_view json, std::optional<std::int64_t> pts_ns) {
    impl_->write_event(json, pts_ns);
}
void Producer::flush() {
    impl_->flush();
}
void Producer::end() {
    impl_->end();
}
unsigned Producer::ready_readers() const {
    return impl_->gate().ready_readers();
}
bool Producer::wait_readers(unsigned count, std::chrono::nanoseconds timeout) const {
    return impl_->gate().wait_ready(count, timeout);
}
std::uint64_t Producer::session() const noexcept {
    return impl_->session();
}
std::uint64_t Producer::frames_written() const noexcept {
    return impl_->frames();
}
std::uint64_t Producer::samples_written() const noexcept {
    return impl_->samples();
}
std::string Producer::warning() const {
    return impl_->warning();
}

}  // namespace ringcast
