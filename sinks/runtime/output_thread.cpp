// SPDX-License-Identifier: Apache-2.0
#include "runtime/output_thread.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "runtime/media_time.hpp"

namespace ringcast::runtime {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kCongestionTold{10};  // after the last packet that was dropped

PeerLimits limits_for(const OutputThreadOptions& options) {
    PeerLimits limits = options.limits;
    if (!options.queue.drops) limits.answer = limits.silence = milliseconds(0);
    return limits;
}

}  // namespace

OutputThread::OutputThread(Output& output, std::shared_ptr<spdlog::logger> log, const OutputThreadOptions& options,
                           std::function<void()> on_change, std::function<void()> want_keyframe)
    : output_(output),
      log_(std::move(log)),
      on_change_(std::move(on_change)),
      want_keyframe_(std::move(want_keyframe)),
      queue_(options.queue, on_change_, want_keyframe_),
      watcher_(output, limits_for(options)),
      retry_(options.retry),
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
    watcher_.begin_output();
    view_.state = OutputState::connecting;
    view_.reason.clear();
    view_.attempts = 0;
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
    std::unique_lock lock(mutex_);
    over_ = true;
    given_up_ = given_up_ || !begun_;
    changed_.notify_all();
    std::optional<steady_clock::time_point> deadline;
    while (open_) {
        if (!is_away()) {
            changed_.wait(lock, [this] { return !open_ || is_away(); });
            continue;
        }
        if (!deadline) deadline = steady_clock::now() + patience;
        // A queue that drops has kept nothing that the peer could come back for.
        const bool pointless = !begun_ || (queue_.drops() && view_.state != OutputState::connecting);
        const OutputState state = view_.state;
        const auto until = pointless ? steady_clock::now() : *deadline;
        if (changed_.wait_until(lock, until, [&] { return !open_ || view_.state != state; })) continue;
        if (!pointless) {
            log_->warn("the peer did not come back within {} s after the end",
                       std::chrono::duration_cast<std::chrono::seconds>(patience).count());
        }
        give_up_locked();
        changed_.notify_all();
        changed_.wait(lock, [this] { return !open_; });
    }
    in_use_ = false;
    return view_.state != OutputState::failed;
}

bool OutputThread::is_away() const {
    return view_.state == OutputState::connecting || view_.state == OutputState::backoff ||
           view_.state == OutputState::rejected;
}

void OutputThread::give_up(bool interrupt_delivery) {
    {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        give_up_locked();
        if (interrupt_delivery) watcher_.end_delivering();
    }
    changed_.notify_all();
}

void OutputThread::give_up_locked() {
    given_up_ = true;
    watcher_.end_lasting(false);
    // What is called later, with streams that still come, has not been waited for.
    if (view_.state == OutputState::connecting) watcher_.end_connecting();
}

void OutputThread::replace_options(Values options, Replaced done) {
    {
        const std::scoped_lock lock(mutex_);
        if (!replacement_) replacement_.emplace();
        for (auto& [key, value] : options) {
            const auto same = std::find_if(replacement_->begin(), replacement_->end(),
                                           [&name = key](const auto& entry) { return entry.first == name; });
            if (same == replacement_->end()) {
                replacement_->emplace_back(std::move(key), std::move(value));
            } else {
                same->second = std::move(value);
            }
        }
        if (done) replaced_ = std::move(done);
        watcher_.end_lasting(is_replaced());
    }
    queue_.nudge();
    changed_.notify_all();
}

OutputView OutputThread::view() const {
    const std::scoped_lock lock(mutex_);
    OutputView view = view_;
    view.dropped_frames += queue_.discarded_video();
    view.moving = true;
    if (!queue_.drops()) return view;
    const bool started = view.state == OutputState::started;
    view.quiet = started && watcher_.is_quiet();
    if (started) view.waits_for = watcher_.waits_for();
    view.moving = started && watcher_.moved().count() > 0 && !view.quiet && view.waits_for.empty();
    const auto now = steady_clock::now();
    view.congested = now < congested_until_ || queue_.has_overflowed_since(now - kCongestionTold);
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
        watcher_.end_output();
        {
            const std::scoped_lock lock(mutex_);
            open_ = false;
        }
        changed_.notify_all();
    }
}

