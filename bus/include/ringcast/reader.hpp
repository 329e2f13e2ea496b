// SPDX-License-Identifier: Apache-2.0
/// The reading end of a bus: one sink's, or the inspector's.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ringcast/caps.hpp"
#include "ringcast/layout.hpp"

namespace ringcast {

/// Being early or overrun is normal life, not an error.
enum class ReadStatus {
    ok,       ///< the record was used and was whole the whole time
    not_yet,  ///< nothing new
    overrun,  ///< the record was overwritten while in use: throw away what came of it, it is counted, read on
    ended,    ///< the producer ended the stream and every record was read
    damaged,  ///< the object breaks its own rules; the flow is not read any more
};

/// One record as a reader sees it; `payload` points into the ring and is only valid inside the callback.
struct Record {
    std::uint64_t index = 0;
    std::int64_t pts_ns = 0;
    std::int64_t dts_ns = 0;
    std::int64_t duration_ns = 0;
    std::int64_t capture_time_ns = 0;
    std::uint64_t media_index = 0;  ///< video: frame index; audio: absolute index of the first sample
    std::uint64_t session = 0;
    std::uint32_t flags = 0;  ///< layout::RecordFlag
    std::uint32_t stream_id = 0;
    std::uint32_t caps_generation = 0;
    std::uint32_t sample_count = 0;
    layout::Caps caps{};  ///< checked against the payload for raw flows
    std::span<const std::byte> payload;
};

/// lost = overrun + aborted; delivered + lost = head - first index asked for, exactly.
struct ReadCounts {
    std::uint64_t delivered = 0;
    std::uint64_t overrun = 0;
    std::uint64_t aborted = 0;
};

/// One flow, in order. Not thread-safe; one thread reads all flows of a bus.
class FlowReader {
public:
    virtual ~FlowReader() = default;

    /// Video and audio: calls `use` with the record at the cursor, in place, then re-checks its stamp. `use` must
    /// tolerate torn bytes: it may copy, convert or scale, and its result counts only when ok is returned.
    /// Packets and events, which are parsed: copied, checked, and `use` is only called with what was whole.
    /// The cursor moves past the record on ok and on overrun; records lost before it are counted first.
    virtual ReadStatus try_read(const std::function<void(const Record&)>& use) = 0;
    /// Like try_read, without moving the cursor and without payload.
    virtual ReadStatus try_peek(Record& record) = 0;

    // Where to start in what the ring still holds; without a record all of them put the cursor at head.
    virtual void seek_oldest() = 0;  ///< the oldest committed record
    virtual void seek_newest() = 0;  ///< the newest committed record
    /// The newest record at which decoding may start. Of a packets flow: the newest keyframe of its video (else of any
    /// stream) with the configuration records that stand directly before it; oldest when there is none.
    virtual void seek_keyframe() = 0;
    /// The newest record with pts <= `pts_ns`, else the oldest. Of a packets flow: then back to the keyframe before it.
    virtual void seek_pts(std::int64_t pts_ns) = 0;

    [[nodiscard]] virtual FlowKind kind() const = 0;
    [[nodiscard]] virtual const layout::Caps& initial_caps() const = 0;
    [[nodiscard]] virtual std::uint64_t cursor() const = 0;
    [[nodiscard]] virtual std::uint64_t head() const = 0;
    [[nodiscard]] virtual std::uint64_t first_index() const = 0;  ///< of this object
    [[nodiscard]] virtual std::uint64_t slot_count() const = 0;
    [[nodiscard]] virtual std::uint64_t depth_ns() const = 0;
    [[nodiscard]] virtual ReadCounts counts() const = 0;
};

/// The reader's own cell on the board; every call is a relaxed store. Does nothing when the board is full or absent.
class BoardEntry {
public:
    virtual ~BoardEntry() = default;
    virtual void set_state(layout::SinkState state, std::string_view reason = {}) = 0;
    /// Raw access for counters (relaxed stores); nullptr when there is no cell.
    [[nodiscard]] virtual layout::BoardCell* cell() = 0;
    /// The same for what is measured; nullptr also on a board made before layout 1.2.
    [[nodiscard]] virtual layout::BoardGauges* gauges() = 0;

