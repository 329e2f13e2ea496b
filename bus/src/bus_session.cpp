// SPDX-License-Identifier: Apache-2.0
#include "bus_session.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "flow_plan.hpp"
#include "names.hpp"
#include "ring_copy.hpp"
#include "ringcast/error.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

constexpr mode_t kWriterLockMode = 0600;
constexpr std::chrono::seconds kBusLockTimeout{10};

template <std::size_t N>
void copy_name(std::array<char, N>& target, const std::string& text) {
    std::copy_n(text.data(), std::min(text.size(), N - 1), target.data());
}

/// What stands under a name, if it is ours; a damaged leftover counts as nothing and is replaced.
std::optional<ShmObject> open_leftover(const std::string& name, layout::ObjectType type) {
    try {
        return ShmObject::open(name, ShmObject::Access::read_write, type);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::permission) throw;
        return std::nullopt;
    }
}

/// The ring of a flow that stands, when it can be written on: nullopt when its descriptors contradict each other.
std::optional<FlowWriter> continue_ring(const ShmObject& object, FlowKind kind) {
    const auto geometry = read_geometry(*object.as<layout::FlowHeader>(), object.size());
    if (!geometry || geometry->kind != kind) return std::nullopt;
    return FlowWriter::take_over(FlowMemory(object.data(), *geometry));
}

/// The caps in force in a ring: those of its newest whole record, else the object's.
std::pair<layout::Caps, std::uint32_t> caps_in_force(const FlowMemory& memory, std::uint64_t next) {
    const std::uint64_t slots = memory.geometry.slot_count;
    for (std::uint64_t index = next; index > memory.geometry.first_index && next - index < slots; --index) {
        const layout::Descriptor& slot = memory.slot(index - 1);
        const std::uint64_t committed = make_stamp(index - 1, layout::SlotState::committed);
        if (slot.stamp.load(std::memory_order_relaxed) != committed) continue;
        const RecordFields fields = load_fields(slot);
        return {fields.caps, fields.caps_generation};
    }
    return {memory.header->caps, memory.header->caps_generation};
}

}  // namespace

FileLock lock_bus(const std::string& bus) {
    FileLock lock = FileLock::lock_file(bus_lock_path(bus), kWriterLockMode, kBusLockTimeout);
    lock.write_holder();
    return lock;
}

BusSession::BusSession(const ProducerOptions& options)
    : bus_name_(options.bus), access_(options), fork_generation_(fork_generation()) {
    check_owner();
    const FileLock bus_lock = lock_bus(bus_name_);
    std::vector<Locks> locks = take_locks(options);
    const bool joins = is_other_writer_alive(locks);
    const bool goes_on = joins ? open_existing() : take_over(options);
    if (!goes_on) remove_leftovers();
    // Before anything is made: who has no room is told what all of it needs.
    const FlowPlans plans = plan_for(options, locks);
    if (!goes_on) start(options);
    if (goes_on && !joins) {
        // Nobody will write what the dead producer had and this one has not.
        for (const FlowKind kind : kAllFlows) {
            const auto is_kind = [&](const Locks& own) { return own.kind == kind; };
            if (std::none_of(locks.begin(), locks.end(), is_kind)) remove_flow(kind);
        }
    }
    add_flows(options, plans, std::move(locks));
    publish(!goes_on);
}

BusSession::~BusSession() {
    // Not ended: the locks go with the members, and a wake makes the readers look at once. A forked child has neither.
    if (!ended_ && fork_generation_ == fork_generation()) wake();
}

void BusSession::check_owner() const {
    struct stat info {};
    const std::string path = shm_path(bus_object(bus_name_));
    if (::stat(path.c_str(), &info) == 0 && info.st_uid != ::geteuid()) {
        throw Error(ErrorCode::permission, "bus '" + bus_name_ + "' belongs to uid " + std::to_string(info.st_uid) +
                                               ", this process runs as uid " + std::to_string(::geteuid()) +
                                               ": use another bus name");
    }
}

