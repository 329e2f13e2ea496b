// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producers/ingest.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "intake.hpp"
#include "output.hpp"
#include "ringcast/error.hpp"
#include "runtime/retry.hpp"
#include "source.hpp"
#include "splicer.hpp"

namespace ringcast::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

constexpr seconds kStalledAfter{1};
constexpr seconds kLostAfter{10};
/// Of a connection that has brought no media yet: a server may let us wait for its publisher.
constexpr seconds kSilentAfter{90};  // longer than a caller waits for the answer of a server
constexpr seconds kReportEvery{1};
constexpr milliseconds kSlice{50};

/// The connection goes, and the next one is waited for. One line.
class Refused : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What a stream can bring about, and another one would not.
bool is_of_the_stream(const Error& error) {
    return error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::too_large ||
           error.code() == ErrorCode::unsupported || error.code() == ErrorCode::no_space;
}

/// One run: connections one after the other, spliced onto the bus.
class Ingest {
public:
    Ingest(const IngestOptions& options, IngestObserver& observer, const std::atomic<bool>& stop)
        : options_(options),
          observer_(observer),
          stop_(stop),
          source_(make_source(options.address)),
          output_(Output::make(options, [this](const std::string& text) { observer_.warned(text); })) {}

    IngestFigures run();

private:
    [[nodiscard]] GoesOn goes_on() {
        return [this] { return look(); };
    }
    bool look();
    void watch_bytes(Clock::time_point now);
    void report(Clock::time_point now);
    void tell_notes();
    void refresh();
    void set_state(IngestState state, const std::string& reason);
    /// True when it carried something.
    bool carry();
    void take(Intake& intake, runtime::AVPacketPtr packet);
    [[noreturn]] void refuse(const std::string& words);
    void begin_life(Clock::time_point now);
    void drain();
    void back_off(milliseconds delay);
    void await_next(bool carried, const std::string& reason, SourceError::Kind kind);

    const IngestOptions& options_;
    IngestObserver& observer_;
    const std::atomic<bool>& stop_;
    std::unique_ptr<Source> source_;
    std::unique_ptr<Output> output_;
    Splicer splicer_;
    runtime::Retry retry_{runtime::RetryPolicy{}};
    IngestFigures figures_;
    std::unique_ptr<Connection> connection_;
    std::uint64_t refused_ = 0;       ///< those whose stream the bus does not take
    std::uint64_t lives_ = 0;         ///< connections that carried media
    std::uint64_t bytes_before_ = 0;  ///< of connections that are over
    std::uint64_t bytes_seen_ = 0;
    std::uint64_t bytes_reported_ = 0;
    Clock::time_point last_byte_ = Clock::now();
    Clock::time_point last_media_{};  ///< put on the bus
    Clock::time_point reported_ = Clock::now();
    Clock::time_point live_since_{};
    bool has_announced_ = false;
    bool is_lost_ = false;
};

void Ingest::refresh() {
    figures_.received_bytes = bytes_before_ + (connection_ ? connection_->received() : 0);
    figures_.frames = output_->frames();
    figures_.left_out = splicer_.left_out();
    figures_.rebases = splicer_.rebases();
    figures_.refused = source_->refused() + refused_;
}

void Ingest::set_state(IngestState state, const std::string& reason) {
    if (has_announced_ && figures_.state == state && figures_.reason == reason) return;
    has_announced_ = true;
    figures_.state = state;
    figures_.reason = reason;
    refresh();
    observer_.state_changed(figures_);
}

void Ingest::report(Clock::time_point now) {
    const auto since = now - reported_;
    if (since < kReportEvery) return;
    refresh();
    const double elapsed = std::chrono::duration<double>(since).count();
    const double bytes = static_cast<double>(figures_.received_bytes - bytes_reported_);
    figures_.received_bytes_per_second = static_cast<std::uint64_t>(bytes / elapsed);
    bytes_reported_ = figures_.received_bytes;
    reported_ = now;
    figures_.srt = connection_ ? connection_->srt_figures() : std::nullopt;
    tell_notes();
    observer_.progressed(figures_);
}

void Ingest::tell_notes() {
    for (const std::string& note : source_->take_notes())
        observer_.warned(note);
}

void Ingest::watch_bytes(Clock::time_point now) {
    if (!connection_) return;
    const std::uint64_t bytes = connection_->received();
    if (std::exchange(bytes_seen_, bytes) != bytes) {
        last_byte_ = now;
    }
    const auto silence = now - last_byte_;
    const bool was_live = figures_.state == IngestState::live || figures_.state == IngestState::stalled;
    if (was_live && now - last_media_ >= kStalledAfter) {
        const char* missing = silence >= kStalledAfter ? "nothing comes from " : "no media comes from ";
        set_state(IngestState::stalled, missing + connection_->peer());
    }
    is_lost_ = silence >= (was_live ? kLostAfter : kSilentAfter);
}

/// Asked by everything that waits: told the time, it keeps the figures, and says when to give up.
bool Ingest::look() {
    const auto now = Clock::now();
    watch_bytes(now);
    report(now);
    return !stop_ && !is_lost_;
}

