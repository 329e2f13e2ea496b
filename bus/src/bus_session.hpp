// SPDX-License-Identifier: Apache-2.0
/// Making, joining, ending and leaving a bus: everything a producer does under the bus lock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "board.hpp"
#include "file_lock.hpp"
#include "flow_writer.hpp"
#include "ringcast/producer.hpp"
#include "shared_access.hpp"
#include "shm_object.hpp"

namespace ringcast {

/// What a flow object is to hold.
struct FlowPlan {
    FlowKind kind{};
    layout::Caps caps{};
    std::uint64_t slot_count = 0;
    std::uint64_t arena_size = 0;
    std::uint64_t depth_ns = 0;
    std::uint64_t depth_wanted_ns = 0;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return flow_object_size(slot_count, arena_size); }
};

struct FlowPlans {
    std::vector<FlowPlan> flows;
    std::string warning;  ///< when a default depth had to shrink
};

/// One flow this process writes.
struct OwnedFlow {
    FileLock writer_lock;
    FileLock liveness;
    ShmObject object;
    FlowWriter writer;
    layout::Caps caps;
    std::uint32_t caps_generation = 1;
    std::uint64_t depth_ns = 0;  ///< of media at `caps`; what stands in shared memory may be older, or somebody else's
};

/// The lock under which objects come and go. Throws Error when somebody keeps it for 10 s.
[[nodiscard]] FileLock lock_bus(const std::string& bus);

class BusSession {
public:
    /// Takes the writer locks (Error busy names the holder). Then one of three:
    ///   joins    writers of other flows are alive: their session goes on, with our flows in addition;
    ///   takes over  a dead producer left a bus that validates and has the same mode and name: a new session in the
    ///            same objects, at the index after the last; a flow whose format no longer fits is superseded;
    ///   starts   everything anew, what was left is superseded and removed.
    /// New objects are published flows and board first, the bus object last.
    explicit BusSession(const ProducerOptions& options);
    ~BusSession();
    BusSession(const BusSession&) = delete;
    BusSession& operator=(const BusSession&) = delete;

    /// Marks the own flows ended, and the bus when no other writer is alive; wakes; removes the names.
    void end();

    [[nodiscard]] OwnedFlow* flow(FlowKind kind) noexcept;
    [[nodiscard]] layout::BusHeader& header() noexcept { return *bus_->as<layout::BusHeader>(); }
    [[nodiscard]] const BoardView& board() const noexcept { return *board_view_; }
    [[nodiscard]] std::uint64_t session() const noexcept { return session_; }

    /// Changes what an own flow holds from the next record on, to the one format in `options`: a new caps generation in
    /// place when the ring holds the wanted depth of it, else in a superseding object that goes on at the next index.
    /// Where there is no room for that, a default depth shrinks to what the ring holds. A ring much larger than wanted
    /// is kept unless it `may_shrink`.
    /// Throws Error(no_space); the flow then stays as it was.
    void change_format(FlowKind kind, const ProducerOptions& options, bool may_shrink);

    /// Declares every record unsent so far void, in all flows of the bus (a writer elsewhere goes on meanwhile).
    void flush();
    [[nodiscard]] std::int64_t epoch_ns() const noexcept { return bus_->as<layout::BusHeader>()->epoch_ns; }
    void wake() noexcept;
    /// Publishes one record: payload, its fields with session and caps, the wake. Throws Error(too_large).
    void write(OwnedFlow& flow, RecordFields fields, std::span<const std::byte> payload);
    /// Whether readers may still have an object open that one of ours replaced.
    [[nodiscard]] bool has_superseded() const noexcept { return has_superseded_; }
    /// One line when the default depth had to shrink, else empty.
    [[nodiscard]] const std::string& warning() const noexcept { return warning_; }

private:
    struct Locks {
        FlowKind kind;
        FileLock writer;
        FileLock liveness;
    };
    [[nodiscard]] std::vector<Locks> take_locks(const ProducerOptions& options) const;
    [[nodiscard]] bool is_other_writer_alive(const std::vector<Locks>& own) const;
    void remove_flow(FlowKind kind) const;
    void remove_leftovers() const;
    void start(const ProducerOptions& options);
    bool open_existing();
    bool take_over(const ProducerOptions& options);
    /// What stands under the name of an own flow and how the flow goes on from it.
    struct Before {
        std::optional<ShmObject> object;  ///< holds what is planned: written on
        std::optional<FlowWriter> writer;
        std::uint64_t first_index = 0;
        std::uint32_t generation = 1;
    };
    [[nodiscard]] FlowPlans plan_for(const ProducerOptions& options, const std::vector<Locks>& locks) const;
    [[nodiscard]] std::uint64_t fixed_parts_size() const;
    Before look_back(const FlowPlan& plan);
    void add_flows(const ProducerOptions& options, FlowPlans plans, std::vector<Locks> locks);
    OwnedFlow make_owned(const FlowPlan& plan, Locks locks, Before before) const;
    void supersede(OwnedFlow& owned, const FlowPlan& plan);
    ShmObject make_flow(const FlowPlan& plan, std::uint64_t first_index) const;
    void publish(bool is_new);
    void check_owner() const;

    std::string bus_name_;
    SharedAccess access_;
    std::uint64_t session_ = 0;
    std::optional<ShmObject> bus_;
    std::optional<ShmObject> board_;
    std::optional<BoardView> board_view_;
    std::array<std::unique_ptr<OwnedFlow>, layout::kFlowCount> flows_;
    std::string warning_;
    std::uint32_t fork_generation_;
    bool has_superseded_ = false;
    bool ended_ = false;
};

}  // namespace ringcast
