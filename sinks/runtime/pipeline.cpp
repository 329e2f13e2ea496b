// SPDX-License-Identifier: Apache-2.0
#include "runtime/pipeline.hpp"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ringcast/error.hpp"
#include "runtime/passed_video.hpp"

namespace ringcast::runtime {

using std::chrono::steady_clock;

namespace {

constexpr std::uint32_t kLosslessWriter = 2;  // BusHeader::writer_mode
constexpr std::chrono::milliseconds kPublishEvery{250};
constexpr std::chrono::milliseconds kLookForRoom{100};
constexpr Size kSlateSize{1280, 720};
constexpr Rational kSlateRate{25, 1};

std::string describe(const PassedStreams& passed, const FlowReader* video, const FlowReader* audio) {
    std::string text;
    if (passed.video) {
        const PacketFormat& format = passed.video->format;
        text += std::string(name_of(format.codec)) + " packets " + std::to_string(format.width) + "x" +
                std::to_string(format.height) + ", sent as they are";
    } else if (video != nullptr) {
        const auto format = video_format_of(video->initial_caps(), SIZE_MAX);
        if (format) {
            text += std::to_string(format->width) + "x" + std::to_string(format->height) + " " +
                    std::string(name_of(format->format)) + " " + format_fps(format->fps) + " fps";
        }
    } else {
        text += "no video yet";
    }
    if (passed.audio) {
        const std::string codec(name_of(passed.audio->format.codec));
        return text + ", " + codec + (passed.video ? " alike" : " packets, sent as they are");
    }
    if (audio == nullptr) return text + ", no audio yet";
    if (const auto format = audio_format_of(audio->initial_caps())) {
        text += ", " + std::to_string(format->rate) + " Hz " + std::string(name_of(format->format)) + " x" +
                std::to_string(format->channels);
    }
    return text;
}

/// Between two pictures of a slow producer nothing is missing. One that comes less often than each second is waited for
/// no longer than one that comes each second.
std::uint32_t ticks_of_a_picture(Rational input, Rational output) {
    const std::uint64_t ticks = std::uint64_t{output.num} * input.den;
    const std::uint64_t pictures = std::uint64_t{output.den} * input.num;
    const std::uint64_t most = std::max<std::uint64_t>(output.num / output.den, 1);
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>((ticks + pictures / 2) / pictures, 1, most));
}

/// A lossless writer must not wait for this sink in flows it does not read.
PipelineOptions reading_media(PipelineOptions options) {
    options.reader.flows = {true, true, true, false};
    return options;
}

OutputThreadOptions output_thread_options(const PipelineOptions& options) {
    OutputThreadOptions made;
    made.queue.drops = options.sink.sends_live();
    made.queue.capacity = options.sink.queue.value_or(made.queue.capacity);
    // A quarter is left for what is under way in the network, which nobody can take back.
    if (made.queue.drops) made.queue.capacity = made.queue.capacity * 3 / 4;
    made.retry = options.retry;
    return made;
}

}  // namespace

Pipeline::Pipeline(PipelineOptions options, Output& output, std::shared_ptr<spdlog::logger> log)
    : options_(reading_media(std::move(options))),
      output_(output),
      log_(std::move(log)),
      stop_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      output_thread_(
          output, log_, output_thread_options(options_),
          [this] {
              if (output_failed()) end_waits();
              wake();
          },
          [this] { request_keyframe(); }) {
    if (stop_fd_ < 0) throw Error(ErrorCode::system, std::string("eventfd: ") + std::strerror(errno));
}

Pipeline::~Pipeline() {
    close(stop_fd_);
}

void Pipeline::request_stop() {
    stop_.store(true, std::memory_order_release);
    end_waits();
    wake();
    // Only a peer that is away is given up; one that takes packets gets the rest and a proper end.
    output_thread_.give_up(false);
}

/// No wait for a bus any more, now or later: the sink is told to stop, or its output has failed.
void Pipeline::end_waits() {
    const std::uint64_t one = 1;
    static_cast<void>(!write(stop_fd_, &one, sizeof one));  // full means it is set already
}

