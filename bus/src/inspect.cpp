// SPDX-License-Identifier: Apache-2.0
#include "ringcast/inspect.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "board.hpp"
#include "board_notes.hpp"
#include "flow_memory.hpp"
#include "names.hpp"
#include "ringcast/error.hpp"
#include "shm_object.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

template <std::size_t N>
std::string text_of(const std::array<char, N>& field) {
    const std::array<char, N> copy = field;  // the owner may be writing it
    return sanitise(std::string_view(copy.data(), N), N);
}

/// Now minus a moment that came from shared memory: any value, so the difference may wrap.
std::int64_t age_of(std::int64_t moment_ns) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(monotonic_ns()) -
                                     static_cast<std::uint64_t>(moment_ns));
}

void read_records(const FlowMemory& memory, FlowInfo& info) {
    const std::uint64_t lowest =
        std::max(info.first_index, info.head > info.slot_count ? info.head - info.slot_count : 0);
    for (std::uint64_t index = lowest; index < info.head; ++index) {
        const auto fields = committed_fields(memory, index);
        if (!fields) continue;
        ++info.committed;
        if (!info.oldest_pts_ns) info.oldest_pts_ns = fields->pts_ns;
        info.newest_pts_ns = fields->pts_ns;
        info.newest_age_ns = age_of(fields->capture_time_ns);
        info.caps = fields->caps;
        info.caps_generation = fields->caps_generation;
        info.payload_bytes += fields->payload_size;
    }
}

std::optional<FlowInfo> inspect_flow(const std::string& bus, FlowKind kind) {
    const std::string name = flow_object(bus, kind);
    const auto object = ShmObject::open(name, ShmObject::Access::read_only, layout::ObjectType::flow);
    if (!object) return std::nullopt;
    const auto& header = *object->as<layout::FlowHeader>();
    const auto geometry = read_geometry(header, object->size());
    if (!geometry || geometry->kind != kind) {
        throw Error(ErrorCode::damaged, "shared memory " + shm_path(name) + ": header does not fit the object");
    }
    FlowInfo info;
    info.kind = kind;
    info.object_bytes = object->size();
    info.slot_count = geometry->slot_count;
    info.arena_bytes = geometry->arena_size;
    info.first_index = geometry->first_index;
    info.head = header.head.load(std::memory_order_acquire);
    info.depth_ns = header.depth_ns;
    info.depth_wanted_ns = header.depth_wanted_ns;
    info.caps = header.caps;
    info.caps_generation = header.caps_generation;
    info.writer_alive = is_locked(liveness_path(bus, kind));
    info.ended = header.ended.load(std::memory_order_acquire) != 0;
    read_records(FlowMemory(object->data(), *geometry), info);
    return info;
}

template <class T>
std::array<std::uint64_t, layout::kFlowCount> values_of(const std::array<std::atomic<T>, layout::kFlowCount>& fields) {
    std::array<std::uint64_t, layout::kFlowCount> values{};
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = fields[i].load(std::memory_order_relaxed);
    return values;
}

CellInfo read_cell(const layout::BoardCell& cell, unsigned number) {
    constexpr auto relaxed = std::memory_order_relaxed;
    CellInfo info;
    info.cell = number;
    info.pid = cell.pid.load(relaxed);
    info.name = text_of(cell.name);
    info.plugin = text_of(cell.plugin);
    info.state = static_cast<layout::SinkState>(cell.state.load(relaxed));
    info.reason = text_of(cell.reason);
    info.lossless = (cell.flags.load(relaxed) & layout::kCellLossless) != 0;
    info.cursor = values_of(cell.cursor);
    info.delivered = values_of(cell.delivered);
    info.overrun = values_of(cell.overrun);
    info.aborted = values_of(cell.aborted);
    info.dropped_frames = cell.dropped_frames.load(relaxed);
    info.repeated_frames = cell.repeated_frames.load(relaxed);
    info.silence_samples = cell.silence_samples.load(relaxed);
    info.frames_encoded = cell.frames_encoded.load(relaxed);
    info.bytes_sent = cell.bytes_sent.load(relaxed);
    info.lag_ns = cell.lag_ns.load(relaxed);
    info.queue_ns = cell.queue_ns.load(relaxed);
    info.output_pts_ns = cell.output_pts_ns.load(relaxed);
    info.played_pts_ns = cell.played_pts_ns.load(relaxed);
    info.reconnects = cell.reconnects.load(relaxed);
    info.attached_ns = cell.attached_ns.load(relaxed);
    info.updated_ns = cell.updated_ns.load(relaxed);
    info.updated_age_ns = age_of(info.updated_ns);
    return info;
}

