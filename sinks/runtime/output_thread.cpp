// SPDX-License-Identifier: Apache-2.0
#include "runtime/output_thread.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "runtime/media_time.hpp"

namespace ringcast::runtime {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

OutputThread::OutputThread(Output& output, std::shared_ptr<spdlog::logger> log, std::chrono::nanoseconds queue_capacity,
                           std::function<void()> on_change, std::function<void()> want_keyframe, RetryPolicy retry)
    : output_(output),
      log_(std::move(log)),
      on_change_(std::move(on_change)),
      want_keyframe_(std::move(want_keyframe)),
      retry_(retry),
      queue_(queue_capacity, on_change_),
      delay_(retry.first),
      random_(std::random_device{}()),
      thread_([this] { run(); }) {}

OutputThread::~OutputThread() {
    give_up(true);
    {
        const std::scoped_lock lock(mutex_);
        quit_ = true;
    }
    queue_.abandon();
    changed_.notify_all();
    thread_.join();
}

void OutputThread::open() {
    {
        const std::scoped_lock lock(mutex_);
        open_locked();
    }
    changed_.notify_all();
}

void OutputThread::open_locked() {
    if (std::exchange(in_use_, true)) return;
    open_wanted_ = open_ = true;
    begun_ = over_ = left_ = false;
    given_up_ = stopped_;
    view_.state = OutputState::connecting;
    view_.reason.clear();
}

void OutputThread::begin(std::vector<StreamInfo> streams) {
    queue_.begin(streams);
    bool left = false;
    {
        const std::scoped_lock lock(mutex_);
        open_locked();
        streams_ = std::move(streams);
        begun_ = true;
        left = left_;
    }
    // It failed, or was stopped, while it waited: nobody will pop.
    if (left) queue_.abandon();
    changed_.notify_all();
}

bool OutputThread::finish(milliseconds patience) {
    queue_.end();
    bool begun = false;
    {
        const std::scoped_lock lock(mutex_);
        over_ = true;
        begun = begun_;
        given_up_ = given_up_ || !begun;
    }
    if (!begun) patience = milliseconds(0);  // nothing is left for a peer to come back for
    changed_.notify_all();
    const auto away = [this] {
        return open_ && (view_.state == OutputState::connecting || view_.state == OutputState::backoff ||
                         view_.state == OutputState::rejected);
    };
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return !away(); });
    if (away()) {
        lock.unlock();
        if (begun) {
            log_->warn("the peer did not come back within {} s after the end; what was left is lost",
                       std::chrono::duration_cast<std::chrono::seconds>(patience).count());
        }
        stop_waiting(false);
        lock.lock();
    }
    changed_.wait(lock, [this] { return !open_; });
    in_use_ = false;
    return view_.state != OutputState::failed;
}

void OutputThread::give_up(bool interrupt_delivery) {
    {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
    }
    stop_waiting(interrupt_delivery);
}

void OutputThread::stop_waiting(bool interrupt_delivery) {
    bool interrupt = interrupt_delivery;
    {
        const std::scoped_lock lock(mutex_);
        given_up_ = true;
        interrupt = interrupt || view_.state == OutputState::connecting;
        if (!open_) interrupt = false;
    }
    changed_.notify_all();
    if (interrupt) output_.interrupt();
}

OutputView OutputThread::view() const {
    const std::scoped_lock lock(mutex_);
    OutputView view = view_;
    view.dropped_frames += queue_.discarded_video();
    return view;
}

void OutputThread::run() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return open_wanted_ || quit_; });
            if (!open_wanted_) return;
            open_wanted_ = false;
        }
        deliver();
        {
            const std::scoped_lock lock(mutex_);
            open_ = false;
        }
        changed_.notify_all();
    }
}

/// One output from connect to disconnect(final), with as many connections in between as it takes.
void OutputThread::deliver() {
    waiting_for_key_ = false;
    rejections_ = 0;
    delay_ = retry_.first;
    while (connect()) {
        if (hand_over_queue() != Move::reconnect) break;
        close(false);
        if (!wait_for_retry()) break;
    }
    {
        const std::scoped_lock lock(mutex_);
        left_ = true;
    }
    queue_.abandon();
    if (connected_) close(true);
    if (view().state != OutputState::failed) set_state(OutputState::finished);
}

/// True: connected and started.
bool OutputThread::connect() {
    for (;;) {
        switch (connect_once()) {
            case Move::next:
                return true;
            case Move::reconnect:
                if (!wait_for_retry()) return false;
                break;
            case Move::fail:
            case Move::leave:
                return false;
        }
    }
}

OutputThread::Move OutputThread::connect_once() {
    {
        const std::scoped_lock lock(mutex_);
        if (given_up_) return Move::leave;
        view_.state = OutputState::connecting;  // with the look: whoever stops us from here on interrupts connect()
    }
    set_state(OutputState::connecting);
    OutputStatus status = output_.connect();
    if (status == OutputStatus::ok) {
        connected_ = true;
        status = start();
    }
    if (status == OutputStatus::ok) {
        started_at_ = steady_clock::now();
        set_state(OutputState::started);
        return Move::next;
    }
    const Move move = on_status(status);
    if (connected_) close(move != Move::reconnect);
    return move;
}

