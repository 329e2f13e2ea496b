// SPDX-License-Identifier: Apache-2.0
#include "bus_session.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

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

/// What an earlier session left under a name, if it is ours to replace; a damaged leftover is simply replaced.
std::optional<ShmObject> open_leftover(const std::string& name, layout::ObjectType type) {
    try {
        return ShmObject::open(name, ShmObject::Access::read_write, type);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::permission) throw;
        return std::nullopt;
    }
}

}  // namespace

BusSession::BusSession(const ProducerOptions& options, const std::vector<FlowPlan>& plans) : bus_name_(options.bus) {
    check_owner();
    const FileLock bus_lock = lock_bus(bus_name_);
    std::vector<Locks> locks = take_locks(plans);
    auto old_bus = open_leftover(bus_object(bus_name_), layout::ObjectType::bus);
    const bool is_new = !is_other_writer_alive(plans) || !join();
    if (is_new) start(options);
    for (std::size_t i = 0; i < plans.size(); ++i) {
        ShmObject object = make_flow(bus_name_, plans[i], session_);
        const auto geometry = read_geometry(*object.as<layout::FlowHeader>(), object.size());
        const FlowMemory memory(object.data(), *geometry);
        flows_[static_cast<std::size_t>(plans[i].kind)] =
            std::make_unique<OwnedFlow>(OwnedFlow{std::move(locks[i].writer), std::move(locks[i].liveness),
                                                  std::move(object), FlowWriter(memory), plans[i].caps});
    }
    publish(std::move(old_bus), is_new);
}

BusSession::~BusSession() {
    // Not ended: the locks go with the members, and a wake makes the readers look at once.
    if (!ended_) wake();
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

std::vector<BusSession::Locks> BusSession::take_locks(const std::vector<FlowPlan>& plans) const {
    std::vector<Locks> locks;
    for (const FlowPlan& plan : plans) {
        const std::string path = writer_lock_path(bus_name_, plan.kind);
        auto writer = FileLock::try_lock_file(path, kWriterLockMode);
        if (!writer) {
            throw Error(ErrorCode::busy, "bus '" + bus_name_ + "': its " + std::string(name_of(plan.kind)) +
                                             " flow is being written by pid " + std::to_string(noted_holder(path)) +
                                             "; stop that producer or use another bus name");
        }
        writer->write_holder();
        auto liveness = FileLock::try_lock_file(liveness_path(bus_name_, plan.kind), kLivenessMode);
        if (!liveness) {
            // Group members may open this file and could hold a lock on it; the writer lock decides, so make it anew.
            ::unlink(liveness_path(bus_name_, plan.kind).c_str());
            liveness = FileLock::try_lock_file(liveness_path(bus_name_, plan.kind), kLivenessMode);
        }
        if (!liveness) throw Error(ErrorCode::busy, "liveness file of bus '" + bus_name_ + "' cannot be locked");
        locks.push_back({plan.kind, std::move(*writer), std::move(*liveness)});
    }
    return locks;
}

bool BusSession::is_other_writer_alive(const std::vector<FlowPlan>& own) const {
    return std::any_of(std::begin(kAllFlows), std::end(kAllFlows), [&](FlowKind kind) {
        const bool is_own =
            std::any_of(own.begin(), own.end(), [&](const FlowPlan& plan) { return plan.kind == kind; });
        return !is_own && is_locked(liveness_path(bus_name_, kind));
    });
}

bool BusSession::is_other_flow_alive() const {
    return std::any_of(std::begin(kAllFlows), std::end(kAllFlows), [&](FlowKind kind) {
        return !flows_[static_cast<std::size_t>(kind)] && is_locked(liveness_path(bus_name_, kind));
    });
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

void BusSession::publish(std::optional<ShmObject> old_bus, bool is_new) {
    std::vector<ShmObject> old_flows;
    for (const FlowKind kind : kAllFlows) {
        const auto& flow = flows_[static_cast<std::size_t>(kind)];
        if (!flow && !is_new) continue;
        if (auto old = open_leftover(flow_object(bus_name_, kind), layout::ObjectType::flow)) {
            if (!flow) old->unlink();
            old_flows.push_back(std::move(*old));
        }
        if (flow) flow->object.publish();
    }
    if (is_new) {
        board_->publish();
        bus_->publish();
    }
    // New names first, then the mark: a reader that sees it finds the new objects by name.
    for (const ShmObject& old : old_flows) {
        old.as<layout::FlowHeader>()->superseded.store(1, std::memory_order_release);
    }
    if (is_new && old_bus) {
        auto& old = *old_bus->as<layout::BusHeader>();
        old.superseded.store(1, std::memory_order_release);
        old.wake_word.fetch_add(1, std::memory_order_release);
        futex_wake_all(old.wake_word);
    }
    wake();
}

void BusSession::end() {
    if (ended_) return;
    ended_ = true;
    for (const auto& flow : flows_) {
        if (flow) flow->object.as<layout::FlowHeader>()->ended.store(1, std::memory_order_release);
    }
    const FileLock bus_lock = lock_bus(bus_name_);
    const bool is_last = !is_other_flow_alive();
    if (is_last) header().ended.store(1, std::memory_order_release);
    wake();
    for (const FlowKind kind : kAllFlows) {
        auto& flow = flows_[static_cast<std::size_t>(kind)];
        if (!flow) continue;
        flow->object.unlink();
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
