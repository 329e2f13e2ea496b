// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
#include <sched.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "flow_reader.hpp"
#include "names.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"
#include "ringcast/reader.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

using std::chrono::steady_clock;

/// Long waits are cut so that a reader notices objects that vanished without a wake.
constexpr std::chrono::milliseconds kLookAround{1000};

bool is_any_writer_alive(const std::string& bus) {
    return std::any_of(std::begin(kAllFlows), std::end(kAllFlows),
                       [&](FlowKind kind) { return is_locked(liveness_path(bus, kind)); });
}

class AttachedBus final : public BusReader {
public:
    AttachedBus(const ReaderOptions& options, ShmObject object)
        : options_(options),
          object_(std::move(object)),
          header_(object_.as<layout::BusHeader>()),
          made_by_(header_->object.session),
          epoch_ns_(header_->epoch_ns),
          epoch_realtime_ns_(header_->epoch_realtime_ns),
          writer_mode_(header_->writer_mode),
          producer_name_(sanitise(std::string_view(header_->producer_name.data(), layout::kNameBytes - 1), 63)) {
        if (options.on_board) board_ = Board(options, made_by_);
        refresh();
    }

    FlowReader* flow(FlowKind kind) override {
        auto& reader = flows_[static_cast<std::size_t>(kind)].reader;
        return reader ? &*reader : nullptr;
    }

    void refresh() override {
        for (const FlowKind kind : kAllFlows) {
            if (!options_.flows[static_cast<std::size_t>(kind)]) continue;
            OpenFlow& flow = flows_[static_cast<std::size_t>(kind)];
            if (!flow.reader || flow.reader->is_drained()) open_flow(kind, flow);
        }
    }

    [[nodiscard]] std::uint32_t ticket() const override {
        // SYNC C: pairs with the release add in BusSession::wake(). Flows read after this load show all that was
        // published before the add; what comes later changes the word and the wait returns at once.
        return header_->wake_word.load(std::memory_order_acquire);
    }

    WaitResult wait(std::uint32_t ticket, steady_clock::time_point deadline) override {
        while (ticket == header_->wake_word.load(std::memory_order_acquire)) {
            if (interrupted_.exchange(false)) return WaitResult::interrupted;
            const auto now = steady_clock::now();
            if (now >= deadline) return WaitResult::timed_out;
            sleep(ticket, std::min<std::chrono::nanoseconds>(deadline - now, kLookAround));
        }
        return interrupted_.exchange(false) ? WaitResult::interrupted : WaitResult::woken;
    }

    void interrupt() override {
        interrupted_.store(true);
        // The word belongs to the writer, so a wake may come just before the sleep it is meant for: wake until it left.
        // A signal handler on the sleeping thread itself has ended the sleep by being called.
        const pid_t self = ::gettid();
        do {
            futex_wake_all(header_->wake_word);  // needs no write; other readers see a spurious wake
            const pid_t sleeper = sleeper_.load();
            if (sleeper == 0 || sleeper == self) return;
        } while (interrupted_.load() && ::sched_yield() == 0);
    }

    [[nodiscard]] bool ended() const override { return header_->ended.load(std::memory_order_acquire) != 0; }
    [[nodiscard]] bool superseded() const override {
        if (header_->superseded.load(std::memory_order_acquire) != 0) return true;
        // The name first: a producer that ends says so before it takes the name away.
        return !object_.is_still_named() && !ended();
    }
    [[nodiscard]] bool writer_alive() const override { return is_any_writer_alive(options_.bus); }
    [[nodiscard]] std::uint64_t session() const override {
        const std::uint64_t live = header_->live_session.load(std::memory_order_acquire);
        return live != 0 ? live : made_by_;
    }
    [[nodiscard]] FlushState flush() const override {
        FlushState state;
        std::uint64_t before = 0;
        do {
            // SYNC E: pairs with the release add in BusSession::flush().
            before = header_->flush_generation.load(std::memory_order_acquire);
            for (std::size_t i = 0; i < state.index.size(); ++i)
                state.index[i] = header_->flush_index[i].load(std::memory_order_relaxed);
            std::atomic_thread_fence(std::memory_order_acquire);
            state.generation = header_->flush_generation.load(std::memory_order_relaxed);
        } while (state.generation != before);
        return state;
    }
    [[nodiscard]] std::int64_t epoch_ns() const override { return epoch_ns_; }
    [[nodiscard]] std::int64_t epoch_realtime_ns() const override { return epoch_realtime_ns_; }
    [[nodiscard]] std::uint32_t writer_mode() const override { return writer_mode_; }
    [[nodiscard]] const std::string& producer_name() const override { return producer_name_; }
    BoardEntry& board() override { return board_; }

private:
    struct OpenFlow {
        std::optional<ShmObject> object;
        std::optional<RingReader> reader;
    };