    // What a sink shows under names of its own, since layout 1.3: each has a place below layout::kBoardFigureCount or
    // kBoardTextCount, and keeps it. One thread at a time.
    /// layout::kNoFigure: none any more.
    virtual void show_figure(std::size_t place, std::string_view name, std::int64_t value) noexcept = 0;
    /// Empty: none any more.
    virtual void show_text(std::size_t place, std::string_view name, std::string_view text) noexcept = 0;
    /// How many figures and texts have no place.
    virtual void show_left_out(std::uint32_t count) noexcept = 0;
};

struct ReaderOptions {
    std::string bus;
    std::string name;       ///< shown by the inspector
    std::string plugin;     ///< shown by the inspector
    bool lossless = false;  ///< ask a lossless writer to wait for this reader
    bool on_board = true;   ///< inspectors leave no trace
    /// Flows this reader reads, by FlowKind; a lossless writer waits for no other, and flow() is nullptr for them.
    std::array<bool, layout::kFlowCount> flows{true, true, true, true};
};

/// What the producer declared void because the avatar was interrupted.
struct FlushState {
    std::uint64_t generation = 0;                           ///< counts flushes of this bus; 0: never
    std::array<std::uint64_t, layout::kFlowCount> index{};  ///< per flow: unsent records below are void
};

enum class WaitResult {
    woken,        ///< look at all flows again
    timed_out,    ///< the deadline passed
    interrupted,  ///< interrupt() was called
};

/// A bus, mapped read-only, from its start to its end or until another bus takes the name.
class BusReader {
public:
    /// nullptr when no bus of that name is there or its producer is gone for good (ended, or dead without a lock).
    /// Throws Error(damaged, permission, unsupported, system) otherwise.
    static std::unique_ptr<BusReader> try_attach(const ReaderOptions& options);
    /// Waits (inotify, no polling) until try_attach succeeds, `interrupt_fd` gets readable, or the deadline passes.
    static std::unique_ptr<BusReader> attach(const ReaderOptions& options, int interrupt_fd,
                                             std::optional<std::chrono::steady_clock::time_point> deadline);
    virtual ~BusReader() = default;

    /// nullptr while the flow does not exist. The pointer stays valid as long as this object. It stands at the oldest
    /// record of the session that was live when the flow was opened; seek_oldest() also shows what a dead one left.
    virtual FlowReader* flow(FlowKind kind) = 0;
    /// Opens flows that came since, and moves on to the object that superseded a drained one. Cheap; call it when
    /// woken.
    virtual void refresh() = 0;

    /// A ticket to pass to wait(): take it, look at all flows, then wait with it. Nothing in between is missed.
    [[nodiscard]] virtual std::uint32_t ticket() const = 0;
    /// Sleeps until a writer publishes after the ticket was taken, at most 1 s at a time inside.
    virtual WaitResult wait(std::uint32_t ticket, std::chrono::steady_clock::time_point deadline) = 0;
    /// Ends wait(), also one that is about to begin. Any thread; a signal handler that hits the waiting thread between
    /// its last look and its sleep is noticed at the next wake, after 1 s at the latest.
    virtual void interrupt() = 0;

    [[nodiscard]] virtual bool ended() const = 0;         ///< end() was called; flows may still hold unread records
    [[nodiscard]] virtual bool superseded() const = 0;    ///< another bus took the name: drain, then attach again
    [[nodiscard]] virtual bool writer_alive() const = 0;  ///< kernel lock of any flow of this bus is held
    /// The session whose writers write now. It changes when a new producer takes over the objects of a dead one;
    /// records carry the session they belong to.
    [[nodiscard]] virtual std::uint64_t session() const = 0;
    [[nodiscard]] virtual FlushState flush() const = 0;
    [[nodiscard]] virtual std::int64_t epoch_ns() const = 0;
    [[nodiscard]] virtual std::int64_t epoch_realtime_ns() const = 0;
    [[nodiscard]] virtual std::uint32_t writer_mode() const = 0;
    [[nodiscard]] virtual const std::string& producer_name() const = 0;
    virtual BoardEntry& board() = 0;
};

}  // namespace ringcast
