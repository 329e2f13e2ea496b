// SPDX-License-Identifier: Apache-2.0
// docs/memory-layout.md is what other people write readers from: its tables are parsed here and held to layout.hpp.
#include <gtest/gtest.h>

#include <charconv>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <type_traits>
#include <vector>

#include "ringcast/layout.hpp"

namespace {
using namespace ringcast::layout;

struct Field {
    std::size_t offset = 0;
    std::size_t size = 0;
    std::string type;
    std::string name;
    friend bool operator==(const Field&, const Field&) = default;
};
void PrintTo(const Field& field, std::ostream* out) {
    *out << "| " << field.offset << " | " << field.size << " | " << field.type << " | " << field.name << " |";
}

// The words of the document for a C++ type.
template <class T>
struct TypeWord {
    static std::string word() {
        if constexpr (std::is_enum_v<T>) return TypeWord<std::underlying_type_t<T>>::word();
        if constexpr (std::is_same_v<T, ObjectHeader>) return "ObjectHeader";
        if constexpr (std::is_same_v<T, Caps>) return "Caps";
        if constexpr (std::is_same_v<T, BoardFigure>) return "BoardFigure";
        if constexpr (std::is_same_v<T, BoardText>) return "BoardText";
        if constexpr (std::is_same_v<T, char>) return "char";
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, char>) {
            return (std::is_signed_v<T> ? "i" : "u") + std::to_string(sizeof(T) * 8);
        }
        return "?";
    }
};
template <class T>
struct TypeWord<std::atomic<T>> {
    static std::string word() { return "atomic " + TypeWord<T>::word(); }
};
template <class T, std::size_t N>
struct TypeWord<std::array<T, N>> {
    static std::string word() { return TypeWord<T>::word() + "[" + std::to_string(N) + "]"; }
};

struct Struct {
    std::size_t size = 0;
    std::vector<Field> fields;
};

#define FIELD(type, name)                                                                       \
    Field {                                                                                     \
        offsetof(type, name), sizeof(type::name), TypeWord<decltype(type::name)>::word(), #name \
    }

