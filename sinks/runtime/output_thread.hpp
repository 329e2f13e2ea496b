// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/call_watcher.hpp"
#include "runtime/output.hpp"
#include "runtime/packet_queue.hpp"
#include "runtime/retry.hpp"

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
    std::string reason;                ///< of backoff, rejected and failed; while connecting again, why
    std::uint64_t attempts = 0;        ///< of this output, after the first
    std::uint64_t reconnects = 0;      ///< connections of one output after its first, counted once started
    std::uint64_t dropped_frames = 0;  ///< encoded, but not delivered
    std::int64_t output_end_ns = 0;    ///< end of the newest packet delivered, in output time
    std::int64_t frame_age_ns = 0;     ///< capture to delivery, of the newest fresh picture delivered
    bool moving = false;               ///< bytes left on this connection, and not long ago
    bool quiet = false;                ///< packets were handed over, and no byte has left for a while
    bool congested = false;            ///< the peer is too slow: some were dropped lately
    std::string waits_for;             ///< not empty: started, and no peer has come yet, or all have left
};

struct OutputThreadOptions {
    QueueLimit queue;
    RetryPolicy retry;
    PeerLimits limits;  ///< heeded when the queue drops: a disk may take as long as it likes
};

/// The sink thread: it alone calls the Output, and answers each class of error with the next move.
///
/// Life cycle: open() connects one output, begin() gives it its streams (headers), queue() feeds it, finish() ends it
/// (disconnect(final)); then open() again. The destructor joins.
/// Thread safety: open/begin/finish from the pipeline thread; view(), queue(), replace_options() and give_up() from
/// any. A CallWatcher inside looks at what leaves and interrupts a call that has to end.
class OutputThread {
public:
    /// `on_change` is called on a thread of this class when the state changes or the queue has room; `want_keyframe`
    /// when decoding at the peer has to start anew.
    OutputThread(Output& output, std::shared_ptr<spdlog::logger> log, const OutputThreadOptions& options,
                 std::function<void()> on_change, std::function<void()> want_keyframe);
    ~OutputThread();
    OutputThread(const OutputThread&) = delete;
    OutputThread& operator=(const OutputThread&) = delete;

    /// Connects, long before there is anything to send: a place that cannot be used is known at once. Does nothing
    /// when an output is open, or has failed and is not finished.
    void open();
    /// open() if need be; packets of these streams follow.
    void begin(std::vector<StreamInfo> streams);
    /// Ends the output after what is queued. Waits until it is closed; when the peer is away, at most `patience` for it
    /// to come back, and not at all when there is nothing left for it. True: closed in order, or never opened; false:
    /// failed.
    bool finish(std::chrono::milliseconds patience = std::chrono::seconds(10));
    /// The sink is told to stop: no further connection attempt, and a call that waits for the peer is interrupted when
    /// `interrupt_delivery` or when it is a connect().
    void give_up(bool interrupt_delivery);
    using Values = std::vector<std::pair<std::string, std::string>>;  ///< key, value
    /// What the output was handed, and why it refused that, else empty.
    using Replaced = std::function<void(const Values& options, const std::string& refusal)>;

    /// Leaves the peer after the packet it is given now, interrupting a call that lasts, hands these values to the
    /// output and connects again at once, as if for the first time. Refused values are logged, and the old ones stay;
    /// the last
    /// `done` is called on the sink thread, for all that came meanwhile at once: the newest value of each key.
    void replace_options(Values options, Replaced done = {});

    [[nodiscard]] PacketQueue& queue() noexcept { return queue_; }
    [[nodiscard]] OutputView view() const;

private:
    using Call = CallWatcher::Call;
    enum class Move { next, reconnect, fail, leave };

    void run();
    void open_locked();
    void give_up_locked();
    void deliver();
    bool connect();
    Move connect_once();
    OutputStatus start();
    Move hand_over_queue();
    Move deliver_one(const Packet& packet);
    void note_delivered(const Packet& packet);
    Move on_status(OutputStatus status);
    bool wait_for_retry();
    void take_replacement();
    void leave_peer();
    void close(bool final);
    void fail(OutputStatus status);
    void set_state(OutputState state, const std::string& reason = {});
    [[nodiscard]] bool is_away() const;
    [[nodiscard]] bool is_replaced() const { return replacement_ && !given_up_; }

    Output& output_;
    std::shared_ptr<spdlog::logger> log_;
    std::function<void()> on_change_;
    std::function<void()> want_keyframe_;
    PacketQueue queue_;
    CallWatcher watcher_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    OutputView view_;
    std::chrono::steady_clock::time_point congested_until_{};
    std::vector<StreamInfo> streams_;  // of the present output, once begun_
    std::optional<Values> replacement_;
    Replaced replaced_;
    bool in_use_ = false;  // from open() to the end of finish(): what the pipeline thread sees
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
    bool started_before_ = false;  // this output, on an earlier connection
    Retry retry_;

    std::thread thread_;  // last: starts when the rest is whole
};

}  // namespace ringcast::runtime