std::vector<BusSession::Locks> BusSession::take_locks(const ProducerOptions& options) const {
    std::vector<FlowKind> kinds;
    if (options.video) kinds.push_back(FlowKind::video);
    if (options.audio) kinds.push_back(FlowKind::audio);
    if (options.packets) kinds.push_back(FlowKind::packets);
    if (options.events) kinds.push_back(FlowKind::events);
    std::vector<Locks> locks;
    for (const FlowKind kind : kinds) {
        const std::string path = writer_lock_path(bus_name_, kind);
        auto writer = FileLock::try_lock_file(path, kWriterLockMode);
        if (!writer) {
            throw Error(ErrorCode::busy, "bus '" + bus_name_ + "': its " + std::string(name_of(kind)) +
                                             " flow is being written by pid " + std::to_string(noted_holder(path)) +
                                             "; stop that producer or use another bus name");
        }
        writer->write_holder();
        auto liveness = FileLock::try_lock_file(liveness_path(bus_name_, kind), access_.liveness_mode());
        if (!liveness) {
            // Group members may open this file and could hold a lock on it; the writer lock decides, so make it anew.
            ::unlink(liveness_path(bus_name_, kind).c_str());
            liveness = FileLock::try_lock_file(liveness_path(bus_name_, kind), access_.liveness_mode());
        }
        if (!liveness) throw Error(ErrorCode::busy, "liveness file of bus '" + bus_name_ + "' cannot be locked");
        access_.apply(liveness->fd(), access_.liveness_mode(), liveness_path(bus_name_, kind));
        locks.push_back({kind, std::move(*writer), std::move(*liveness)});
    }
    return locks;
}

bool BusSession::is_other_writer_alive(const std::vector<Locks>& own) const {
    return std::any_of(std::begin(kAllFlows), std::end(kAllFlows), [&](FlowKind kind) {
        const bool is_own = std::any_of(own.begin(), own.end(), [&](const Locks& locks) { return locks.kind == kind; });
        return !is_own && is_locked(liveness_path(bus_name_, kind));
    });
}

/// Before the new objects are made, so that a full ring's memory is free for its successor. Readers that still map the
/// old object see the mark, drain it, and wait for the name.
void BusSession::remove_flow(FlowKind kind) const {
    const std::string name = flow_object(bus_name_, kind);
    if (const auto old = open_leftover(name, layout::ObjectType::flow)) {
        old->as<layout::FlowHeader>()->superseded.store(1, std::memory_order_release);
    }
    ::unlink(shm_path(name).c_str());
}

void BusSession::remove_leftovers() const {
    for (const FlowKind kind : kAllFlows)
        remove_flow(kind);
    const std::string name = bus_object(bus_name_);
    const auto old = open_leftover(name, layout::ObjectType::bus);
    ::unlink(shm_path(name).c_str());
    ::unlink(shm_path(board_object(bus_name_)).c_str());
    if (old) {
        auto& header = *old->as<layout::BusHeader>();
        header.superseded.store(1, std::memory_order_release);
        header.wake_word.fetch_add(1, std::memory_order_release);
        futex_wake_all(header.wake_word);
    }
}

void BusSession::start(const ProducerOptions& options) {
    session_ = random_session();
    board_ = ShmObject::create(board_object(bus_name_), kBoardSize, access_.board_mode());
    access_.apply(board_->fd(), access_.board_mode(), "the board");
    format_board(*board_->as<layout::BoardHeader>(), bus_name_, session_);
    board_view_ = BoardView::of(*board_);
    bus_ = ShmObject::create(bus_object(bus_name_), sizeof(layout::BusHeader), access_.object_mode());
    access_.apply(bus_->fd(), access_.object_mode(), "the bus object");
    auto& header = *bus_->as<layout::BusHeader>();
    fill_object_header(header.object, layout::ObjectType::bus, sizeof(header), sizeof(header), session_);
    copy_name(header.bus_name, bus_name_);
    copy_name(header.producer_name, options.name);
    header.epoch_ns = monotonic_ns();
    header.epoch_realtime_ns = realtime_ns();
    header.writer_mode = static_cast<std::uint32_t>(options.mode);
}

bool BusSession::open_existing() {
    auto bus = open_leftover(bus_object(bus_name_), layout::ObjectType::bus);
    auto board = open_leftover(board_object(bus_name_), layout::ObjectType::board);
    if (!bus || !board || bus->as<layout::BusHeader>()->ended.load(std::memory_order_acquire) != 0) return false;
    board_view_ = BoardView::of(*board);
    if (!board_view_) return false;
    const auto& header = *bus->as<layout::BusHeader>();
    const std::uint64_t live = header.live_session.load(std::memory_order_acquire);
    session_ = live != 0 ? live : header.object.session;
    bus_ = std::move(bus);
    board_ = std::move(board);
    return true;
}

