// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ringcast/reader.hpp"
#include "runtime/board_figures.hpp"
#include "runtime/output_thread.hpp"
#include "runtime/part.hpp"
#include "runtime/sink_options.hpp"

namespace ringcast::runtime {

struct PipelineOptions {
    ReaderOptions reader;
    SinkOptions sink;
    bool once = false;  ///< return at the first end of stream instead of waiting for the next producer
    RetryPolicy retry;
};

/// Over the whole life of the sink.
struct PipelineTotals {
    std::uint64_t frames_read = 0;
    std::uint64_t frames_encoded = 0;
    std::uint64_t frames_repeated = 0;
    std::uint64_t frames_dropped = 0;
    std::uint64_t frames_overrun = 0;
    std::uint64_t frames_aborted = 0;
    std::uint64_t audio_blocks_lost = 0;
    std::int64_t output_ns = 0;
    std::uint64_t bytes_sent = 0;
    unsigned outputs = 0;  ///< that were open for records
};

/// One sink from bus to plugin: connects, waits for a bus, reads, encodes, hands over, and lives through ends, deaths
/// and restarts of the producer.
///
/// Threads: run() is the pipeline thread; the sink thread inside calls the Output. Every other call: any thread.
class Pipeline {
public:
    Pipeline(PipelineOptions options, Output& output, std::shared_ptr<spdlog::logger> log);
    ~Pipeline();
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    /// Until end of stream (with `once`), request_stop() or failure. False: failed, the reason is logged.
    bool run();

    /// Finish what was read, close the output, return from run().
    void request_stop();
    /// Shown beside the state while the sink runs; empty: no more.
    void warn(std::string text);
    /// OutputThread::replace_options().
    void replace_options(OutputThread::Values options, OutputThread::Replaced done) {
        output_thread_.replace_options(std::move(options), std::move(done));
    }
    /// After request_stop(): do not wait for the peer any longer.
    void interrupt_output() { output_thread_.give_up(true); }
    void request_keyframe() { keyframe_wanted_.store(true, std::memory_order_relaxed); }

    [[nodiscard]] PipelineTotals totals() const { return totals_; }  ///< after run()

private:
    /// Liveness has no wake, so it is looked at this often.
    static constexpr std::chrono::seconds kLookAround{1};

    enum class SessionEnd { ended, moved_on, stopped, failed, gave_up, changed };

    bool run_sessions();
    std::unique_ptr<BusReader> wait_for_bus();
    SessionEnd run_session();
    SessionEnd read_session();
    bool end_given_up();
    bool wait_for_record();
    bool wait_for_flows();
    void open_part(bool joins);
    [[nodiscard]] std::optional<OutputFormat> choose_format(bool give_up_on_video);
    [[nodiscard]] FlowKind video_kind() const { return passes_ ? FlowKind::packets : FlowKind::video; }
    [[nodiscard]] FlowKind sound_kind() const { return passes_sound_ ? FlowKind::packets : FlowKind::audio; }
    [[nodiscard]] FlowReader* video_flow() const { return bus_->flow(video_kind()); }
    [[nodiscard]] FlowReader* sound_flow() const;
    [[nodiscard]] bool has_samples() const;
    [[nodiscard]] bool has_records() const;
    bool look_for_packets();
    [[nodiscard]] bool awaits_packets() const;
    [[nodiscard]] bool awaits_sound() const;
    [[nodiscard]] PassedStreams passed_streams() const;
    [[nodiscard]] bool passes_packets() const { return part_ && (passes_ || passes_sound_); }
    void take_next_streams();
    void leave_unfit_part();
    void discard_packets();
    [[nodiscard]] bool gets_every_record() const;
    [[nodiscard]] bool is_late() const;
    void seek_start();
    void leave_out_old_sound();
    [[nodiscard]] std::int64_t first_pts_ns() const;
    void begin_reading();
    void await_output();
    SessionEnd read_until_end();
    bool read_available();
    bool keep_time();
    bool step();
    void take_flush();
    bool copy_audio();
    bool feed_one();
    bool read_video();
    [[nodiscard]] bool may_tell_audio(const std::optional<Record>& video) const;
    void on_damage(FlowKind kind);
    void idle(std::uint32_t ticket);
    bool close_part(SessionEnd why);
    void leave_bus();
    void publish();
    void wake();
    void end_waits();
    /// The next producer goes on in the same output.
    [[nodiscard]] bool holds_after_end() const { return options_.sink.on_end == OnEnd::hold && !options_.once; }
    [[nodiscard]] bool is_stopping() const { return stop_.load(std::memory_order_acquire); }
    [[nodiscard]] bool output_failed() const { return output_thread_.view().state == OutputState::failed; }

    const PipelineOptions options_;
    Output& output_;
    std::shared_ptr<spdlog::logger> log_;
    int stop_fd_;
    std::atomic<bool> stop_{false};
    std::atomic<bool> keyframe_wanted_{false};
    std::mutex bus_mutex_;  // guards what other threads use: the pointer for wake(), the warning
    std::unique_ptr<BusReader> bus_;
    std::string warning_;
    OutputThread output_thread_;

    // Of the pipeline thread only.
    std::unique_ptr<Part> part_;
    std::optional<BoardFigures> board_;
    SinkFigures figures_;
    PipelineTotals totals_;
    bool audio_waits_for_video_ = false;  // late start: the first picture, not the older sound, is position 0
    bool damaged_ = false;
    PassedStreams packets_;      // of this bus, as far as they are described
    bool passes_ = false;        // the output takes the bus's packets and not its pictures
    bool passes_sound_ = false;  // the same of its sound
    bool packets_came_ = false;  // what the open output does without
    bool was_ready_ = false;     // before the first record
    std::uint64_t flushes_seen_ = 0;
    std::chrono::steady_clock::time_point next_look_{};     // whether the producer lives
    std::chrono::steady_clock::time_point next_publish_{};  // at the latest, while encoding
    std::optional<PictureFile> stall_slate_;
};

}  // namespace ringcast::runtime
