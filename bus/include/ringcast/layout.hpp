// SPDX-License-Identifier: Apache-2.0
/// The bytes of every shared-memory object of a bus, version 1. docs/memory-layout.md says the same in tables.
///
/// This header holds no algorithm. All integers are little-endian and naturally aligned; every object starts with an
/// ObjectHeader; what version 1 does not use is zero. Fields marked "owner stores" change while the object is live and
/// are read and written as atomics; everything else is written before the object gets its public name and then fixed.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace ringcast::layout {

inline constexpr std::uint32_t kMajor = 1;  ///< A reader accepts objects whose major equals its own.
inline constexpr std::uint32_t kMinor = 3;  ///< Minors only give meaning to bytes that were zero.

inline constexpr std::size_t kNameBytes = 64;       ///< Names are UTF-8, zero-terminated, zero-padded.
inline constexpr std::size_t kArenaAlignment = 64;  ///< Payloads start at multiples of this, in the arena.
inline constexpr std::size_t kMaxPlanes = 4;
inline constexpr std::size_t kFlowCount = 4;
inline constexpr std::uint64_t kNotRead = UINT64_MAX;  ///< BoardCell::cursor of a flow its reader does not read.
inline constexpr std::size_t kBoardCells = 64;         ///< At most this many readers show themselves on one bus.

inline constexpr std::size_t kNoteNameBytes = 40;     ///< Of a figure or a text, zero-terminated.
inline constexpr std::size_t kBoardFigureCount = 96;  ///< Of one sink: some peers with some figures each.
inline constexpr std::size_t kBoardTextCount = 16;    ///< Of one sink.
inline constexpr std::int64_t kNoFigure = INT64_MIN;  ///< BoardFigure::value of a figure that was taken back.

/// "RINGCAST" as eight ASCII bytes, least significant byte first.
inline constexpr std::uint64_t kMagic = 0x54534143474e4952ULL;

enum class ObjectType : std::uint32_t { bus = 1, flow = 2, board = 3 };

/// Also the index into every per-flow array below.
enum class FlowKind : std::uint32_t { video = 0, audio = 1, packets = 2, events = 3 };

/// The two low bits of a stamp; the index stands above them.
enum class SlotState : std::uint64_t { empty = 0, writing = 1, committed = 2, retired = 3 };
inline constexpr unsigned kStampStateBits = 2;

/// Descriptor::flags.
enum RecordFlag : std::uint32_t {
    kFlagKey = 1U << 0,            ///< Decoding may start here. Set on every raw frame and audio block.
    kFlagConfig = 1U << 1,         ///< Payload is codec configuration (extradata), not media.
    kFlagDiscontinuity = 1U << 2,  ///< pts does not continue from the record before.
    kFlagExplicitPts = 1U << 3,    ///< pts came from the model, not from the count.
};

/// First 64 bytes of every object.
struct ObjectHeader {
    std::uint64_t magic;
    std::uint32_t major;
    std::uint32_t minor;
    ObjectType type;
    std::uint32_t header_size;  ///< Bytes of the whole header of this object type.
    std::uint64_t object_size;  ///< Bytes of the object; fstat must not say less.
    std::uint64_t session;      ///< Random id of the producer's life that made the object; never 0.
    std::int64_t created_ns;    ///< CLOCK_MONOTONIC.
    std::uint32_t creator_pid;  ///< For people; liveness is a lock, never a pid.
    std::uint32_t reserved0;
    std::uint64_t reserved1;
};

/// The bus object: what all flows of a bus share.
struct BusHeader {
    ObjectHeader object;                         // 0
    std::array<char, kNameBytes> bus_name;       // 64
    std::array<char, kNameBytes> producer_name;  // 128
    std::int64_t epoch_ns;                       // 192  CLOCK_MONOTONIC at pts 0 of writers that join on the clock
    std::int64_t epoch_realtime_ns;          // 200  CLOCK_REALTIME at the same moment, for people and PROGRAM-DATE-TIME
    std::uint32_t writer_mode;               // 208  0 live, 1 paced, 2 lossless
    std::uint32_t reserved0;                 // 212
    std::array<std::uint64_t, 5> reserved1;  // 216

    // Writers add and wake; every reader of the bus waits on this word. A line of its own: it is the only hot word.
    alignas(64) std::atomic<std::uint32_t> wake_word;  // 256
    std::array<std::uint32_t, 15> reserved2;           // 260

    // Owner stores; each change is followed by a wake.
    alignas(64) std::atomic<std::uint32_t> superseded;  // 320  1: another bus object has taken the name
    std::atomic<std::uint32_t> ended;                   // 324  1: the producer ended the stream with end()
    std::atomic<std::uint64_t> live_session;  // 328  the session whose writers write now (since 1.1; 0: maker's)
    std::array<std::uint64_t, 6> reserved3;   // 336