/// One output from connect to disconnect(final), with as many connections in between as it takes.
void OutputThread::deliver() {
    retry_.restart();
    started_before_ = false;
    while (connect()) {
        if (hand_over_queue() != Move::reconnect) break;
        leave_peer();
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
    take_replacement();
    {
        const std::scoped_lock lock(mutex_);
        if (given_up_) return Move::leave;
        view_.state = OutputState::connecting;  // with the look: whoever stops us from here on interrupts connect()
    }
    watcher_.begin_connection();
    set_state(OutputState::connecting, view().reason);
    OutputStatus status = watcher_.call(Call::connecting, [this] { return output_.connect(); });
    if (status == OutputStatus::ok) {
        connected_ = true;
        status = start();
    }
    if (status == OutputStatus::ok) {
        {
            const std::scoped_lock lock(mutex_);
            if (std::exchange(started_before_, true)) ++view_.reconnects;
        }
        set_state(OutputState::started);
        if (queue_.open()) want_keyframe_();
        return Move::next;
    }
    const Move move = on_status(status);
    if (connected_) close(move != Move::reconnect);
    return move;
}

/// headers(), once there are streams. INTERRUPTED: the output is over without any, or the peer is another one now.
OutputStatus OutputThread::start() {
    std::unique_lock lock(mutex_);
    if (!begun_) {
        lock.unlock();
        set_state(OutputState::connected);
        lock.lock();
        changed_.wait(lock, [this] { return begun_ || over_ || quit_ || replacement_; });
        if (!begun_) return OutputStatus::interrupted;
        view_.state = OutputState::connecting;
    }
    const std::vector<StreamInfo> streams = streams_;
    lock.unlock();
    return watcher_.call(Call::connecting, [&] { return output_.headers(streams); });
}

/// Move::next: the output ended and all was delivered.
OutputThread::Move OutputThread::hand_over_queue() {
    while (!queue_.is_over()) {
        {
            const std::scoped_lock lock(mutex_);
            if (is_replaced()) return Move::reconnect;
        }
        const auto packet = queue_.pop();
        if (!packet) continue;
        if (const Move move = deliver_one(*packet); move != Move::next) return move;
    }
    return Move::next;
}

OutputThread::Move OutputThread::deliver_one(const Packet& packet) {
    const OutputStatus status = watcher_.call(Call::delivering, [&] { return output_.packet(packet); });
    if (status == OutputStatus::ok) {
        note_delivered(packet);
        return Move::next;
    }
    // Decoding at the peer can only start anew at a keyframe; both tracks wait for it, so that they stay together.
    queue_.begin_at_keyframe();
    want_keyframe_();
    {
        const std::scoped_lock lock(mutex_);
        if (packet.stream == static_cast<std::uint32_t>(Media::video)) ++view_.dropped_frames;
    }
    return on_status(status);
}

void OutputThread::note_delivered(const Packet& packet) {
    const Rational timebase = streams_[packet.stream].timebase;
    const std::int64_t end_ns = scale(packet.pts + packet.duration, kSecondNs * timebase.num, timebase.den);
    const auto now = steady_clock::now().time_since_epoch();
    const std::scoped_lock lock(mutex_);
    view_.output_end_ns = std::max(view_.output_end_ns, end_ns);
    if (packet.capture_time_ns <= 0) return;
    view_.frame_age_ns = std::chrono::nanoseconds(now).count() - packet.capture_time_ns;
}

OutputThread::Move OutputThread::on_status(OutputStatus status) {
    const std::string watched = watcher_.take_reason();
    {
        const std::scoped_lock lock(mutex_);
        if (status == OutputStatus::interrupted && given_up_) return Move::leave;
        if (status == OutputStatus::interrupted && is_replaced()) return Move::reconnect;
        if (status == OutputStatus::again) congested_until_ = steady_clock::now() + kCongestionTold;
    }
    switch (status) {
        case OutputStatus::ok:
        case OutputStatus::again:
            return Move::next;
        case OutputStatus::interrupted:
            set_state(OutputState::backoff, "the connection was interrupted");
            return Move::reconnect;
        case OutputStatus::transient:
            retry_.on_lost();
            set_state(OutputState::backoff, watched.empty() ? output_.last_error() : watched);
            return Move::reconnect;
        case OutputStatus::rejected:
            retry_.on_rejected();
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
    std::unique_lock lock(mutex_);
    if (given_up_) return false;
    if (!replacement_) {
        const milliseconds delay = retry_.next_delay();
        log_->log(view_.state == OutputState::rejected ? spdlog::level::err : spdlog::level::warn,
                  "{}; next attempt in {:.1f} s", view_.reason, std::chrono::duration<double>(delay).count());
        changed_.wait_for(lock, delay, [this] { return given_up_ || replacement_; });
        if (given_up_) return false;
    }
    ++view_.attempts;
    return true;
}

void OutputThread::take_replacement() {
    std::unique_lock lock(mutex_);
    if (!replacement_) return;
    const Values options = std::move(*replacement_);
    const Replaced replaced = std::move(replaced_);
    replacement_.reset();
    watcher_.end_lasting(false);
    view_.reason.clear();
    lock.unlock();
    const OutputStatus status = output_.replace_options(options);
    if (status == OutputStatus::ok) {
        retry_.reset();
        log_->info("connecting with new options");
    } else {
        retry_.restart();  // it is the peer that knows us
        log_->error("{} ({}); the old options stay", output_.last_error(), name_of(status));
    }
    if (!replaced) return;
    const std::string reason = output_.last_error();
    replaced(options, status == OutputStatus::ok ? std::string()
                      : reason.empty()           ? std::string(name_of(status))
                                                 : reason);
}

void OutputThread::leave_peer() {
    queue_.close();
    retry_.on_connection(watcher_.moved());
    close(false);
}

void OutputThread::close(bool final) {
    connected_ = false;
    const OutputStatus status = watcher_.call(Call::closing, [&] { return output_.disconnect(final); });
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