const std::map<std::string, Struct>& structs_in_code() {
    static const std::map<std::string, Struct> structs{
        {"ObjectHeader",
         {sizeof(ObjectHeader),
          {FIELD(ObjectHeader, magic), FIELD(ObjectHeader, major), FIELD(ObjectHeader, minor),
           FIELD(ObjectHeader, type), FIELD(ObjectHeader, header_size), FIELD(ObjectHeader, object_size),
           FIELD(ObjectHeader, session), FIELD(ObjectHeader, created_ns), FIELD(ObjectHeader, creator_pid),
           FIELD(ObjectHeader, reserved0), FIELD(ObjectHeader, reserved1)}}},
        {"BusHeader",
         {sizeof(BusHeader),
          {FIELD(BusHeader, object),
           FIELD(BusHeader, bus_name),
           FIELD(BusHeader, producer_name),
           FIELD(BusHeader, epoch_ns),
           FIELD(BusHeader, epoch_realtime_ns),
           FIELD(BusHeader, writer_mode),
           FIELD(BusHeader, reserved0),
           FIELD(BusHeader, reserved1),
           FIELD(BusHeader, wake_word),
           FIELD(BusHeader, reserved2),
           FIELD(BusHeader, superseded),
           FIELD(BusHeader, ended),
           FIELD(BusHeader, live_session),
           FIELD(BusHeader, reserved3),
           FIELD(BusHeader, flush_generation),
           FIELD(BusHeader, flush_index),
           FIELD(BusHeader, reserved4),
           FIELD(BusHeader, ended_index),
           FIELD(BusHeader, reserved5),
           FIELD(BusHeader, evicted_attached_ns),
           FIELD(BusHeader, reserved6)}}},
        {"Caps",
         {sizeof(Caps),
          {FIELD(Caps, format), FIELD(Caps, width), FIELD(Caps, height), FIELD(Caps, fps_num), FIELD(Caps, fps_den),
           FIELD(Caps, sample_rate), FIELD(Caps, channels), FIELD(Caps, plane_count), FIELD(Caps, stride),
           FIELD(Caps, plane_offset), FIELD(Caps, colour), FIELD(Caps, reserved0), FIELD(Caps, reserved1)}}},
        {"FlowHeader",
         {sizeof(FlowHeader),
          {FIELD(FlowHeader, object),
           FIELD(FlowHeader, bus_name),
           FIELD(FlowHeader, kind),
           FIELD(FlowHeader, descriptor_size),
           FIELD(FlowHeader, slot_count),
           FIELD(FlowHeader, descriptors_offset),
           FIELD(FlowHeader, arena_offset),
           FIELD(FlowHeader, arena_size),
           FIELD(FlowHeader, first_index),
           FIELD(FlowHeader, depth_ns),
           FIELD(FlowHeader, depth_wanted_ns),
           FIELD(FlowHeader, caps),
           FIELD(FlowHeader, caps_generation),
           FIELD(FlowHeader, reserved0),
           FIELD(FlowHeader, reserved1),
           FIELD(FlowHeader, head),
           FIELD(FlowHeader, superseded),
           FIELD(FlowHeader, ended),
           FIELD(FlowHeader, reserved2),
           FIELD(FlowHeader, reserved3)}}},
        {"Descriptor",
         {sizeof(Descriptor),
          {FIELD(Descriptor, stamp), FIELD(Descriptor, payload_position), FIELD(Descriptor, payload_size),
           FIELD(Descriptor, pts_ns), FIELD(Descriptor, dts_ns), FIELD(Descriptor, duration_ns),
           FIELD(Descriptor, capture_time_ns), FIELD(Descriptor, media_index), FIELD(Descriptor, session),
           FIELD(Descriptor, flags), FIELD(Descriptor, stream_id), FIELD(Descriptor, caps_generation),
           FIELD(Descriptor, sample_count), FIELD(Descriptor, caps), FIELD(Descriptor, reserved)}}},
        {"BoardHeader",
         {sizeof(BoardHeader),
          {FIELD(BoardHeader, object), FIELD(BoardHeader, bus_name), FIELD(BoardHeader, cell_count),
           FIELD(BoardHeader, cell_size), FIELD(BoardHeader, cells_offset), FIELD(BoardHeader, gauges_offset),
           FIELD(BoardHeader, notes_offset), FIELD(BoardHeader, reserved0), FIELD(BoardHeader, cursor_word),
           FIELD(BoardHeader, writer_waiting), FIELD(BoardHeader, reserved1), FIELD(BoardHeader, reserved2)}}},
        {"BoardCell",
         {sizeof(BoardCell),
          {FIELD(BoardCell, state),
           FIELD(BoardCell, flags),
           FIELD(BoardCell, pid),
           FIELD(BoardCell, reserved0),
           FIELD(BoardCell, attached_ns),
           FIELD(BoardCell, updated_ns),
           FIELD(BoardCell, name),
           FIELD(BoardCell, plugin),
           FIELD(BoardCell, reason),
           FIELD(BoardCell, cursor),
           FIELD(BoardCell, delivered),
           FIELD(BoardCell, overrun),
           FIELD(BoardCell, aborted),
           FIELD(BoardCell, dropped_frames),
           FIELD(BoardCell, repeated_frames),
           FIELD(BoardCell, silence_samples),
           FIELD(BoardCell, frames_encoded),
           FIELD(BoardCell, bytes_sent),
           FIELD(BoardCell, lag_ns),
           FIELD(BoardCell, queue_ns),
           FIELD(BoardCell, output_pts_ns),
           FIELD(BoardCell, played_pts_ns),
           FIELD(BoardCell, reconnects),
           FIELD(BoardCell, flow_object)}}},
        {"BoardGauges",
         {sizeof(BoardGauges),
          {FIELD(BoardGauges, sent_bytes_per_second), FIELD(BoardGauges, encoded_mfps),
           FIELD(BoardGauges, encode_p50_ns), FIELD(BoardGauges, encode_p99_ns), FIELD(BoardGauges, sent_frame_age_ns),
           FIELD(BoardGauges, late_samples), FIELD(BoardGauges, reserved)}}},
        {"BoardFigure",
         {sizeof(BoardFigure),
          {FIELD(BoardFigure, stamp), FIELD(BoardFigure, reserved0), FIELD(BoardFigure, value),
           FIELD(BoardFigure, name)}}},
        {"BoardText",
         {sizeof(BoardText),
          {FIELD(BoardText, stamp), FIELD(BoardText, reserved0), FIELD(BoardText, name), FIELD(BoardText, text)}}},
        {"BoardNotes",
         {sizeof(BoardNotes),
          {FIELD(BoardNotes, left_out), FIELD(BoardNotes, reserved0), FIELD(BoardNotes, figure),
           FIELD(BoardNotes, text)}}},
    };
    return structs;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<std::string> columns_of(const std::string& line) {
    std::vector<std::string> columns;
    std::istringstream stream(line.substr(1));
    for (std::string column; std::getline(stream, column, '|');)
        columns.push_back(trimmed(column));
    return columns;
}

std::size_t number(const std::string& text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    EXPECT_TRUE(error == std::errc{} && end == text.data() + text.size()) << "not a number: " << text;
    return value;
}

/// Tables whose first column is headed "offset", by the heading above them.
std::map<std::string, std::vector<Field>> tables_in_document() {
    std::ifstream document(RINGCAST_DOCS_DIR "/memory-layout.md");
    EXPECT_TRUE(document) << "cannot read " RINGCAST_DOCS_DIR "/memory-layout.md";
    std::map<std::string, std::vector<Field>> tables;
    std::string heading;
    bool in_table = false;
    for (std::string line; std::getline(document, line);) {
        if (line.starts_with("## ")) heading = trimmed(line.substr(3));
        if (!line.starts_with("|")) {
            in_table = false;
        } else if (const auto columns = columns_of(line); columns.front() == "offset") {
            in_table = true;
        } else if (in_table && !columns.front().starts_with("-")) {
            tables[heading].push_back({number(columns.at(0)), number(columns.at(1)), columns.at(2), columns.at(3)});
        }
    }
    return tables;
}

TEST(MemoryLayoutDocument, has_one_table_for_every_struct) {
    std::vector<std::string> documented;
    for (const auto& [name, fields] : tables_in_document())
        documented.push_back(name);
    std::vector<std::string> coded;
    for (const auto& [name, layout] : structs_in_code())
        coded.push_back(name);
    EXPECT_EQ(documented, coded);
}

TEST(MemoryLayoutDocument, gives_every_field_its_offset_size_and_type) {
    for (const auto& [name, fields] : tables_in_document()) {
        SCOPED_TRACE(name);
        std::vector<Field> named;
        for (const Field& field : fields) {
            if (field.type != "padding") named.push_back(field);
        }
        EXPECT_EQ(named, structs_in_code().at(name).fields);
    }
}

// A field forgotten in the tables and in the list above would leave a hole.
TEST(MemoryLayoutDocument, accounts_for_every_byte) {
    for (const auto& [name, fields] : tables_in_document()) {
        SCOPED_TRACE(name);
        std::size_t end = 0;
        for (const Field& field : fields) {
            EXPECT_EQ(field.offset, end) << field.name;
            end = field.offset + field.size;
        }
        EXPECT_EQ(end, structs_in_code().at(name).size);
    }
}

}  // namespace
