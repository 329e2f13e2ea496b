// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "runtime/output.hpp"
#include "runtime/packet_queue.hpp"

namespace spdlog {
class logger;
}

namespace ringcast::runtime {

enum class OutputState {
    idle,        ///< no output open
    connecting,  ///< connect() or headers() runs
    connected,   ///< waits for the streams
    started,     ///< packets are handed over
    backoff,     ///< connection lost; waits to connect again
    rejected,    ///< the peer said no; waits to connect again
    failed,      ///< for good
    finished,    ///< ended and closed
};

struct OutputView {
    OutputState state = OutputState::idle;
    std::string reason;  ///< of backoff, rejected and failed
    std::uint64_t reconnects = 0;
    std::uint64_t dropped_frames = 0;  ///< encoded, but not delivered
    std::int64_t output_end_ns = 0;    ///< end of the newest packet delivered, in output time
};

struct RetryPolicy {
    std::chrono::milliseconds first{1000};
    double growth = 1.7;
    double jitter = 0.2;  ///< ± part of the delay
    std::chrono::milliseconds longest{30000};
    std::chrono::milliseconds rejected{60000};  ///< once refused twice in a row
    std::chrono::seconds healthy{30};           ///< so long without an error: back to `first`
};

/// The sink thread: it alone calls the Output, and answers each class of error with the next move.
///
/// Life cycle: open() connects one output, begin() gives it its streams (headers), queue() feeds it, finish() ends it
/// (disconnect(final)); then open() again. The destructor joins.
/// Thread safety: open/begin/finish from the pipeline thread; view(), queue() and give_up() from any.
class OutputThread {
public:
    /// `on_change` is called on this thread when the state changes or the queue has room; `want_keyframe` when decoding
    /// at the peer has to start anew.
    OutputThread(Output& output, std::shared_ptr<spdlog::logger> log, std::chrono::nanoseconds queue_capacity,
                 std::function<void()> on_change, std::function<void()> want_keyframe, RetryPolicy retry = {});
    ~OutputThread();
    OutputThread(const OutputThread&) = delete;
    OutputThread& operator=(const OutputThread&) = delete;

    /// Connects, long before there is anything to send: a place that cannot be used is known at once. Does nothing
    /// when an output is open, or has failed and is not finished.
    void open();
    /// open() if need be; packets of these streams follow.
    void begin(std::vector<StreamInfo> streams);
    /// Ends the output after what is queued. Waits until it is closed; when the peer is away, at most `patience` for it
    /// to come back, and not at all without streams. True: closed in order, or never opened; false: failed.
    bool finish(std::chrono::milliseconds patience = std::chrono::seconds(10));
    /// The sink is told to stop: no further connection attempt, and a call that waits for the peer is interrupted when
    /// `interrupt_delivery` or when it is a connect().
    void give_up(bool interrupt_delivery);

    [[nodiscard]] PacketQueue& queue() noexcept { return queue_; }
    [[nodiscard]] OutputView view() const;

private:
    enum class Move { next, reconnect, fail, leave };

    void run();
    void stop_waiting(bool interrupt_delivery);
    void open_locked();
    void deliver();
    bool connect();
    Move connect_once();
    OutputStatus start();
    Move hand_over_queue();
    Move on_status(OutputStatus status);
    bool wait_for_retry();
    bool waits_for_key(const Packet& packet);
    void close(bool final);
    void fail(OutputStatus status);
    void set_state(OutputState state, const std::string& reason = {});
    std::chrono::milliseconds next_delay();

    Output& output_;
    std::shared_ptr<spdlog::logger> log_;
    std::function<void()> on_change_;
    std::function<void()> want_keyframe_;
    const RetryPolicy retry_;
    PacketQueue queue_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    OutputView view_;
    std::vector<StreamInfo> streams_;  // of the present output, once begun_
    bool in_use_ = false;              // from open() to the end of finish(): what the pipeline thread sees
    bool open_wanted_ = false;
    bool open_ = false;   // from open() until the output is closed, whatever the state says meanwhile
    bool begun_ = false;  // its streams are known
    bool over_ = false;   // finish() was called: no streams will come
    bool left_ = false;   // the sink thread takes no more of its packets
    bool quit_ = false;
    bool given_up_ = false;  // of the open output: no further attempt
    bool stopped_ = false;   // of all outputs

    // Of the sink thread only.
    bool connected_ = false;
    bool waiting_for_key_ = false;
    unsigned rejections_ = 0;
    std::chrono::milliseconds delay_{0};
    std::chrono::steady_clock::time_point started_at_{};
    std::minstd_rand random_;

    std::thread thread_;  // last: starts when the rest is whole
};

}  // namespace ringcast::runtime