/// Nobody writes. The bus goes on when all that stands in its fixed parts is still true.
bool BusSession::take_over(const ProducerOptions& options) {
    if (!open_existing()) return false;
    std::array<char, layout::kNameBytes> name{};
    copy_name(name, options.name);
    if (header().writer_mode != static_cast<std::uint32_t>(options.mode) || header().producer_name != name)
        return false;
    session_ = random_session();
    header().live_session.store(session_, std::memory_order_release);
    // A lossless writer that was killed while it waited can no longer take itself off.
    board_view_->header().writer_waiting.store(0, std::memory_order_seq_cst);
    // This one waits for everybody anew.
    for (auto& evicted : header().evicted_attached_ns)
        evicted.store(0, std::memory_order_relaxed);
    access_.apply(bus_->fd(), access_.object_mode(), "the bus object");
    access_.apply(board_->fd(), access_.board_mode(), "the board");
    return true;
}

FlowPlans BusSession::plan_for(const ProducerOptions& options, const std::vector<Locks>& locks) const {
    // What stands under the names of our flows is ours to use again.
    std::uint64_t reusable = fixed_parts_size();
    for (const Locks& own : locks) {
        const auto object = open_leftover(flow_object(bus_name_, own.kind), layout::ObjectType::flow);
        if (object) reusable += object->size();
    }
    return plan_flows(options, free_shm_bytes() + reusable);
}

/// What a plan counts for bus object and board, when they are there.
std::uint64_t BusSession::fixed_parts_size() const {
    return (bus_ ? bus_->size() : 0) + (board_ ? board_->size() : 0);
}

/// The flow's own part of the bus as a dead or ended writer left it; what cannot be written on is removed.
BusSession::Before BusSession::look_back(const FlowPlan& plan) {
    Before before;
    before.first_index = header().ended_index[static_cast<std::size_t>(plan.kind)];
    auto old = open_leftover(flow_object(bus_name_, plan.kind), layout::ObjectType::flow);
    if (!old) return before;
    auto& header = *old->as<layout::FlowHeader>();
    const bool usable =
        header.superseded.load(std::memory_order_acquire) == 0 && header.ended.load(std::memory_order_acquire) == 0;
    if (auto writer = continue_ring(*old, plan.kind)) {
        const FlowMemory memory(old->data(), *read_geometry(header, old->size()));
        const auto [caps, generation] = caps_in_force(memory, writer->next_index());
        before.generation = generation + (same(caps, plan.caps) ? 0 : 1);
        before.first_index = writer->next_index();
        if (usable && holds(memory.geometry, plan)) {
            header.depth_ns = plan.depth_ns;
            header.depth_wanted_ns = plan.depth_wanted_ns;
            before.object = std::move(old);
            before.writer = std::move(writer);
            return before;
        }
    }
    remove_flow(plan.kind);
    has_superseded_ = true;
    return before;
}

void BusSession::add_flows(const ProducerOptions& options, FlowPlans plans, std::vector<Locks> locks) {
    std::vector<Before> before;
    std::uint64_t needed = 0;
    std::uint64_t kept = 0;
    for (const FlowPlan& plan : plans.flows) {
        before.push_back(look_back(plan));
        (before.back().object ? kept : needed) += plan.bytes();
    }
    // A reader that still maps what was removed keeps its memory: the default depth shrinks to what is really free.
    if (needed > 0 && has_superseded_) plans = plan_flows(options, free_shm_bytes() + kept + fixed_parts_size());
    warning_ = plans.warning;
    for (std::size_t number = 0; number < plans.flows.size(); ++number) {
        const FlowPlan& plan = plans.flows[number];
        const auto own = std::find_if(locks.begin(), locks.end(), [&](const Locks& l) { return l.kind == plan.kind; });
        flows_[static_cast<std::size_t>(plan.kind)] =
            std::make_unique<OwnedFlow>(make_owned(plan, std::move(*own), std::move(before[number])));
    }
}

OwnedFlow BusSession::make_owned(const FlowPlan& plan, Locks locks, Before before) const {
    if (before.object) {
        access_.apply(before.object->fd(), access_.object_mode(), "the " + std::string(name_of(plan.kind)) + " flow");
    } else {
        before.object = make_flow(plan, before.first_index);
        auto& header = *before.object->as<layout::FlowHeader>();
        header.caps_generation = before.generation;
        before.writer.emplace(FlowMemory(before.object->data(), *read_geometry(header, before.object->size())));
    }
    return {std::move(locks.writer),
            std::move(locks.liveness),
            std::move(*before.object),
            std::move(*before.writer),
            plan.caps,
            before.generation,
            plan.depth_ns};
}