std::optional<GaugeInfo> read_gauges(const layout::BoardGauges* gauges) {
    constexpr auto relaxed = std::memory_order_relaxed;
    if (gauges == nullptr) return std::nullopt;
    GaugeInfo info;
    info.sent_bytes_per_second = gauges->sent_bytes_per_second.load(relaxed);
    info.encoded_mfps = gauges->encoded_mfps.load(relaxed);
    info.encode_p50_ns = gauges->encode_p50_ns.load(relaxed);
    info.encode_p99_ns = gauges->encode_p99_ns.load(relaxed);
    info.sent_frame_age_ns = gauges->sent_frame_age_ns.load(relaxed);
    info.late_samples = gauges->late_samples.load(relaxed);
    return info;
}

void read_notes(const layout::BoardNotes* notes, CellInfo& info) {
    if (notes == nullptr) return;
    info.left_out = notes->left_out.load(std::memory_order_relaxed);
    for (const layout::BoardFigure& figure : notes->figure) {
        if (auto shown = read(figure)) info.figures.push_back(std::move(*shown));
    }
    for (const layout::BoardText& entry : notes->text) {
        if (auto shown = read(entry)) info.texts.push_back(std::move(*shown));
    }
}

/// Of whoever writes now: a producer that took the bus over did not make it. Lock files tell their owner's user only.
std::uint32_t writer_pid(const std::string& bus, std::uint32_t creator) {
    for (const FlowKind kind : kAllFlows) {
        if (!is_locked(liveness_path(bus, kind))) continue;
        const pid_t holder = noted_holder(writer_lock_path(bus, kind));
        if (holder > 0) return static_cast<std::uint32_t>(holder);
    }
    return creator;
}

void inspect_board(BusInfo& info, std::uint64_t made_by) {
    const auto object =
        ShmObject::open(board_object(info.name), ShmObject::Access::read_only, layout::ObjectType::board);
    if (!object || object->as<layout::BoardHeader>()->object.session != made_by) return;
    const auto view = BoardView::of(*object);
    if (!view) throw Error(ErrorCode::damaged, "shared memory " + shm_path(board_object(info.name)) + ": not a board");
    for (unsigned number = 0; number < layout::kBoardCells; ++number) {
        if (!view->is_alive(number)) continue;
        info.readers.push_back(read_cell(view->cell(number), number));
        info.readers.back().gauges = read_gauges(view->gauges(number));
        read_notes(view->notes(number), info.readers.back());
    }
}

/// The bus part of an object's file name, nullopt when it is not one of ours.
std::optional<std::string> bus_of(const std::string& file) {
    if (!file.starts_with(kNamePrefix)) return std::nullopt;
    const std::size_t end = file.find('.', kNamePrefix.size());
    if (end == std::string::npos) return std::nullopt;
    std::string bus = file.substr(kNamePrefix.size(), end - kNamePrefix.size());
    if (!is_bus_name(bus)) return std::nullopt;
    return bus;
}

std::vector<std::filesystem::directory_entry> shm_entries() {
    std::vector<std::filesystem::directory_entry> entries;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(kShmDirectory, error))
        entries.push_back(entry);
    return entries;
}

bool is_lock_file(const std::string& file) {
    return file.ends_with(".lock") || file.ends_with(".live");
}

/// Removes (or lists) every object of one bus, unless somebody alive writes it. Holds the bus lock meanwhile, so that
/// no producer is between taking its locks and publishing.
void clean_bus(const std::string& bus, bool dry_run, std::vector<CleanedObject>& cleaned) {
    struct stat info {};
    const std::string lock_path = bus_lock_path(bus);
    const bool had_lock = ::stat(lock_path.c_str(), &info) == 0;
    const auto bus_lock = FileLock::try_lock_file(lock_path, 0600);
    if (!bus_lock) return;
    const bool is_alive = std::any_of(std::begin(kAllFlows), std::end(kAllFlows),
                                      [&](FlowKind kind) { return is_locked(writer_lock_path(bus, kind)); });
    if (!is_alive) {
        for (const auto& entry : shm_entries()) {
            const std::string file = entry.path().filename();
            if (bus_of(file) != bus || entry.path() == lock_path) continue;
            std::error_code error;
            const std::uint64_t bytes = is_lock_file(file) ? 0 : entry.file_size(error);
            if (!dry_run && !std::filesystem::remove(entry.path(), error)) {
                throw Error(ErrorCode::permission, "cannot remove " + entry.path().string() + ": " + error.message());
            }
            cleaned.push_back({file, error ? 0 : bytes});
        }
        if (had_lock) cleaned.push_back({std::filesystem::path(lock_path).filename(), 0});
    }
    if ((!is_alive && !dry_run) || !had_lock) std::filesystem::remove(lock_path);
}

}  // namespace

