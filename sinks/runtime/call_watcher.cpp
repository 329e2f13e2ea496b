// SPDX-License-Identifier: Apache-2.0
#include "runtime/call_watcher.hpp"

#include <utility>

namespace ringcast::runtime {

using std::chrono::steady_clock;
using Verdict = PeerWatch::Verdict;

namespace {

std::string seconds(std::chrono::milliseconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

CallWatcher::CallWatcher(Output& output, const PeerLimits& limits)
    : output_(output), limits_(limits), peer_(limits), thread_([this] { watch(); }) {}

CallWatcher::~CallWatcher() {
    order(over_, true);
    thread_.join();
}

void CallWatcher::begin_output() {
    {
        const std::scoped_lock lock(mutex_);
        open_ = true;
        connecting_ends_ = false;
    }
    changed_.notify_all();
}

void CallWatcher::end_output() {
    std::unique_lock lock(mutex_);
    open_ = false;
    changed_.wait(lock, [this] { return !looks_; });
}

void CallWatcher::begin_connection() {
    const std::scoped_lock lock(mutex_);
    peer_.begin_connection(steady_clock::now());
    verdict_ = Verdict::fine;
}

void CallWatcher::begin_call(Call kind) {
    const std::scoped_lock lock(mutex_);
    peer_.begin_call(kind, steady_clock::now());
    look_now_ = look_now_ || has_to_end();
    if (look_now_) changed_.notify_all();
}

OutputStatus CallWatcher::end_call(OutputStatus status) {
    const std::scoped_lock lock(mutex_);
    const Call kind = peer_.call();
    peer_.end_call();
    if (kind == Call::closing || verdict_ == Verdict::fine) return status;
    if (verdict_ == Verdict::silent || status != OutputStatus::ok) return OutputStatus::transient;
    verdict_ = Verdict::fine;  // the answer came while the call was being interrupted
    return status;
}

std::string CallWatcher::take_reason() {
    const std::scoped_lock lock(mutex_);
    switch (std::exchange(verdict_, Verdict::fine)) {
        case Verdict::fine:
            break;
        case Verdict::no_answer:
            return "the peer did not answer within " + seconds(limits_.answer);
        case Verdict::silent:
            return "the peer took nothing for " + seconds(limits_.silence);
    }
    return {};
}

void CallWatcher::end_connecting() {
    order(connecting_ends_, true);
}

void CallWatcher::end_delivering() {
    order(delivering_ends_, true);
}

void CallWatcher::end_lasting(bool wanted) {
    order(lasting_ends_, wanted);
}

void CallWatcher::order(bool& what, bool wanted) {
    {
        const std::scoped_lock lock(mutex_);
        what = wanted;
        look_now_ = true;
    }
    changed_.notify_all();
}

bool CallWatcher::is_quiet() const {
    const std::scoped_lock lock(mutex_);
    return peer_.is_quiet(steady_clock::now());
}

std::chrono::nanoseconds CallWatcher::moved() const {
    const std::scoped_lock lock(mutex_);
    return peer_.moved();
}

std::string CallWatcher::waits_for() const {
    const std::scoped_lock lock(mutex_);
    return waits_for_;
}

void CallWatcher::watch() {
    std::unique_lock lock(mutex_);
    while (!over_) {
        if (!open_) {
            changed_.wait(lock, [this] { return open_ || over_; });
            continue;
        }
        changed_.wait_for(lock, limits_.look_every, [this] { return look_now_ || over_; });
        look_now_ = false;
        if (open_ && !over_) look(lock);
    }
}

/// This thread alone interrupts, so that no interrupt hits an output that is closed.
void CallWatcher::look(std::unique_lock<std::mutex>& lock) {
    looks_ = true;
    lock.unlock();
    const std::uint64_t bytes = output_.bytes_sent();
    const bool alone = output_.peers() == 0;
    std::string waits_for = alone ? output_.waits_for() : std::string();
    lock.lock();
    waits_for_ = std::move(waits_for);
    const Verdict verdict = peer_.look(steady_clock::now(), bytes, alone);
    if (verdict_ == Verdict::fine) verdict_ = verdict;
    if (has_to_end()) {
        lock.unlock();
        output_.interrupt();
        lock.lock();
    }
    looks_ = false;
    changed_.notify_all();
}

/// An interrupt that comes just before the call it is meant for may be lost on the plugin; it is repeated at each look.
bool CallWatcher::has_to_end() const {
    const bool lasts = lasting_ends_ && steady_clock::now() - peer_.call_since() >= limits_.look_every;
    switch (peer_.call()) {
        case Call::none:
            return false;
        case Call::connecting:
            return connecting_ends_ || lasts || verdict_ != Verdict::fine;
        case Call::delivering:
            return delivering_ends_ || lasts || verdict_ != Verdict::fine;
        case Call::closing:
            return delivering_ends_;
    }
    return false;
}

}  // namespace ringcast::runtime
