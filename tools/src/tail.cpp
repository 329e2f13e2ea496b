// SPDX-License-Identifier: Apache-2.0
/// `ringcast tail`: the records of a bus as they are committed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "attach.hpp"
#include "clock.hpp"
#include "command.hpp"
#include "stop_signal.hpp"
#include "tail_format.hpp"

namespace ringcast::tools {

namespace {

constexpr int kBatch = 256;  // records between two looks at signals and at a reader of ours that went away
constexpr std::chrono::seconds kLongestWait{1};
constexpr std::chrono::seconds kStartPatience{10};  // a producer reserves and touches all its memory first

struct Options {
    std::string bus;
    std::vector<std::string> flows;
    std::uint64_t count = 0;  ///< 0: no limit
    bool oldest = false;
    bool wait = false;
    bool json = false;
};

class Tail {
public:
    explicit Tail(const Options& options) : options_(options), format_(options.json, Screen::of_stdout()) {
        for (const FlowKind kind : {FlowKind::video, FlowKind::audio, FlowKind::packets, FlowKind::events}) {
            const bool wanted = options.flows.empty() || std::find(options.flows.begin(), options.flows.end(),
                                                                   name_of(kind)) != options.flows.end();
            if (wanted) wanted_.push_back(kind);
        }
    }

    int run() {
        if (options_.oldest) start_ = Start::oldest;
        if (options_.wait) start_ = Start::session;
        while (!stop_.requested()) {
            const std::unique_ptr<BusReader> reader = attach();
            if (!reader) break;
            if (!titled_ && !print(format_.title())) break;
            titled_ = true;
            stop_.watch(reader.get());
            const Outcome outcome = follow(*reader);
            stop_.watch(nullptr);
            if (outcome == Outcome::finished) break;
            // The next session's first records are the continuation, so none of them is skipped.
            start_ = Start::session;
        }
        return kExitOk;
    }

private:
    enum class Outcome { finished, attach_again };
    enum class Start { newest, oldest, session };  // session: where a reader stands that does not seek

    struct Followed {
        FlowReader* flow = nullptr;
        bool open = true;
        ReadCounts reported;
    };
    /// What was last said of a flow; outlives a session.
    struct Said {
        std::uint64_t session = 0;
        std::uint32_t caps_generation = 0;
    };

    std::unique_ptr<BusReader> attach() {
        const ReaderOptions options{.bus = options_.bus, .name = "tail", .plugin = {}, .on_board = false};
        if (options_.wait) return BusReader::attach(options, stop_.fd(), std::nullopt);
        return attach_or_explain(options, stop_.fd(), std::chrono::steady_clock::now() + kStartPatience,
                                 "wait for the next one with --wait, or ");
    }

    Outcome follow(BusReader& reader) {
        followed_.clear();
        for (;;) {
            const std::uint32_t ticket = reader.ticket();
            // Both are read before the last look at the flows: what was published earlier is then certainly seen.
            const bool superseded = reader.superseded();
            const bool alive = reader.writer_alive();
            const bool ended = reader.ended();
            open_flows(reader);
            bool more = true;
            while (more) {
                more = read_batch();
                if (!flush() || stop_.requested() || counted_out()) return Outcome::finished;
            }
            if (ended) {
                print(format_.end(options_.bus, totals_));
                return Outcome::finished;
            }
            if (superseded) return Outcome::attach_again;
            if (!alive && !reader.ended()) return producer_gone();
            if (all_damaged()) throw VerbError("bus \"" + options_.bus + "\" is damaged: its records cannot be read");
            reader.wait(ticket, std::chrono::steady_clock::now() + kLongestWait);
        }
    }

    Outcome producer_gone() const {
        const std::string text = "the producer of bus \"" + options_.bus + "\" is gone without ending the stream";
        if (!options_.wait) throw VerbError(text);
        std::fprintf(stderr, "ringcast tail: %s; waiting for the next one\n", text.c_str());
        return Outcome::attach_again;
    }

    void open_flows(BusReader& reader) {
        reader.refresh();
        for (const FlowKind kind : wanted_) {
            if (followed_.contains(kind)) continue;
            FlowReader* flow = reader.flow(kind);
            if (flow == nullptr) continue;
            if (start_ == Start::oldest) flow->seek_oldest();
            if (start_ == Start::newest) flow->seek_newest();
            followed_[kind] = {.flow = flow, .open = true, .reported = flow->counts()};
        }
        if (followed_.empty() && !options_.flows.empty() && !told_missing_) {
            std::fprintf(stderr, "ringcast tail: bus \"%s\" has no such flow yet; waiting for it\n",
                         options_.bus.c_str());
            told_missing_ = true;
        }
    }

