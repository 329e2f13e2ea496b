// SPDX-License-Identifier: Apache-2.0
#include <poll.h>
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
          session_(header_->object.session),
          epoch_ns_(header_->epoch_ns),
          epoch_realtime_ns_(header_->epoch_realtime_ns),
          writer_mode_(header_->writer_mode),
          producer_name_(sanitise(std::string_view(header_->producer_name.data(), layout::kNameBytes - 1), 63)) {
        if (options.on_board) board_ = Board(options, session_);
        refresh();
    }

    FlowReader* flow(FlowKind kind) override {
        auto& reader = flows_[static_cast<std::size_t>(kind)].reader;
        return reader ? &*reader : nullptr;
    }

    void refresh() override {
        for (const FlowKind kind : kAllFlows) {
            OpenFlow& flow = flows_[static_cast<std::size_t>(kind)];
            if (!flow.reader) open_flow(kind, flow);
        }
    }

    [[nodiscard]] std::uint32_t ticket() const override {
        // SYNC C: pairs with the release add in Producer. Flows read after this load show all that was published
        // before the add; what comes later changes the word and the wait returns at once.
        return header_->wake_word.load(std::memory_order_acquire);
    }

    WaitResult wait(std::uint32_t ticket, steady_clock::time_point deadline) override {
        while (ticket == header_->wake_word.load(std::memory_order_acquire)) {
            if (interrupted_.exchange(false)) return WaitResult::interrupted;
            const auto now = steady_clock::now();
            if (now >= deadline) return WaitResult::timed_out;
            futex_wait(header_->wake_word, ticket, std::min<std::chrono::nanoseconds>(deadline - now, kLookAround));
        }
        return interrupted_.exchange(false) ? WaitResult::interrupted : WaitResult::woken;
    }

    void interrupt() override {
        interrupted_.store(true);
        futex_wake_all(header_->wake_word);  // waking needs no write; other readers see a spurious wake
    }

    [[nodiscard]] bool ended() const override { return header_->ended.load(std::memory_order_acquire) != 0; }
    [[nodiscard]] bool superseded() const override {
        return header_->superseded.load(std::memory_order_acquire) != 0 || (!ended() && !object_.is_still_named());
    }
    [[nodiscard]] bool writer_alive() const override { return is_any_writer_alive(options_.bus); }
    [[nodiscard]] std::uint64_t session() const override { return session_; }
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

    void open_flow(FlowKind kind, OpenFlow& flow) {
        const std::string name = flow_object(options_.bus, kind);
        flow.object = ShmObject::open(name, ShmObject::Access::read_only, layout::ObjectType::flow);
        if (!flow.object) return;
        auto* header = flow.object->as<layout::FlowHeader>();
        // Left by an earlier session, about to be replaced or removed by this one's writer.
        if (header->object.session != session_) return;
        const auto geometry = read_geometry(*header, flow.object->size());
        if (!geometry || geometry->kind != kind || flow.object->owner() != object_.owner()) {
            throw Error(ErrorCode::damaged,
                        "shared memory " + shm_path(name) + ": header does not fit the object (geometry or owner)");
        }
        flow.reader.emplace(FlowMemory(flow.object->data(), *geometry), &board_);
    }

    ReaderOptions options_;
    ShmObject object_;
    const layout::BusHeader* header_;
    std::uint64_t session_;
    std::int64_t epoch_ns_;
    std::int64_t epoch_realtime_ns_;
    std::uint32_t writer_mode_;
    std::string producer_name_;
    Board board_;
    std::array<OpenFlow, layout::kFlowCount> flows_;
    std::atomic<bool> interrupted_{false};
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