ShmObject BusSession::make_flow(const FlowPlan& plan, std::uint64_t first_index) const {
    ShmObject object = ShmObject::create(flow_object(bus_name_, plan.kind), plan.bytes(), access_.object_mode());
    access_.apply(object.fd(), access_.object_mode(), "the " + std::string(name_of(plan.kind)) + " flow");
    auto& header = *object.as<layout::FlowHeader>();
    format_flow(header, plan.kind, plan.slot_count, plan.arena_size, first_index, session_);
    copy_name(header.bus_name, bus_name_);
    header.depth_ns = plan.depth_ns;
    header.depth_wanted_ns = plan.depth_wanted_ns;
    header.caps = plan.caps;
    return object;
}

void BusSession::flush() {
    const FileLock bus_lock = lock_bus(bus_name_);
    for (const FlowKind kind : kAllFlows) {
        std::uint64_t index = 0;
        // From the header also of an own flow: its writer may be another thread.
        if (const OwnedFlow* own = flow(kind)) {
            index = own->object.as<layout::FlowHeader>()->head.load(std::memory_order_acquire);
        } else if (const auto other = open_leftover(flow_object(bus_name_, kind), layout::ObjectType::flow)) {
            index = other->as<layout::FlowHeader>()->head.load(std::memory_order_acquire);
        } else {
            continue;
        }
        header().flush_index[static_cast<std::size_t>(kind)].store(index, std::memory_order_relaxed);
    }
    // SYNC E: pairs with the acquire load in BusReader::flush(): who sees the generation sees its indices or later
    // ones.
    header().flush_generation.fetch_add(1, std::memory_order_release);
    wake();
}

void BusSession::publish(bool is_new) {
    for (const auto& flow : flows_) {
        if (flow && !flow->object.is_still_named()) flow->object.publish();
    }
    if (is_new) {
        board_->publish();
        bus_->publish();
    }
    wake();
}

void BusSession::end() {
    if (ended_) return;
    for (const auto& owned : flows_) {
        if (owned) owned->object.as<layout::FlowHeader>()->ended.store(1, std::memory_order_release);
    }
    const FileLock bus_lock = lock_bus(bus_name_);  // may throw: then end() can be called again
    ended_ = true;
    const bool is_last = std::none_of(std::begin(kAllFlows), std::end(kAllFlows), [&](FlowKind kind) {
        return flow(kind) == nullptr && is_locked(liveness_path(bus_name_, kind));
    });
    if (is_last) header().ended.store(1, std::memory_order_release);
    wake();
    for (const FlowKind kind : kAllFlows) {
        OwnedFlow* owned = flow(kind);
        if (owned == nullptr) continue;
        header().ended_index[static_cast<std::size_t>(kind)] = owned->writer.next_index();
        owned->object.unlink();
        ::unlink(writer_lock_path(bus_name_, kind).c_str());
        ::unlink(liveness_path(bus_name_, kind).c_str());
    }
    if (is_last) {
        board_->unlink();
        bus_->unlink();
        ::unlink(bus_lock_path(bus_name_).c_str());
    }
}

void BusSession::write(OwnedFlow& flow, RecordFields fields, std::span<const std::byte> payload) {
    const auto slot = flow.writer.begin(payload.size());
    if (!slot) {
        throw Error(ErrorCode::too_large, "bus '" + bus_name_ + "': a record of " + std::to_string(payload.size()) +
                                              " bytes is more than half the " +
                                              std::string(name_of(flow.object.as<layout::FlowHeader>()->kind)) +
                                              " ring; ask for more depth");
    }
    copy_into_ring(slot->data(), payload.data(), payload.size());
    fields.session = session_;
    flow.writer.commit(fields);
    wake();
}

OwnedFlow* BusSession::flow(FlowKind kind) noexcept {
    return flows_[static_cast<std::size_t>(kind)].get();
}

void BusSession::wake() noexcept {
    // SYNC C: pairs with the acquire load in BusReader::ticket().
    header().wake_word.fetch_add(1, std::memory_order_release);
    futex_wake_all(header().wake_word);
}

}  // namespace ringcast