/// The first media of a connection: only now it is one, however many attempts there were.
void Ingest::begin_life(Clock::time_point now) {
    live_since_ = now;
    if (lives_++ > 0) ++figures_.reconnects;
}

void Ingest::drain() {
    const auto now = Clock::now();
    // The demuxer keeps the newest picture until the next begins: at the end of a lost sender it comes by itself.
    const bool is_late = figures_.state == IngestState::stalled && connection_->received() == bytes_seen_;
    while (auto sample = splicer_.take(now)) {
        if (figures_.state != IngestState::live && !is_late) {
            if (live_since_ == Clock::time_point{}) begin_life(now);
            set_state(IngestState::live, {});
        }
        last_media_ = now;
        if (sample->track == Track::audio) ++figures_.sound_packets;
        output_->write(*sample);
    }
}

bool Ingest::carry() {
    is_lost_ = false;
    bytes_seen_ = 0;
    live_since_ = {};
    last_byte_ = Clock::now();
    figures_.peer = connection_->peer();
    set_state(IngestState::connecting, "waits for the stream of " + figures_.peer);
    splicer_.begin_connection();
    Demuxer& demuxer = connection_->demuxer();
    Intake intake(demuxer, options_.mode, splicer_);
    while (look()) {
        auto packet = demuxer.read();
        if (!packet) break;
        take(intake, std::move(packet));
        if (figures_.state == IngestState::connecting && splicer_.lacks_keyframe(Clock::now()))
            set_state(IngestState::connecting, "no keyframe yet from " + figures_.peer + "; its sound waits for one");
    }
    return live_since_ != Clock::time_point{};
}

void Ingest::take(Intake& intake, runtime::AVPacketPtr packet) {
    try {
        intake.take(std::move(packet), Clock::now());
        drain();
    } catch (const NotCarried& error) {
        refuse(error.what());
    } catch (const IngestError& error) {
        refuse(error.what());
    } catch (const Error& error) {
        if (!is_of_the_stream(error)) throw;
        refuse(error.what());
    }
}

/// One who calls has asked for this very stream; of those who come the next one may send what the bus takes.
void Ingest::refuse(const std::string& words) {
    output_->discard();
    if (!source_->listens() || options_.once) throw IngestError(source_->place() + ": " + words);
    ++refused_;
    throw Refused("refused " + connection_->peer() + ": " + words);
}

void Ingest::back_off(milliseconds delay) {
    const auto until = Clock::now() + delay;
    while (Clock::now() < until && look())
        std::this_thread::sleep_for(std::min<Clock::duration>(kSlice, until - Clock::now()));
}

void Ingest::await_next(bool carried, const std::string& reason, SourceError::Kind kind) {
    if (source_->listens()) {
        // Whatever it was, the next one is not to wait for it.
        if (!reason.empty()) observer_.warned(reason);
        return;
    }
    const auto moved = carried ? Clock::now() - live_since_ : Clock::duration{};
    retry_.on_connection(moved);
    kind == SourceError::Kind::rejected ? retry_.on_rejected() : retry_.on_lost();
    if (kind == SourceError::Kind::waited) retry_.restart();
    const milliseconds delay = retry_.next_delay();
    set_state(kind == SourceError::Kind::rejected ? IngestState::rejected : IngestState::backoff, reason);
    back_off(delay);
}

IngestFigures Ingest::run() {
    while (!stop_) {
        is_lost_ = false;
        const IngestState waiting = source_->listens() ? IngestState::listening : IngestState::connecting;
        set_state(waiting, source_->place());
        std::string reason;
        auto kind = SourceError::Kind::transient;
        bool carried = false;
        try {
            connection_ = source_->connect(goes_on());
            tell_notes();
            if (!connection_) continue;
            carried = carry();
            reason = !is_lost_ ? connection_->end_text()
                     : carried ? "nothing has come for 10 s"
                               : "nothing has come for 90 s";
            if (is_lost_ && !carried) kind = SourceError::Kind::waited;
            if (reason.empty()) reason = "the stream ended";
        } catch (const SourceError& error) {
            reason = error.what();
            kind = error.kind();
        } catch (const IngestError&) {
            output_->end();  // for good: the names are not left behind
            throw;
        } catch (const Error&) {
            throw;
        } catch (const std::runtime_error& error) {
            reason = error.what();
        }
        if (connection_) bytes_before_ += connection_->received();
        connection_.reset();
        figures_.srt.reset();
        figures_.peer.clear();
        if (stop_ || (options_.once && carried)) break;
        await_next(carried, reason, kind);
    }
    output_->end();
    set_state(IngestState::ended, {});
    return figures_;
}

}  // namespace

std::string_view name_of(IngestState state) {
    switch (state) {
        case IngestState::connecting:
            return "connecting";
        case IngestState::listening:
            return "listening";
        case IngestState::live:
            return "live";
        case IngestState::stalled:
            return "stalled";
        case IngestState::backoff:
            return "backoff";
        case IngestState::rejected:
            return "rejected";
        case IngestState::ended:
            return "ended";
    }
    return "";
}

IngestFigures run_ingest(const IngestOptions& options, IngestObserver& observer, const std::atomic<bool>& stop) {
    return Ingest(options, observer, stop).run();
}

}  // namespace ringcast::ingest