void Pipeline::warn(std::string text) {
    {
        const std::scoped_lock lock(bus_mutex_);
        warning_ = std::move(text);
    }
    wake();
}

void Pipeline::wake() {
    const std::scoped_lock lock(bus_mutex_);
    if (bus_) bus_->interrupt();
}

bool Pipeline::run() {
    bool done = false;
    try {
        done = run_sessions();
    } catch (const std::exception& error) {
        log_->error("{}", error.what());
        figures_.output.state = OutputState::failed;
        figures_.output.reason = error.what();
        if (board_) board_->publish(figures_, nullptr);
        static_cast<void>(output_thread_.finish());
    }
    leave_bus();
    totals_.bytes_sent = output_.bytes_sent();
    return done;
}

/// With an output held open after an end, its clock goes on meanwhile.
std::unique_ptr<BusReader> Pipeline::wait_for_bus() {
    for (;;) {
        const auto due = part_ ? part_->next_due_ns() : std::nullopt;
        std::optional<steady_clock::time_point> deadline;
        if (due) deadline = steady_clock::time_point(std::chrono::nanoseconds(*due));
        // What is due may be long past then, and room in the queue ends no wait for a bus.
        if (due && output_thread_.queue().is_full()) deadline = steady_clock::now() + kLookForRoom;
        auto bus = BusReader::attach(options_.reader, stop_fd_, deadline);
        if (bus || !due || is_stopping() || output_failed()) return bus;
        keep_time();
        if (part_->gave_up()) static_cast<void>(end_given_up());  // a failure shows in output_failed()
    }
}

bool Pipeline::run_sessions() {
    const StallScreen& show = options_.sink.stall_show;
    if (show.kind == StallScreen::Kind::slate) stall_slate_ = load_picture(show.file);
    bool waiting_said = false;
    while (!is_stopping() && !output_failed()) {
        // As soon as there is something to wait for: a port in use or a file in the way shows now, not with the bus.
        output_thread_.open();
        auto bus = BusReader::try_attach(options_.reader);
        if (!bus) {
            if (!std::exchange(waiting_said, true)) log_->info("waiting for bus {}", options_.reader.bus);
            bus = wait_for_bus();
            if (!bus) break;
        }
        waiting_said = false;
        {
            const std::scoped_lock lock(bus_mutex_);
            bus_ = std::move(bus);
        }
        const SessionEnd end = run_session();
        if (end == SessionEnd::moved_on || (end == SessionEnd::ended && holds_after_end())) {
            leave_bus();
            continue;
        }
        const bool whole = close_part(end);
        leave_bus();
        if (!whole || end == SessionEnd::failed) return false;
        if (end == SessionEnd::stopped || options_.once) return true;
    }
    return close_part(SessionEnd::stopped);
}

Pipeline::SessionEnd Pipeline::run_session() {
    board_.emplace(bus_->board(), output_.notes());
    figures_.record_seen = false;
    figures_.producer_gone = false;
    figures_.ended = false;
    was_ready_ = packets_came_ = false;
    leave_unfit_part();
    // What an output that goes on passes on is described only once.
    if (!passes_packets()) packets_ = {};
    if (!part_) {
        figures_.timeline = {};
        figures_.encoders_open = false;
        if (!wait_for_flows()) {
            if (output_failed()) return SessionEnd::failed;
            return is_stopping() ? SessionEnd::stopped : SessionEnd::moved_on;
        }
        open_part(true);
    }
    return read_session();
}

/// After a stall with stall_show=stop the next record begins an output of its own.
Pipeline::SessionEnd Pipeline::read_session() {
    for (;;) {
        begin_reading();
        const SessionEnd end = read_until_end();
        if (end != SessionEnd::gave_up && end != SessionEnd::changed) return end;
        if (end == SessionEnd::changed && packets_came_) {
            log_->info("bus {}: the producer gives packets now: a new output", options_.reader.bus);
            packets_came_ = false;
        } else if (end == SessionEnd::changed) {
            log_->info("bus {}: the packets are coded in another way from here on: a new output", options_.reader.bus);
            take_next_streams();
        }
        const bool whole = end == SessionEnd::gave_up ? end_given_up() : close_part(end);
        if (!whole) return SessionEnd::failed;
        if (!wait_for_record()) {
            if (is_stopping()) return SessionEnd::stopped;
            return bus_->ended() ? SessionEnd::ended : SessionEnd::moved_on;
        }
        open_part(false);
    }
}

