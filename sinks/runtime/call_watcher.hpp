// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "runtime/output.hpp"
#include "runtime/peer_watch.hpp"

namespace ringcast::runtime {

/// Makes the calls of an Output that may last. Meanwhile a thread of its own looks at what leaves, and interrupts the
/// call that has to end: because the peer does not answer or takes nothing, or because somebody said so.
///
/// Life cycle: begin_output(); per connection begin_connection() and its calls; end_output(). The destructor joins.
/// Thread safety: call(), take_reason() and end_output() from the sink thread, the rest from any. No lock is held
/// while the Output is called; a caller's own lock may be held around all but call() and end_output().
class CallWatcher {
public:
    using Call = PeerWatch::Call;

    CallWatcher(Output& output, const PeerLimits& limits);
    ~CallWatcher();
    CallWatcher(const CallWatcher&) = delete;
    CallWatcher& operator=(const CallWatcher&) = delete;

    void begin_output();
    /// The output is closed. Waits until the watching thread is done with it: then it may be destroyed.
    void end_output();
    void begin_connection();

    /// Transient, whatever `function` says, when the peer did not answer in time or took nothing for too long.
    template <class Function>
    OutputStatus call(Call kind, Function function) {
        begin_call(kind);
        return end_call(function());
    }
    /// What the peer did that a call was ended for. Told once; empty: nothing.
    [[nodiscard]] std::string take_reason();

    /// connect() and headers() of this output end, the one that runs and those to come.
    void end_connecting();
    /// packet() and disconnect() end, of this output and all to come.
    void end_delivering();
    /// What connects or delivers for longer than a look ends; a call that goes on well may end by itself.
    void end_lasting(bool wanted);

    /// Packets were handed over, and no byte has left for a while.
    [[nodiscard]] bool is_quiet() const;
    /// For how long bytes have been leaving on this connection.
    [[nodiscard]] std::chrono::nanoseconds moved() const;
    /// Not empty: no peer has come yet, or all have left, and this is what is waited for.
    [[nodiscard]] std::string waits_for() const;

private:
    void begin_call(Call kind);
    OutputStatus end_call(OutputStatus status);
    void order(bool& what, bool wanted);
    void watch();
    void look(std::unique_lock<std::mutex>& lock);
    [[nodiscard]] bool has_to_end() const;

    Output& output_;
    const PeerLimits limits_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    PeerWatch peer_;
    PeerWatch::Verdict verdict_ = PeerWatch::Verdict::fine;  // of the connection that is open
    std::string waits_for_;
    bool connecting_ends_ = false;
    bool delivering_ends_ = false;
    bool lasting_ends_ = false;
    bool open_ = false;
    bool looks_ = false;  // the watching thread is calling the output
    bool look_now_ = false;
    bool over_ = false;

    std::thread thread_;  // last: starts when the rest is whole
};

}  // namespace ringcast::runtime