    // Flush (the avatar was interrupted): written indices first, generation last (release).
    alignas(64) std::atomic<std::uint64_t> flush_generation;         // 384  0: never flushed
    std::array<std::atomic<std::uint64_t>, kFlowCount> flush_index;  // 392  records below are void if unsent
    std::array<std::uint64_t, 3> reserved4;                          // 424

    // Where a flow goes on when its writer ended while others live and comes back: an index is never used twice.
    alignas(64) std::array<std::uint64_t, kFlowCount> ended_index;  // 448  next index of a flow that ended (since 1.1)
    std::array<std::uint64_t, 4> reserved5;                         // 480

    // The readers a lossless writer does not wait for any more: attached_ns of the reader of each board cell
    // (since 1.2).
    alignas(64) std::array<std::atomic<std::int64_t>, kBoardCells> evicted_attached_ns;  // 512  0: none
    std::array<std::uint64_t, 384> reserved6;                                            // 1024 .. 4096
};

/// Numeric caps, in flow headers and again in every descriptor. Unused fields are zero.
struct Caps {
    std::uint32_t format;   ///< PixelFormat, SampleFormat or Codec, by the kind of flow (caps.hpp).
    std::uint32_t width;    ///< Pixels.
    std::uint32_t height;   ///< Lines.
    std::uint32_t fps_num;  ///< Frames per second as fps_num / fps_den.
    std::uint32_t fps_den;
    std::uint32_t sample_rate;  ///< Hz.
    std::uint32_t channels;     ///< Interleaved.
    std::uint32_t plane_count;
    std::array<std::uint32_t, kMaxPlanes> stride;        ///< Bytes per line of each plane.
    std::array<std::uint64_t, kMaxPlanes> plane_offset;  ///< From the start of the payload.
    std::uint32_t colour;                                ///< 0: BT.709, limited range (YUV) or full range (RGB).
    std::uint32_t reserved0;
    std::uint64_t reserved1;
};

/// One slot of the descriptor table. The stamp guards the rest and the payload.
struct Descriptor {
    std::atomic<std::uint64_t> stamp;  // 0    index << 2 | SlotState
    std::uint64_t
        payload_position;  // 8    bytes of arena used before this record since first_index; offset = mod arena_size
    std::uint64_t payload_size;             // 16   bytes
    std::int64_t pts_ns;                    // 24   bus timeline
    std::int64_t dts_ns;                    // 32   packets; else = pts
    std::int64_t duration_ns;               // 40
    std::int64_t capture_time_ns;           // 48   CLOCK_MONOTONIC at commit
    std::uint64_t media_index;              // 56   video: frame index; audio: absolute index of the first sample
    std::uint64_t session;                  // 64
    std::uint32_t flags;                    // 72   RecordFlag
    std::uint32_t stream_id;                // 76   packets: which elementary stream
    std::uint32_t caps_generation;          // 80   counts from 1
    std::uint32_t sample_count;             // 84   audio: samples per channel
    Caps caps;                              // 88
    std::array<std::uint64_t, 9> reserved;  // 184 .. 256
};

/// A flow object: header, descriptor table, payload arena.
struct FlowHeader {
    ObjectHeader object;                     // 0
    std::array<char, kNameBytes> bus_name;   // 64
    FlowKind kind;                           // 128
    std::uint32_t descriptor_size;           // 132  256
    std::uint64_t slot_count;                // 136  power of two
    std::uint64_t descriptors_offset;        // 144
    std::uint64_t arena_offset;              // 152
    std::uint64_t arena_size;                // 160  multiple of 64
    std::uint64_t first_index;               // 168  index this object starts at
    std::uint64_t depth_ns;                  // 176  media time the object holds at its caps
    std::uint64_t depth_wanted_ns;           // 184  what was asked for; more than depth_ns when shared memory was short
    Caps caps;                               // 192  caps when the object was made; later ones stand in descriptors
    std::uint32_t caps_generation;           // 288
    std::uint32_t reserved0;                 // 292
    std::array<std::uint64_t, 3> reserved1;  // 296

    // Owner stores.
    alignas(64) std::atomic<std::uint64_t> head;        // 320  the next index
    alignas(64) std::atomic<std::uint32_t> superseded;  // 384  1: another object has taken the name
    std::atomic<std::uint32_t> ended;        // 388  1: no record at or above head will come from this session
    std::array<std::uint64_t, 7> reserved2;  // 392

    std::array<std::uint64_t, 456> reserved3;  // 448 .. 4096
};