/// headers(), once there are streams. INTERRUPTED: the output is over without any.
OutputStatus OutputThread::start() {
    std::unique_lock lock(mutex_);
    if (!begun_) {
        lock.unlock();
        set_state(OutputState::connected);
        lock.lock();
        changed_.wait(lock, [this] { return begun_ || over_ || quit_; });
        if (!begun_) return OutputStatus::interrupted;
        view_.state = OutputState::connecting;
    }
    const std::vector<StreamInfo> streams = streams_;
    lock.unlock();
    return output_.headers(streams);
}

/// Move::next: the output ended and all was delivered.
OutputThread::Move OutputThread::hand_over_queue() {
    while (auto packet = queue_.pop()) {
        if (waits_for_key(*packet)) continue;
        const OutputStatus status = output_.packet(*packet);
        if (status == OutputStatus::ok) {
            const Rational timebase = streams_[packet->stream].timebase;
            const std::int64_t end_ns = scale(packet->pts + packet->duration, kSecondNs * timebase.num, timebase.den);
            const std::scoped_lock lock(mutex_);
            view_.output_end_ns = std::max(view_.output_end_ns, end_ns);
            continue;
        }
        waiting_for_key_ = true;
        want_keyframe_();
        {
            const std::scoped_lock lock(mutex_);
            if (packet->stream == static_cast<std::uint32_t>(Media::video)) ++view_.dropped_frames;
        }
        if (const Move move = on_status(status); move != Move::next) return move;
    }
    return Move::next;
}

/// Decoding at the peer can only start anew at a keyframe; both tracks wait for it, so that they stay together.
bool OutputThread::waits_for_key(const Packet& packet) {
    if (!waiting_for_key_) return false;
    const bool video = packet.stream == static_cast<std::uint32_t>(Media::video);
    if (video && packet.key) {
        waiting_for_key_ = false;
        return false;
    }
    if (video) {
        const std::scoped_lock lock(mutex_);
        ++view_.dropped_frames;
    }
    return true;
}

OutputThread::Move OutputThread::on_status(OutputStatus status) {
    switch (status) {
        case OutputStatus::ok:
        case OutputStatus::again:
            return Move::next;
        case OutputStatus::interrupted: {
            const std::scoped_lock lock(mutex_);
            return given_up_ ? Move::leave : Move::reconnect;
        }
        case OutputStatus::transient:
            rejections_ = 0;
            set_state(OutputState::backoff, output_.last_error());
            return Move::reconnect;
        case OutputStatus::rejected:
            ++rejections_;
            set_state(OutputState::rejected, output_.last_error());
            return Move::reconnect;
        case OutputStatus::config:
        case OutputStatus::unsupported:
        case OutputStatus::storage:
        case OutputStatus::internal:
            break;
    }
    fail(status);
    return Move::fail;
}

bool OutputThread::wait_for_retry() {
    const milliseconds delay = next_delay();
    std::unique_lock lock(mutex_);
    if (given_up_) return false;
    log_->warn("{}; next attempt in {:.1f} s", view_.reason, std::chrono::duration<double>(delay).count());
    if (changed_.wait_for(lock, delay, [this] { return given_up_; })) return false;
    ++view_.reconnects;
    lock.unlock();
    if (waiting_for_key_) want_keyframe_();
    return true;
}

milliseconds OutputThread::next_delay() {
    if (rejections_ >= 2) return retry_.rejected;
    if (started_at_ != steady_clock::time_point{} && steady_clock::now() - started_at_ > retry_.healthy) {
        delay_ = retry_.first;
    }
    started_at_ = {};
    std::uniform_real_distribution<double> spread(1.0 - retry_.jitter, 1.0 + retry_.jitter);
    const auto delay = milliseconds(static_cast<std::int64_t>(static_cast<double>(delay_.count()) * spread(random_)));
    const auto grown = static_cast<std::int64_t>(static_cast<double>(delay_.count()) * retry_.growth);
    delay_ = std::min(milliseconds(grown), retry_.longest);
    return delay;
}

void OutputThread::close(bool final) {
    connected_ = false;
    const OutputStatus status = output_.disconnect(final);
    // A lost connection cannot be closed well; a final close that fails means an output that is not whole.
    if (!final || status == OutputStatus::ok || status == OutputStatus::interrupted) return;
    if (view().state != OutputState::failed) fail(status);
}

void OutputThread::fail(OutputStatus status) {
    const std::string reason = output_.last_error();
    log_->error("{} ({})", reason, name_of(status));
    set_state(OutputState::failed, reason);
}

void OutputThread::set_state(OutputState state, const std::string& reason) {
    {
        const std::scoped_lock lock(mutex_);
        view_.state = state;
        view_.reason = reason;
    }
    changed_.notify_all();
    on_change_();
}

}  // namespace ringcast::runtime
