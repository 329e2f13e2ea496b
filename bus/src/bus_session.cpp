// SPDX-License-Identifier: Apache-2.0
#include "bus_session.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "flow_plan.hpp"
#include "names.hpp"
#include "ringcast/error.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

constexpr mode_t kObjectMode = 0640;
constexpr mode_t kBoardMode = 0660;
constexpr mode_t kWriterLockMode = 0600;
constexpr mode_t kLivenessMode = 0640;
constexpr std::chrono::seconds kBusLockTimeout{10};

template <std::size_t N>
void copy_name(std::array<char, N>& target, const std::string& text) {
    std::copy_n(text.data(), std::min(text.size(), N - 1), target.data());
}

FileLock lock_bus(const std::string& bus) {
    FileLock lock = FileLock::lock_file(bus_lock_path(bus), kWriterLockMode, kBusLockTimeout);
    lock.write_holder();
    return lock;
}

ShmObject make_flow(const std::string& bus, const FlowPlan& plan, std::uint64_t session) {
    ShmObject object = ShmObject::create(flow_object(bus, plan.kind), plan.bytes(), kObjectMode);
    auto& header = *object.as<layout::FlowHeader>();
    format_flow(header, plan.kind, plan.slot_count, plan.arena_size, 0, session);
    copy_name(header.bus_name, bus);
    header.depth_ns = plan.depth_ns;
    header.depth_wanted_ns = plan.depth_wanted_ns;
    header.caps = plan.caps;
    return object;
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

}  // namespace

BusSession::BusSession(const ProducerOptions& options) : bus_name_(options.bus), fork_generation_(fork_generation()) {
    check_owner();
    const FileLock bus_lock = lock_bus(bus_name_);
    std::vector<Locks> locks = take_locks(options);
    const bool is_new = !is_other_writer_alive(locks) || !join();
    if (is_new) {
        remove_leftovers();
        start(options);
    }
    add_flows(options, std::move(locks));
    publish(is_new);
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
        auto liveness = FileLock::try_lock_file(liveness_path(bus_name_, kind), kLivenessMode);
        if (!liveness) {
            // Group members may open this file and could hold a lock on it; the writer lock decides, so make it anew.
            ::unlink(liveness_path(bus_name_, kind).c_str());
            liveness = FileLock::try_lock_file(liveness_path(bus_name_, kind), kLivenessMode);
        }
        if (!liveness) throw Error(ErrorCode::busy, "liveness file of bus '" + bus_name_ + "' cannot be locked");
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
/// old objects see the mark, drain, and wait for the name.
void BusSession::remove_leftovers() const {
    for (const FlowKind kind : kAllFlows) {
        const std::string name = flow_object(bus_name_, kind);
        if (const auto old = open_leftover(name, layout::ObjectType::flow)) {
            old->as<layout::FlowHeader>()->superseded.store(1, std::memory_order_release);
        }
        ::unlink(shm_path(name).c_str());
    }
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
    board_ = ShmObject::create(board_object(bus_name_), kBoardSize, kBoardMode);
    format_board(*board_->as<layout::BoardHeader>(), bus_name_, session_);
    board_view_ = BoardView::of(*board_);
    bus_ = ShmObject::create(bus_object(bus_name_), sizeof(layout::BusHeader), kObjectMode);
    auto& header = *bus_->as<layout::BusHeader>();
    fill_object_header(header.object, layout::ObjectType::bus, sizeof(header), sizeof(header), session_);
    copy_name(header.bus_name, bus_name_);
    copy_name(header.producer_name, options.name);
    header.epoch_ns = monotonic_ns();
    header.epoch_realtime_ns = realtime_ns();
    header.writer_mode = static_cast<std::uint32_t>(options.mode);
}

bool BusSession::join() {
    auto bus = open_leftover(bus_object(bus_name_), layout::ObjectType::bus);
    auto board = open_leftover(board_object(bus_name_), layout::ObjectType::board);
    if (!bus || !board || bus->as<layout::BusHeader>()->ended.load(std::memory_order_acquire) != 0) return false;
    session_ = bus->as<layout::BusHeader>()->object.session;
    bus_ = std::move(bus);
    board_ = std::move(board);
    board_view_ = BoardView::of(*board_);
    return board_view_.has_value();
}

void BusSession::add_flows(const ProducerOptions& options, std::vector<Locks> locks) {
    FlowPlans plans = plan_flows(options);
    warning_ = std::move(plans.warning);
    for (const FlowPlan& plan : plans.flows) {
        ShmObject object = make_flow(bus_name_, plan, session_);
        const FlowMemory memory(object.data(), *read_geometry(*object.as<layout::FlowHeader>(), object.size()));
        const auto own = std::find_if(locks.begin(), locks.end(), [&](const Locks& l) { return l.kind == plan.kind; });
        flows_[static_cast<std::size_t>(plan.kind)] = std::make_unique<OwnedFlow>(OwnedFlow{
            std::move(own->writer), std::move(own->liveness), std::move(object), FlowWriter(memory), plan.caps});
    }
}

void BusSession::publish(bool is_new) {
    for (const auto& flow : flows_) {
        if (flow) flow->object.publish();
    }
    if (is_new) {
        board_->publish();
        bus_->publish();
    }
    wake();
}

void BusSession::end() {
    if (ended_) return;
    ended_ = true;
    for (const auto& owned : flows_) {
        if (owned) owned->object.as<layout::FlowHeader>()->ended.store(1, std::memory_order_release);
    }
    const FileLock bus_lock = lock_bus(bus_name_);
    const bool is_last = std::none_of(std::begin(kAllFlows), std::end(kAllFlows), [&](FlowKind kind) {
        return flow(kind) == nullptr && is_locked(liveness_path(bus_name_, kind));
    });
    if (is_last) header().ended.store(1, std::memory_order_release);
    wake();
    for (const FlowKind kind : kAllFlows) {
        OwnedFlow* owned = flow(kind);
        if (owned == nullptr) continue;
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

OwnedFlow* BusSession::flow(FlowKind kind) noexcept {
    return flows_[static_cast<std::size_t>(kind)].get();
}

void BusSession::wake() noexcept {
    // SYNC C: pairs with the acquire load in BusReader::ticket().
    header().wake_word.fetch_add(1, std::memory_order_release);
    futex_wake_all(header().wake_word);
}

}  // namespace ringcast