/// BoardCell::state. What a reader says of itself, in the words of DESIGN "Connections".
enum class SinkState : std::uint32_t {
    opening = 0,  ///< attached, encoders not open
    ready = 1,    ///< encoders open, no record yet
    connecting = 2,
    live = 3,     ///< bytes moved
    stalled = 4,  ///< the producer or the peer gives or takes nothing
    backoff = 5,
    rejected = 6,
    failed = 7,
    ended = 8,
};

/// BoardCell::flags.
enum CellFlag : std::uint32_t {
    kCellLossless = 1U << 0,  ///< a lossless writer waits for this reader
};

/// One reader's own figures. Its reader writes, everyone else only looks; alive = its byte range is locked (OFD).
struct BoardCell {
    std::atomic<std::uint32_t> state;       // 0    SinkState
    std::atomic<std::uint32_t> flags;       // 4    CellFlag
    std::atomic<std::uint32_t> pid;         // 8
    std::uint32_t reserved0;                // 12
    std::atomic<std::int64_t> attached_ns;  // 16  CLOCK_MONOTONIC
    std::atomic<std::int64_t> updated_ns;   // 24  CLOCK_MONOTONIC of the last store
    std::array<char, kNameBytes> name;      // 32
    std::array<char, kNameBytes> plugin;    // 96
    std::array<char, 128> reason;           // 160  why the state is what it is; one line

    std::array<std::atomic<std::uint64_t>, kFlowCount> cursor;     // 288  next index wanted; kNotRead
    std::array<std::atomic<std::uint64_t>, kFlowCount> delivered;  // 320
    std::array<std::atomic<std::uint64_t>, kFlowCount> overrun;    // 352  lost: the writer lapped the reader
    std::array<std::atomic<std::uint64_t>, kFlowCount> aborted;    // 384  lost: never finished by its writer

    std::atomic<std::uint64_t> dropped_frames;   // 416  read but not encoded, or encoded but not delivered, by choice
    std::atomic<std::uint64_t> repeated_frames;  // 424  filled in by the timeline
    std::atomic<std::uint64_t> silence_samples;  // 432  filled in by the timeline, per channel
    std::atomic<std::uint64_t> frames_encoded;   // 440
    std::atomic<std::uint64_t> bytes_sent;       // 448  left the sink
    std::atomic<std::int64_t> lag_ns;            // 456  age of the oldest unread video record
    std::atomic<std::int64_t> queue_ns;          // 464  media time between encoder and plugin
    std::atomic<std::int64_t> output_pts_ns;     // 472  end of what was handed to the plugin
    std::atomic<std::int64_t> played_pts_ns;     // 480  bus pts known to have been played out; -1 unknown
    std::atomic<std::uint64_t> reconnects;       // 488
    /// 496 .. 512  per flow: low 32 bits, never 0, of created_ns of the object this reader has open (since 1.1; 0:
    /// none)
    std::array<std::atomic<std::uint32_t>, kFlowCount> flow_object;
};

/// What the sink in the cell of the same number measures, for people; under the same lock as the cell (since 1.2).
struct BoardGauges {
    std::atomic<std::uint64_t> sent_bytes_per_second;  // 0
    std::atomic<std::uint64_t> encoded_mfps;           // 8   frames per 1000 s
    std::atomic<std::int64_t> encode_p50_ns;           // 16  one picture in the encoder: half of the newest take less
    std::atomic<std::int64_t> encode_p99_ns;           // 24
    std::atomic<std::int64_t> sent_frame_age_ns;       // 32  capture to delivery of the newest fresh picture delivered
    std::atomic<std::uint64_t> late_samples;           // 40  sound left out because it came too late, per channel
    std::array<std::uint64_t, 10> reserved;            // 48
};

/// A figure the sink's plugin shows under a name. The stamp guards the name: 0 never used, odd while it changes.
struct BoardFigure {
    std::atomic<std::uint32_t> stamp;       // 0
    std::uint32_t reserved0;                // 4
    std::atomic<std::int64_t> value;        // 8    kNoFigure: none
    std::array<char, kNoteNameBytes> name;  // 16
};

/// A text the sink's plugin shows under a name. The stamp guards the rest; an empty text is none.
struct BoardText {
    std::atomic<std::uint32_t> stamp;       // 0
    std::uint32_t reserved0;                // 4
    std::array<char, kNoteNameBytes> name;  // 8
    std::array<char, 208> text;             // 48
};

/// What the plugin of the sink in the cell of the same number says of its peers, for people; under the same lock as
/// the cell (since 1.3).
struct BoardNotes {
    std::atomic<std::uint32_t> left_out;                // 0    figures and texts that have no place here
    std::array<std::uint32_t, 15> reserved0;            // 4
    std::array<BoardFigure, kBoardFigureCount> figure;  // 64
    std::array<BoardText, kBoardTextCount> text;        // 5440
};

