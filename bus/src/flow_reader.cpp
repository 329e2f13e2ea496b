// SPDX-License-Identifier: Apache-2.0
#include "flow_reader.hpp"

#include <algorithm>

namespace ringcast {

RingReader::RingReader(const FlowMemory& memory, Board* board, bool copies)
    : memory_(memory),
      initial_caps_(memory.header->caps),
      depth_ns_(memory.header->depth_ns),
      board_(board),
      copies_(copies) {
    seek_oldest();
    show_object();
}

std::uint64_t RingReader::head() const {
    return memory_.header->head.load(std::memory_order_acquire);
}

bool RingReader::is_ended() const {
    return memory_.header->ended.load(std::memory_order_acquire) != 0;
}

bool RingReader::is_committed(std::uint64_t index) const {
    return memory_.slot(index).stamp.load(std::memory_order_acquire) == make_stamp(index, layout::SlotState::committed);
}

std::uint64_t RingReader::lowest_possible(std::uint64_t head) const {
    const std::uint64_t slots = memory_.geometry.slot_count;
    return std::max(memory_.geometry.first_index, head > slots ? head - slots : 0);
}

void RingReader::seek_oldest() {
    const std::uint64_t newest = head();
    std::uint64_t index = std::min(lowest_possible(newest), newest);
    while (index < newest && !is_committed(index))
        ++index;
    cursor_ = index;
    show_cursor();
}

void RingReader::seek_session(std::uint64_t session) {
    const std::uint64_t newest = head();
    std::uint64_t index = std::min(lowest_possible(newest), newest);
    for (; index < newest; ++index) {
        const auto fields = committed_fields(memory_, index);
        if (fields && fields->session == session) break;
    }
    cursor_ = index;
    show_cursor();
}

void RingReader::seek_newest() {
    const std::uint64_t newest = head();
    const std::uint64_t lowest = std::min(lowest_possible(newest), newest);
    std::uint64_t index = newest;
    while (index > lowest && !is_committed(index - 1))
        --index;
    cursor_ = index > lowest ? index - 1 : newest;
    show_cursor();
}

std::optional<std::uint64_t> RingReader::find_back(std::uint64_t end,
                                                   const std::function<bool(const RecordFields&)>& wanted) const {
    const std::uint64_t lowest = std::min(lowest_possible(head()), end);
    for (std::uint64_t index = end; index > lowest; --index) {
        const auto fields = committed_fields(memory_, index - 1);
        if (fields && wanted(*fields)) return index - 1;
    }
    return std::nullopt;
}

void RingReader::seek_keyframe() {
    if (!seek_keyframe_below(head())) seek_oldest();
}

bool RingReader::seek_keyframe_below(std::uint64_t end) {
    const auto is_key = [](const RecordFields& f) {
        return (f.flags & layout::kFlagKey) != 0 && (f.flags & layout::kFlagConfig) == 0;
    };
    auto index = find_back(end, [&](const RecordFields& f) { return is_key(f) && f.caps.width > 0; });
    if (!index) index = find_back(end, is_key);
    if (!index) return false;
    for (;; --*index) {
        if (*index == 0) break;
        const auto before = committed_fields(memory_, *index - 1);
        if (!before || (before->flags & layout::kFlagConfig) == 0) break;
    }
    cursor_ = *index;
    show_cursor();
    return true;
}

void RingReader::seek_pts(std::int64_t pts_ns) {
    const auto index = find_back(
        head(), [&](const RecordFields& f) { return f.pts_ns <= pts_ns && (f.flags & layout::kFlagConfig) == 0; });
    if (!index) return seek_oldest();
    if (kind() == FlowKind::packets) {
        if (!seek_keyframe_below(*index + 1)) seek_oldest();
        return;
    }
    cursor_ = *index;
    show_cursor();
}

bool RingReader::is_drained() const {
    const bool over = memory_.header->superseded.load(std::memory_order_acquire) != 0 || is_ended();
    return over && cursor_ >= head();
}

void RingReader::move_to(const FlowMemory& memory) {
    memory_ = memory;
    initial_caps_ = memory.header->caps;
    depth_ns_ = memory.header->depth_ns;
    const std::uint64_t first = memory.geometry.first_index;
    if (first >= cursor_) counts_.aborted += first - cursor_;
    cursor_ = first;
    show_cursor();
    show_object();
}

void RingReader::show_object() {
    if (board_ != nullptr) board_->show_object(kind(), flow_object_id(*memory_.header));
}

void RingReader::count_lost(std::uint64_t stamp) {
    // A newer index or a retired stamp: the writer lapped us. Anything else below head was never finished.
    const bool overrun = stamp_index(stamp) > cursor_ ||
                         (stamp_index(stamp) == cursor_ && stamp_state(stamp) == layout::SlotState::retired);
    ++(overrun ? counts_.overrun : counts_.aborted);
    ++cursor_;
}

RingReader::Look RingReader::find_next(Record& record) {
    for (;;) {
        const std::uint64_t newest = head();
        if (cursor_ >= newest) {
            // ended is stored after the last head: seen set, a second look at head is final.
            if (is_ended() && cursor_ >= head()) return Look::ended;
            if (cursor_ >= head()) return Look::nothing;
            continue;
        }
        if (const std::uint64_t lowest = lowest_possible(newest); cursor_ < lowest) {
            counts_.overrun += lowest - cursor_;
            cursor_ = lowest;
        }
        const layout::Descriptor& slot = memory_.slot(cursor_);
        // SYNC A: pairs with the release store in FlowWriter::commit().
        const std::uint64_t stamp = slot.stamp.load(std::memory_order_acquire);
        if (stamp != make_stamp(cursor_, layout::SlotState::committed)) {
            count_lost(stamp);
            continue;
        }
        const RecordFields fields = load_fields(slot);
        std::atomic_thread_fence(std::memory_order_acquire);  // SYNC B, as in try_read()
        if (slot.stamp.load(std::memory_order_relaxed) != stamp) continue;
        return check_record(fields, record) ? Look::record : Look::damaged;
    }
}

bool RingReader::check_record(const RecordFields& fields, Record& record) const {
    const std::uint64_t arena = memory_.geometry.arena_size;
    const std::uint64_t offset = fields.payload_position % arena;
    if (fields.payload_size > arena - offset || offset % layout::kArenaAlignment != 0) return false;
    if (kind() == FlowKind::video && !video_format_of(fields.caps, fields.payload_size)) return false;
    if (kind() == FlowKind::audio) {
        if (!audio_format_of(fields.caps)) return false;
        if (std::uint64_t{fields.sample_count} * sample_bytes(fields.caps) != fields.payload_size) return false;
    }
    record.index = cursor_;
    record.pts_ns = fields.pts_ns;
    record.dts_ns = fields.dts_ns;
    record.duration_ns = fields.duration_ns;
    record.capture_time_ns = fields.capture_time_ns;
    record.media_index = fields.media_index;
    record.session = fields.session;
    record.flags = fields.flags;
    record.stream_id = fields.stream_id;
    record.caps_generation = fields.caps_generation;
    record.sample_count = fields.sample_count;
    record.caps = fields.caps;
    record.payload = std::span<const std::byte>(memory_.arena + offset, fields.payload_size);
    return true;
}

ReadStatus RingReader::try_read(const std::function<void(const Record&)>& use) {
    Record record;
    const Look look = find_next(record);
    if (look != Look::record) {
        show_cursor();
        if (look == Look::damaged) return ReadStatus::damaged;
        return look == Look::ended ? ReadStatus::ended : ReadStatus::not_yet;
    }
    if (copies_) {
        copy_.assign(record.payload.begin(), record.payload.end());
        const ReadStatus status = finish_read(record);
        record.payload = copy_;
        if (status == ReadStatus::ok) use(record);
        return status;
    }
    // Use first, judge afterwards: the writer may reuse slot and arena at any moment.
    use(record);
    return finish_read(record);
}

ReadStatus RingReader::finish_read(const Record& record) {
    // SYNC B: pairs with the fence in FlowWriter::begin(). Keeps the re-check below every load made of the payload;
    // without it a torn frame could pass (docs/concurrency.md).
    std::atomic_thread_fence(std::memory_order_acquire);
    const bool is_whole = memory_.slot(record.index).stamp.load(std::memory_order_relaxed) ==
                          make_stamp(record.index, layout::SlotState::committed);
    ++(is_whole ? counts_.delivered : counts_.overrun);
    ++cursor_;
    show_cursor();
    return is_whole ? ReadStatus::ok : ReadStatus::overrun;
}

ReadStatus RingReader::try_peek(Record& record) {
    const Look look = find_next(record);
    show_cursor();
    record.payload = {};
    switch (look) {
        case Look::record:
            return ReadStatus::ok;
        case Look::ended:
            return ReadStatus::ended;
        case Look::damaged:
            return ReadStatus::damaged;
        case Look::nothing:
            break;
    }
    return ReadStatus::not_yet;
}

void RingReader::show_cursor() {
    if (board_ != nullptr) board_->show_cursor(kind(), cursor_, counts_);
}

}  // namespace ringcast
