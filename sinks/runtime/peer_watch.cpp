// SPDX-License-Identifier: Apache-2.0
#include "runtime/peer_watch.hpp"

#include <algorithm>

namespace ringcast::runtime {

void PeerWatch::begin_connection(TimePoint now) {
    owed_since_.reset();
    delivers_ = false;
    moved_ = std::chrono::nanoseconds(0);
    last_look_ = now;
}

void PeerWatch::begin_call(Call call, TimePoint now) {
    call_ = call;
    call_since_ = now;
    if (call != Call::delivering) return;
    delivers_ = true;
    if (!owed_since_) owed_since_ = now;
}

PeerWatch::Verdict PeerWatch::look(TimePoint now, std::uint64_t bytes, bool alone) {
    // A process that was stopped meanwhile saw no bytes move, and it was not the peer that made it wait.
    const std::chrono::nanoseconds gap = now - last_look_;
    const auto since = std::min<std::chrono::nanoseconds>(gap, limits_.quiet);
    last_look_ = now;
    call_since_ = std::min(now, call_since_ + (gap - since));
    if (owed_since_) owed_since_ = std::min(now, *owed_since_ + (gap - since));
    if (bytes != bytes_) {
        bytes_ = bytes;
        if (delivers_) moved_ += since;
        owed_since_.reset();
        if (call_ == Call::delivering) owed_since_ = now;
    }
    if (alone) owed_since_.reset();
    const auto longer = [&](TimePoint begin, std::chrono::milliseconds limit) {
        return limit.count() > 0 && now - begin >= limit;
    };
    if (call_ == Call::connecting && longer(call_since_, limits_.answer)) return Verdict::no_answer;
    if (owed_since_ && longer(*owed_since_, limits_.silence)) return Verdict::silent;
    return Verdict::fine;
}

bool PeerWatch::is_quiet(TimePoint now) const {
    return owed_since_ && now - *owed_since_ > limits_.quiet;
}

}  // namespace ringcast::runtime
