// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producer.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <ctime>
#include <utility>

#include "bus_session.hpp"
#include "names.hpp"
#include "reader_gate.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

constexpr std::uint32_t kBlocksPerSecond = 10;               // an audio block is at most 100 ms
constexpr std::int64_t kPtsLimitNs = std::int64_t{1} << 60;  // 36 years: sums and differences of pts stay in 64 bits

void check_pts(const std::optional<std::int64_t>& pts_ns) {
    if (pts_ns && (*pts_ns > kPtsLimitNs || *pts_ns < -kPtsLimitNs)) {
        throw Error(ErrorCode::invalid_argument, "pts " + std::to_string(*pts_ns) + " ns is outside 36 years around 0");
    }
}

/// pts of the records of one flow: an anchor and exact counting from it.
class PtsCounter {
public:
    explicit PtsCounter(Rational per_second) : per_second_(per_second) {}

    struct Stamp {
        std::int64_t pts_ns;
        std::int64_t duration_ns;
        std::uint32_t flags;
    };
    /// The model says where the next record stands.
    void jump_to(std::int64_t pts_ns) {
        const std::int64_t tolerance = std::max<std::int64_t>(count_to_ns(1, per_second_) / 2, 1'000'000);
        flags_ |= layout::kFlagExplicitPts;
        if (count_ > 0 && std::abs(pts_ns - pts_at(count_)) > tolerance) flags_ |= layout::kFlagDiscontinuity;
        anchor_pts_ns_ = pts_ns;
        anchor_count_ = count_;
    }
    Stamp next(std::uint64_t count) {
        const std::int64_t pts = pts_at(count_);
        count_ += count;
        return {pts, pts_at(count_) - pts, std::exchange(flags_, std::uint32_t{layout::kFlagKey})};
    }
    void start_at(std::int64_t pts_ns) { anchor_pts_ns_ = pts_ns; }
    [[nodiscard]] std::uint64_t count() const { return count_; }

private:
    [[nodiscard]] std::int64_t pts_at(std::uint64_t count) const {
        return anchor_pts_ns_ + count_to_ns(count - anchor_count_, per_second_);
    }
    Rational per_second_;
    std::int64_t anchor_pts_ns_ = 0;
    std::uint64_t anchor_count_ = 0;
    std::uint64_t count_ = 0;
    std::uint32_t flags_ = layout::kFlagKey;
};

/// Wrong formats are told before anything is made.
void check_formats(const ProducerOptions& options) {
    check_bus_name(options.bus);
    if (!options.video && !options.audio) {
        throw Error(ErrorCode::invalid_argument,
                    "bus '" + options.bus + "': neither a video nor an audio format given");
    }
    if (options.video) static_cast<void>(make_caps(*options.video));
    if (options.audio) static_cast<void>(make_caps(*options.audio));
}

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
          gate_(session_.board(), options.reader_timeout),
          fork_generation_(fork_generation()),
          video_pts_(options.video ? options.video->fps : Rational{25, 1}),
          audio_pts_(Rational{options.audio ? options.audio->rate : 48000, 1}),
          on_clock_(!options.video || !options.audio) {}

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
        pace(fields.pts_ns);
        flow.writer.commit(fields);
        session_.wake();
        frames_.store(video_pts_.count(), std::memory_order_relaxed);
    }

    void abort_video() { acquired_ = false; }

    void write_video(std::span<const std::byte> pixels, std::optional<std::int64_t> pts_ns) {
        OwnedFlow& flow = usable_flow(FlowKind::video);
        check_pts(pts_ns);
        if (pixels.size() != frame_bytes(flow.caps)) {
            throw Error(ErrorCode::invalid_argument,
                        "write_video: got " + std::to_string(pixels.size()) + " bytes, a " +
                            std::to_string(flow.caps.width) + "x" + std::to_string(flow.caps.height) + " " +
                            std::string(name_of(static_cast<PixelFormat>(flow.caps.format))) + " frame has " +
                            std::to_string(frame_bytes(flow.caps)));
        }
        const auto slot = acquire_video();
        std::memcpy(slot.data(), pixels.data(), pixels.size());
        commit_video(pts_ns);
    }

    void write_audio(std::span<const std::byte> samples, std::optional<std::int64_t> pts_ns) {
        OwnedFlow& flow = usable_flow(FlowKind::audio);
        check_pts(pts_ns);
        const std::uint32_t sample = sample_bytes(flow.caps);
        if (samples.size() % sample != 0) {
            throw Error(ErrorCode::invalid_argument, "write_audio: " + std::to_string(samples.size()) +
                                                         " bytes is not a whole number of " + std::to_string(sample) +
                                                         "-byte samples");
        }
        start_on_clock(audio_pts_);
        if (pts_ns && !samples.empty()) audio_pts_.jump_to(*pts_ns);
        const std::size_t block = std::size_t{flow.caps.sample_rate / kBlocksPerSecond} * sample;
        while (!samples.empty()) {
            const std::size_t bytes = std::min(block, samples.size());
            write_block(flow, samples.first(bytes), static_cast<std::uint32_t>(bytes / sample));
            samples = samples.subspan(bytes);
        }
    }

    void end() {
        check_not_forked();
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

    /// Separate writers meet on the clock: their first record stands where it was committed.
    void start_on_clock(PtsCounter& pts) const {
        if (on_clock_ && pts.count() == 0) pts.start_at(monotonic_ns() - session_.epoch_ns());
    }

    RecordFields stamp(const OwnedFlow& flow, PtsCounter& pts, std::uint64_t count) const {
        const auto [start, duration, flags] = pts.next(count);
        RecordFields fields;
        fields.pts_ns = start;
        fields.dts_ns = start;
        fields.duration_ns = duration;
        fields.session = session_.session();
        fields.flags = flags;
        fields.caps_generation = 1;
        fields.caps = flow.caps;
        return fields;
    }

    void write_block(OwnedFlow& flow, std::span<const std::byte> samples, std::uint32_t count) {
        RecordFields fields = stamp(flow, audio_pts_, count);
        fields.media_index = audio_pts_.count() - count;
        fields.sample_count = count;
        pace(fields.pts_ns);
        const auto slot = flow.writer.begin(samples.size());
        if (!slot) throw Error(ErrorCode::too_large, "audio block exceeds the ring; raise audio_depth");
        std::memcpy(slot->data(), samples.data(), samples.size());
        flow.writer.commit(fields);
        session_.wake();
        samples_.store(audio_pts_.count(), std::memory_order_relaxed);
    }

    /// paced: not earlier than `lead` before the moment the first record's clock gives this pts.
    void pace(std::int64_t pts_ns) {
        if (options_.mode != WriterMode::paced) return;
        std::int64_t origin = pace_origin_ns_.load(std::memory_order_relaxed);
        if (origin == 0) {
            const std::int64_t now = monotonic_ns() - pts_ns;
            origin = pace_origin_ns_.compare_exchange_strong(origin, now) ? now : origin;
        }
        const std::int64_t due = origin + pts_ns - options_.lead.count();
        const timespec until{due / 1'000'000'000, due % 1'000'000'000};
        if (due > monotonic_ns()) ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    }

    ProducerOptions options_;
    BusSession session_;
    ReaderGate gate_;
    std::uint32_t fork_generation_;
    PtsCounter video_pts_;
    PtsCounter audio_pts_;
    bool on_clock_;
    bool acquired_ = false;
    std::atomic<bool> ended_{false};
    std::atomic<std::int64_t> pace_origin_ns_{0};
    std::atomic<std::uint64_t> frames_{0};
    std::atomic<std::uint64_t> samples_{0};
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