struct BoardHeader {
    ObjectHeader object;                     // 0
    std::array<char, kNameBytes> bus_name;   // 64
    std::uint32_t cell_count;                // 128
    std::uint32_t cell_size;                 // 132
    std::uint64_t cells_offset;              // 136
    std::uint64_t gauges_offset;             // 144  of as many BoardGauges as cells (since 1.2; 0: none)
    std::uint64_t notes_offset;              // 152  of as many BoardNotes as cells (since 1.3; 0: none)
    std::array<std::uint64_t, 4> reserved0;  // 160
    // Readers add after moving a cursor and wake when writer_waiting is not 0; a lossless writer waits on it.
    alignas(64) std::atomic<std::uint32_t> cursor_word;  // 192
    std::atomic<std::uint32_t> writer_waiting;           // 196
    std::array<std::uint64_t, 7> reserved1;              // 200
    std::array<std::uint64_t, 480> reserved2;            // 256 .. 4096
};

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && std::atomic<std::uint64_t>::is_always_lock_free);
static_assert(sizeof(std::atomic<std::uint64_t>) == 8 && sizeof(std::atomic<std::uint32_t>) == 4);
static_assert(sizeof(ObjectHeader) == 64);
static_assert(sizeof(Caps) == 96);
static_assert(sizeof(BusHeader) == 4096 && sizeof(FlowHeader) == 4096 && sizeof(BoardHeader) == 4096);
static_assert(sizeof(Descriptor) == 256 && sizeof(BoardCell) == 512);
static_assert(sizeof(BoardGauges) == 128 && offsetof(BoardGauges, late_samples) == 40);
static_assert(sizeof(BoardFigure) == 56 && offsetof(BoardFigure, name) == 16);
static_assert(sizeof(BoardText) == 256 && offsetof(BoardText, text) == 48);
static_assert(sizeof(BoardNotes) == 9536 && sizeof(BoardNotes) % 64 == 0);
static_assert(offsetof(BoardNotes, figure) == 64 && offsetof(BoardNotes, text) == 5440);
static_assert(offsetof(BusHeader, epoch_ns) == 192 && offsetof(BusHeader, writer_mode) == 208);
static_assert(offsetof(BusHeader, wake_word) == 256 && offsetof(BusHeader, superseded) == 320);
static_assert(offsetof(BusHeader, ended) == 324 && offsetof(BusHeader, live_session) == 328);
static_assert(offsetof(BusHeader, flush_generation) == 384);
static_assert(offsetof(BusHeader, flush_index) == 392 && offsetof(BusHeader, ended_index) == 448);
static_assert(offsetof(BusHeader, evicted_attached_ns) == 512 && offsetof(BusHeader, reserved6) == 1024);
static_assert(offsetof(FlowHeader, kind) == 128 && offsetof(FlowHeader, slot_count) == 136);
static_assert(offsetof(FlowHeader, arena_offset) == 152 && offsetof(FlowHeader, first_index) == 168);
static_assert(offsetof(FlowHeader, caps) == 192 && offsetof(FlowHeader, caps_generation) == 288);
static_assert(offsetof(FlowHeader, head) == 320 && offsetof(FlowHeader, superseded) == 384);
static_assert(offsetof(FlowHeader, ended) == 388);
static_assert(offsetof(Caps, stride) == 32 && offsetof(Caps, plane_offset) == 48 && offsetof(Caps, colour) == 80);
static_assert(offsetof(Descriptor, session) == 64 && offsetof(Descriptor, flags) == 72);
static_assert(offsetof(Descriptor, caps) == 88 && offsetof(Descriptor, reserved) == 184);
static_assert(offsetof(BoardHeader, cells_offset) == 136 && offsetof(BoardHeader, gauges_offset) == 144);
static_assert(offsetof(BoardHeader, notes_offset) == 152);
static_assert(offsetof(BoardHeader, cursor_word) == 192);
static_assert(offsetof(BoardCell, name) == 32 && offsetof(BoardCell, reason) == 160);
static_assert(offsetof(BoardCell, cursor) == 288 && offsetof(BoardCell, dropped_frames) == 416);
static_assert(offsetof(BoardCell, played_pts_ns) == 480 && offsetof(BoardCell, flow_object) == 496);
static_assert(std::is_standard_layout_v<BusHeader> && std::is_standard_layout_v<FlowHeader>);
static_assert(std::is_standard_layout_v<Descriptor> && std::is_standard_layout_v<BoardCell>);
static_assert(std::is_trivially_copyable_v<Caps> && std::is_trivially_copyable_v<ObjectHeader>);

}  // namespace ringcast::layout