/// With stall_show=stop: the output ends. False when it could not be made whole.
bool Pipeline::end_given_up() {
    log_->warn("bus {}: nothing came for {} s: the output ends until something comes", options_.reader.bus,
               std::chrono::duration_cast<std::chrono::seconds>(options_.sink.stall_timeout).count());
    if (passes_packets()) take_next_streams();
    return close_part(SessionEnd::gave_up);
}

bool Pipeline::wait_for_record() {
    // Raw sound is left out where both tracks come as packets.
    const bool has_raw_track = !passes_ || !passes_sound_;
    for (;;) {
        const std::uint32_t ticket = bus_->ticket();
        const bool over = bus_->ended() || bus_->superseded();
        bus_->refresh();
        for (FlowReader* flow : {video_flow(), has_raw_track ? sound_flow() : nullptr}) {
            Record record;
            if (flow != nullptr && flow->try_peek(record) == ReadStatus::ok) return true;
        }
        if (over || is_stopping()) return false;
        bus_->wait(ticket, steady_clock::now() + kLookAround);
    }
}

/// Returns false when the bus went away, the output failed or the sink was stopped before there was anything to show.
bool Pipeline::wait_for_flows() {
    constexpr auto kNone = steady_clock::time_point::max();
    auto deadline = kNone;  // of the track that is not there
    bus_->refresh();
    was_ready_ = !has_records();
    bool announced = false;
    for (;;) {
        const std::uint32_t ticket = bus_->ticket();
        const bool over = bus_->ended() || bus_->superseded();
        bus_->refresh();
        // Nothing has to be opened for packets, and a producer that waits for its readers has not written any yet.
        if (!look_for_packets() && awaits_packets()) {
            was_ready_ = figures_.encoders_open = true;
            if (!std::exchange(announced, true)) board_->announce_ready();
        }
        Record record;
        const bool sound_only = bus_->flow(FlowKind::audio) != nullptr && bus_->flow(FlowKind::packets) == nullptr;
        const bool lacks_sound = awaits_sound();
        const bool lacks = sound_only || (lacks_sound && video_flow()->try_peek(record) == ReadStatus::ok);
        if (!lacks) deadline = kNone;
        if (lacks && deadline == kNone) deadline = steady_clock::now() + options_.sink.track_wait;
        const bool give_up = lacks && (over || steady_clock::now() >= deadline);
        publish();
        if (output_failed()) return false;
        if ((!lacks_sound || give_up) && choose_format(give_up)) return true;
        if (over || is_stopping()) return false;
        bus_->wait(ticket, lacks ? deadline : steady_clock::now() + kLookAround);
    }
}

/// Nothing when the picture's size and rate are not known yet. Sound needs no waiting: its output format is an option.
std::optional<OutputFormat> Pipeline::choose_format(bool give_up_on_video) {
    std::optional<Size> size = options_.sink.video.size;
    std::optional<Rational> fps = options_.sink.video.fps;
    std::int64_t ring_ns = 0;
    std::uint32_t ticks_per_picture = 1;
    Record oldest;
    FlowReader* video = video_flow();
    const bool has_record = video != nullptr && video->try_peek(oldest) == ReadStatus::ok;
    if (passes_) {
        const PacketFormat& input = packets_.video->format;
        size = Size{input.width, input.height};
        fps = PassedVideo::ticks_of(packets_);
        ticks_per_picture = PassedVideo::kTicksPerPicture;
    } else if (video != nullptr) {
        const auto input = video_format_of(has_record ? oldest.caps : video->initial_caps(), SIZE_MAX);
        if (!input) throw Error(ErrorCode::damaged, "bus " + options_.reader.bus + ": video caps are not valid");
        if (!size) size = VideoConverter::even_size({input->width, input->height});
        if (!fps) fps = input->fps;
        ticks_per_picture = ticks_of_a_picture(input->fps, *fps);
        ring_ns = static_cast<std::int64_t>(video->depth_ns());
    } else if (give_up_on_video) {
        if (!size) size = kSlateSize;
        if (!fps) fps = kSlateRate;
    }
    if (!size || !fps) return std::nullopt;
    const bool both_there = video != nullptr && (passes_sound_ || bus_->flow(FlowKind::audio) != nullptr);
    return OutputFormat{*size, *fps, ring_ns, passed_streams(), ticks_per_picture, both_there && gets_every_record()};
}