    /// Reads up to kBatch records, oldest capture time first over all flows. False when nothing is left.
    bool read_batch() {
        for (int i = 0; i < kBatch && !counted_out(); ++i) {
            Followed* next = nullptr;
            std::int64_t earliest = 0;
            for (auto& [kind, candidate] : followed_) {
                if (!candidate.open) continue;
                Record record;
                const ReadStatus status = candidate.flow->try_peek(record);
                if (status == ReadStatus::damaged) give_up(candidate);
                const bool readable = status == ReadStatus::ok || status == ReadStatus::overrun;
                if (!readable) continue;
                // An overrun one goes first: reading it counts the loss and finds the next record.
                const std::int64_t capture = status == ReadStatus::ok ? record.capture_time_ns : INT64_MIN;
                if (next == nullptr || capture < earliest) {
                    next = &candidate;
                    earliest = capture;
                }
            }
            if (next == nullptr) return false;
            read_one(*next);
        }
        return true;
    }

    void read_one(Followed& followed) {
        Record seen;
        const ReadStatus status = followed.flow->try_read([&](const Record& record) { seen = record; });
        if (status == ReadStatus::damaged) give_up(followed);
        const FlowKind kind = followed.flow->kind();
        report_losses(followed, status == ReadStatus::ok ? seen.index : followed.flow->cursor());
        if (status != ReadStatus::ok) return;
        Said& said = said_[{kind, seen.stream_id}];
        if (said.session != 0 && said.session != seen.session) pending_ += format_.session(kind, seen);
        if (said.caps_generation != seen.caps_generation || said.session != seen.session) {
            pending_ += format_.caps(kind, seen);
        }
        said = {.session = seen.session, .caps_generation = seen.caps_generation};
        pending_ += format_.record(kind, seen, wrapping_difference(monotonic_now_ns(), seen.capture_time_ns));
        ++totals_.records;
    }

    void report_losses(Followed& followed, std::uint64_t before_index) {
        const ReadCounts counts = followed.flow->counts();
        const std::uint64_t overrun = counts.overrun - followed.reported.overrun;
        const std::uint64_t aborted = counts.aborted - followed.reported.aborted;
        followed.reported = counts;
        if (overrun + aborted == 0) return;
        pending_ += format_.lost(followed.flow->kind(), overrun, aborted, before_index);
        totals_.lost += overrun + aborted;
    }

    void give_up(Followed& followed) {
        followed.open = false;
        std::fprintf(stderr, "ringcast tail: the %s flow of bus \"%s\" is damaged and is not read any more\n",
                     std::string(name_of(followed.flow->kind())).c_str(), options_.bus.c_str());
    }

    [[nodiscard]] bool all_damaged() const {
        return !followed_.empty() &&
               std::none_of(followed_.begin(), followed_.end(), [](const auto& entry) { return entry.second.open; });
    }
    [[nodiscard]] bool counted_out() const { return options_.count != 0 && totals_.records >= options_.count; }

    /// False when nobody reads stdout any more.
    bool flush() {
        const std::string text = std::exchange(pending_, {});
        return text.empty() || print(text);
    }

    const Options& options_;
    TailFormat format_;
    StopSignal stop_;
    std::vector<FlowKind> wanted_;
    std::map<FlowKind, Followed> followed_;
    std::map<std::pair<FlowKind, std::uint32_t>, Said> said_;  // by flow and elementary stream
    TailTotals totals_;
    std::string pending_;
    Start start_ = Start::newest;
    bool titled_ = false;
    bool told_missing_ = false;
};

}  // namespace

void add_tail(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("tail", "Print the records of a bus as they are committed.");
    verb.set_usage("BUS [--flow FLOW ...] [-n COUNT] [--oldest] [--wait] [--json]");
    verb.option("bus", options->bus, "Name of the bus.").required().check(check_bus_name).type_name("NAME");
    verb.option("-f,--flow", options->flows, "Only this flow; may be given again. Without it, all.")
        .one_of({"video", "audio", "packets", "events"})
        .one_value_each();
    verb.option("-n,--count", options->count, "End after so many records.").check(check_count).type_name("COUNT");
    verb.flag("--oldest", options->oldest, "Begin with the oldest record in the ring, not the newest.");
    verb.flag("--wait", options->wait, "Wait for the bus, and for the next producer when this one dies.");
    verb.flag("--json", options->json, "Print JSON lines: record, caps, lost, session, end.");
    verb.set_footer(
        "Ends with exit code 0 at the end of the stream and on SIGINT. AGE is the time from the commit of a\n"
        "record to its reading here. Leaves no trace on the bus: no reader, no writer notices.\n\n"
        "Examples:\n"
        "  ringcast tail talk\n"
        "  ringcast tail talk --flow audio -n 10\n"
        "  ringcast tail talk --wait --json");
    run_as_verb(verb, exit_code, [options] { return Tail(*options).run(); });
}

}  // namespace ringcast::tools