std::string_view name_of(layout::SinkState state) {
    switch (state) {
        case layout::SinkState::opening:
            return "opening";
        case layout::SinkState::ready:
            return "ready";
        case layout::SinkState::connecting:
            return "connecting";
        case layout::SinkState::live:
            return "live";
        case layout::SinkState::stalled:
            return "stalled";
        case layout::SinkState::backoff:
            return "backoff";
        case layout::SinkState::rejected:
            return "rejected";
        case layout::SinkState::failed:
            return "failed";
        case layout::SinkState::ended:
            return "ended";
    }
    return "unknown";
}

std::vector<std::string> list_buses() {
    std::set<std::string> buses;
    for (const auto& entry : shm_entries()) {
        const std::string file = entry.path().filename();
        const auto bus = bus_of(file);
        if (bus && !is_lock_file(file)) buses.insert(*bus);
    }
    return {buses.begin(), buses.end()};
}

BusInfo inspect_bus(const std::string& bus) {
    check_bus_name(bus);
    BusInfo info;
    std::uint64_t made_by = 0;
    std::array<std::int64_t, layout::kBoardCells> evicted{};
    info.name = bus;
    const auto note = [&](const Error& error) { info.problems.push_back(sanitise(error.what())); };
    for (const FlowKind kind : kAllFlows)
        info.alive = info.alive || is_locked(liveness_path(bus, kind));
    try {
        const auto object = ShmObject::open(bus_object(bus), ShmObject::Access::read_only, layout::ObjectType::bus);
        if (!object) {
            const auto buses = list_buses();
            if (std::find(buses.begin(), buses.end(), bus) == buses.end()) {
                throw Error(ErrorCode::not_found, "no bus '" + bus + "'");
            }
            // A living writer without a bus object is one that is just starting.
            if (!info.alive) {
                info.problems.push_back("bus object is missing; `ringcast clean " + bus + "` removes what is left");
            }
            return info;
        }
        const auto& header = *object->as<layout::BusHeader>();
        info.producer = text_of(header.producer_name);
        const std::uint64_t live_session = header.live_session.load(std::memory_order_acquire);
        info.session = live_session != 0 ? live_session : header.object.session;
        made_by = header.object.session;
        info.layout_major = header.object.major;
        info.layout_minor = header.object.minor;
        info.writer_pid = writer_pid(bus, header.object.creator_pid);
        info.owner_uid = object->owner();
        info.writer_mode = header.writer_mode;
        info.age_ns = age_of(header.object.created_ns);
        info.epoch_ns = header.epoch_ns;
        info.epoch_realtime_ns = header.epoch_realtime_ns;
        // SYNC E: the producer stores the generation last, with release.
        info.flush_generation = header.flush_generation.load(std::memory_order_acquire);
        info.flush_index = values_of(header.flush_index);
        for (std::size_t cell = 0; cell < evicted.size(); ++cell)
            evicted.at(cell) = header.evicted_attached_ns[cell].load(std::memory_order_relaxed);
        info.ended = header.ended.load(std::memory_order_acquire) != 0;
    } catch (const Error& error) {
        if (error.code() == ErrorCode::not_found) throw;
        note(error);
        return info;
    }
    for (const FlowKind kind : kAllFlows) {
        try {
            if (auto flow = inspect_flow(bus, kind)) info.flows.push_back(*flow);
        } catch (const Error& error) {
            note(error);
        }
    }
    try {
        inspect_board(info, made_by);
    } catch (const Error& error) {
        note(error);
    }
    for (CellInfo& reader : info.readers)
        reader.evicted = reader.attached_ns != 0 && evicted.at(reader.cell) == reader.attached_ns;
    return info;
}

std::vector<CleanedObject> clean_buses(const std::optional<std::string>& bus, bool dry_run) {
    std::vector<CleanedObject> cleaned;
    std::set<std::string> buses;
    if (bus) {
        check_bus_name(*bus);
        buses.insert(*bus);
    } else {
        for (const auto& entry : shm_entries()) {
            if (auto found = bus_of(entry.path().filename())) buses.insert(*found);
        }
    }
    for (const std::string& name : buses) {
        try {
            clean_bus(name, dry_run, cleaned);
        } catch (const Error& error) {
            // Another user's bus: no obstacle to cleaning the own ones, but an answer to who asked for it by name.
            if (bus || error.code() != ErrorCode::permission) throw;
        }
    }
    return cleaned;
}

}  // namespace ringcast