    /// interrupt() stores its flag, then looks whether somebody sleeps; this stores that it sleeps, then looks at the
    /// flag.
    void sleep(std::uint32_t ticket, std::chrono::nanoseconds longest) {
        sleeper_.store(::gettid());
        if (!interrupted_.load()) futex_wait(header_->wake_word, ticket, longest);
        sleeper_.store(0);
    }

    void open_flow(FlowKind kind, OpenFlow& flow) {
        const std::string name = flow_object(options_.bus, kind);
        auto object = ShmObject::open(name, ShmObject::Access::read_only, layout::ObjectType::flow);
        // Looked at after the flow was found under its name: then it belongs to this bus, not to a successor.
        if (!object || header_->superseded.load(std::memory_order_acquire) != 0) return;
        if (flow.object && flow.object->is_same_as(*object)) return;
        auto* header = object->as<layout::FlowHeader>();
        const auto geometry = read_geometry(*header, object->size());
        if (!geometry || geometry->kind != kind || object->owner() != object_.owner()) {
            throw Error(ErrorCode::damaged,
                        "shared memory " + shm_path(name) + ": header does not fit the object (geometry or owner)");
        }
        object->map_now();
        const FlowMemory memory(object->data(), *geometry);
        if (flow.reader) {
            flow.reader->move_to(memory);
        } else {
            flow.reader.emplace(memory, &board_, kind == FlowKind::packets || kind == FlowKind::events);
            flow.reader->seek_session(session());
        }
        flow.object = std::move(object);  // last: the old one stays mapped while the reader still names it
    }

    ReaderOptions options_;
    ShmObject object_;
    const layout::BusHeader* header_;
    std::uint64_t made_by_;  // session of the producer that made the bus
    std::int64_t epoch_ns_;
    std::int64_t epoch_realtime_ns_;
    std::uint32_t writer_mode_;
    std::string producer_name_;
    Board board_;
    std::array<OpenFlow, layout::kFlowCount> flows_;
    std::atomic<bool> interrupted_{false};
    std::atomic<pid_t> sleeper_{0};
};

}  // namespace

std::unique_ptr<BusReader> BusReader::try_attach(const ReaderOptions& options) {
    check_bus_name(options.bus);
    auto object = ShmObject::open(bus_object(options.bus), ShmObject::Access::read_only, layout::ObjectType::bus);
    if (!object) return nullptr;
    const auto* header = object->as<layout::BusHeader>();
    if (header->ended.load(std::memory_order_acquire) != 0 || !is_any_writer_alive(options.bus)) return nullptr;
    return std::make_unique<AttachedBus>(options, std::move(*object));
}

std::unique_ptr<BusReader> BusReader::attach(const ReaderOptions& options, int interrupt_fd,
                                             std::optional<steady_clock::time_point> deadline) {
    const FileDescriptor watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!watch || ::inotify_add_watch(watch.get(), kShmDirectory, IN_MOVED_TO | IN_CREATE) < 0) {
        throw Error(ErrorCode::system, std::string("inotify on ") + kShmDirectory + ": " + errno_text(errno));
    }
    for (;;) {
        // Watch first, look second: a bus that comes in between is in the queue.
        if (auto bus = try_attach(options)) return bus;
        auto timeout = kLookAround;
        if (deadline) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - steady_clock::now());
            if (left.count() <= 0) return nullptr;
            timeout = std::min(timeout, left);
        }
        pollfd events[] = {{watch.get(), POLLIN, 0}, {interrupt_fd, POLLIN, 0}};
        const int ready = ::poll(events, interrupt_fd >= 0 ? 2 : 1, static_cast<int>(timeout.count()));
        if (ready > 0 && interrupt_fd >= 0 && events[1].revents != 0) return nullptr;
        char drained[4096];
        while (::read(watch.get(), drained, sizeof(drained)) > 0) {
        }
    }
}

}  // namespace ringcast