/// The writer waits for this sink.
bool Pipeline::gets_every_record() const {
    return options_.reader.lossless && bus_->writer_mode() == kLosslessWriter;
}

void Pipeline::open_part(bool joins) {
    const OutputFormat format = choose_format(true).value();
    part_ = std::make_unique<Part>(options_.sink, format,
                                   [this](Packet&& packet) { output_thread_.queue().push(std::move(packet)); });
    // Encoders take their time to open: what is newest is known only now.
    if (joins) seek_start();
    part_->set_epoch_realtime(bus_->epoch_realtime_ns() + first_pts_ns());
    if (stall_slate_) part_->set_stall_slate(*stall_slate_);
    figures_.encoders_open = true;
    figures_.note = part_->note();
    figures_.bytes_before = output_.bytes_sent();
    log_->info("bus {}: {}; output {}x{} {} fps", options_.reader.bus,
               describe(format.passed, bus_->flow(FlowKind::video), bus_->flow(FlowKind::audio)), format.size.width,
               format.size.height, format_fps(part_->streams().front().fps));
    if (passes_sound_ && has_samples())
        log_->warn("bus {}: the sound comes as packets; the raw sound is left out", options_.reader.bus);
    output_thread_.begin(part_->streams());
    ++totals_.outputs;
}

/// Ends the output that is open, if any; false when it could not be made whole.
bool Pipeline::close_part(SessionEnd why) {
    if (!part_) return output_thread_.finish();
    if (!output_failed()) {
        if (why == SessionEnd::stopped)
            part_->stop();
        else
            part_->finish();
        while (part_->step()) {
        }
    }
    const bool whole = output_thread_.finish();
    figures_.ended = true;
    if (board_) publish();
    const TimelineCounters counters = part_->counters();
    totals_.frames_encoded += counters.frames;
    totals_.frames_repeated += counters.repeated_frames;
    totals_.frames_dropped += counters.dropped_frames;
    totals_.output_ns += part_->output_end_ns();
    part_.reset();
    figures_.encoders_open = false;
    return whole;
}

void Pipeline::leave_bus() {
    if (!bus_) return;
    if (const FlowReader* video = video_flow()) {
        totals_.frames_read += video->counts().delivered;
        totals_.frames_overrun += video->counts().overrun;
        totals_.frames_aborted += video->counts().aborted;
    }
    if (const FlowReader* audio = sound_flow()) {
        totals_.audio_blocks_lost += audio->counts().overrun + audio->counts().aborted;
    }
    board_.reset();
    const std::scoped_lock lock(bus_mutex_);
    bus_.reset();
}

void Pipeline::publish() {
    figures_.output = output_thread_.view();
    figures_.bytes_sent = output_.bytes_sent();
    figures_.queue_ns = output_thread_.queue().media_time().count();
    if (part_) figures_.timeline = part_->counters();
    figures_.stalled = part_ && part_->is_stalled();
    {
        const std::scoped_lock lock(bus_mutex_);
        figures_.warning = warning_;
    }
    next_publish_ = steady_clock::now() + kPublishEvery;
    if (board_) board_->publish(figures_, part_ ? &part_->encode_times() : nullptr);
}

}  // namespace ringcast::runtime
