// SPDX-License-Identifier: Apache-2.0
#include "runtime/timing_options.hpp"

#include <array>
#include <string>

namespace ringcast::runtime {
namespace {

constexpr std::string_view kSlate = "slate:";

/// Either of two words; false when it is neither.
template <typename Value>
bool choose(Value& target, std::string_view text, std::string_view a, Value if_a, std::string_view b, Value if_b) {
    if (text != a && text != b) return false;
    target = text == a ? if_a : if_b;
    return true;
}

template <typename Target>
bool set_time(Target& target, std::string_view text, std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
    const auto time = parse_duration(text);
    if (!time || *time < least || *time > most) return false;
    target = *time;
    return true;
}

bool set_on_stall(SinkOptions& o, std::string_view v) {
    return choose(o.on_stall, v, "fill", OnStall::fill, "wait", OnStall::wait);
}

bool set_on_end(SinkOptions& o, std::string_view v) {
    return choose(o.on_end, v, "hold", OnEnd::hold, "close", OnEnd::close);
}

bool set_stall_timeout(SinkOptions& o, std::string_view v) {
    return set_time(o.stall_timeout, v, std::chrono::seconds(1), std::chrono::hours(24));
}

bool set_stall_show(SinkOptions& o, std::string_view v) {
    using Kind = StallScreen::Kind;
    if (v.starts_with(kSlate) && v.size() > kSlate.size()) {
        o.stall_show = {Kind::slate, std::string(v.substr(kSlate.size()))};
        return true;
    }
    o.stall_show.file.clear();
    return choose(o.stall_show.kind, v, "hold", Kind::hold, "stop", Kind::stop);
}

bool set_lag_limit(SinkOptions& o, std::string_view v) {
    return set_time(o.lag_limit, v, std::chrono::milliseconds(50), std::chrono::minutes(1));
}

bool set_track_wait(SinkOptions& o, std::string_view v) {
    return set_time(o.track_wait, v, std::chrono::nanoseconds(0), std::chrono::hours(1));
}

bool set_queue(SinkOptions& o, std::string_view v) {
    if (v != "wait") return set_time(o.queue, v, std::chrono::milliseconds(100), std::chrono::minutes(1));
    o.queue.reset();
    return true;
}

bool set_shortest(SinkOptions& o, std::string_view v) {
    const auto yes = parse_bool(v);
    o.shortest = yes.value_or(false);
    return yes.has_value();
}

bool set_reader(SinkOptions& o, std::string_view v) {
    ReaderMode mode{};
    if (!choose(mode, v, "live", ReaderMode::live, "lossless", ReaderMode::lossless)) return false;
    o.reader = mode;
    return true;
}

constexpr std::array<OptionEntry, 9> kTable{{
    {{"on_stall",
      "When the producer falls behind: fill (last picture and silence; the output lasts as long as the clock) or wait "
      "(the output is media time).",
      "", "fill", "fill|wait", "wait"},
     set_on_stall},
    {{"stall_timeout", "How long a stall is filled before stall_show is shown.", "a time with its unit, 1s to 24h",
      "10s", "", "10s"},
     set_stall_timeout},
    {{"stall_show", "After stall_timeout: hold the last picture, show a picture file, or stop the output.",
      "hold, stop or slate:FILE", "slate:/srv/soon-back.png", "", "hold"},
     set_stall_show},
    {{"on_end", "When the producer ends: hold the connection for the next, or close.", "", "close", "hold|close",
      "hold"},
     set_on_end},
    {{"track_wait", "How long the first track waits for the other before silence or black stands in.",
      "a time with its unit, at most 1h", "1s", "", "1s"},
     set_track_wait},
    {{"lag_limit", "A picture that waits longer for the encoder is dropped (not with a lossless reader).",
      "a time with its unit, 50ms to 1min", "500ms", "", "500ms, or half the ring when that is less"},
     set_lag_limit},
    {{"queue",
      "How much media may wait for a peer that is too slow, before it is dropped up to a keyframe; wait: nothing is "
      "dropped, the sink reads no further (always so with on_stall=wait), and a peer that takes nothing is waited for.",
      "wait or a time with its unit, 100ms to 1min", "2s", "", "wait"},
     set_queue},
    {{"shortest", "At the end, cut the longer track instead of padding the shorter.", "", "yes", "yes|no", "no"},
     set_shortest},
    {{"reader", "lossless asks a lossless writer to wait for this sink; its output is media time.", "", "lossless",
      "live|lossless", "lossless with on_stall=wait, else live"},
     set_reader},
}};

}  // namespace

std::span<const OptionEntry> timing_options() {
    return kTable;
}

}  // namespace ringcast::runtime
