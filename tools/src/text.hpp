// SPDX-License-Identifier: Apache-2.0
/// Numbers and tables for people. Programs get JSON with raw numbers instead (bus_json.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast::tools {

std::string human_bytes(std::uint64_t bytes);                    ///< "79.1 MiB", binary units
std::string human_bit_rate(double bits_per_second);              ///< "4.2 Mbit/s"
std::string human_duration(std::int64_t ns);                     ///< "12.3 ms", "4.2 s", "4 min 05 s", "3 d 04 h"
std::string seconds_text(std::int64_t ns);                       ///< "12.480000", rounded to the nearest microsecond
std::string caps_text(FlowKind kind, const layout::Caps& caps);  ///< "1280x720 bgr24 25", "44100 s16 x1"

/// Columns of a terminal the text takes; East Asian characters take two.
std::size_t display_width(std::string_view text);
/// The text, cut to `width` columns with an ellipsis as its last one.
std::string fit(std::string_view text, std::size_t width);

enum class Tone { plain, strong, dim, good, warning, bad };

/// Where the text goes: what it may use.
struct Screen {
    bool colour = false;
    std::size_t width = 0;  ///< columns; 0: no limit

    /// Colour only on a terminal that is not "dumb", and not with NO_COLOR; its width, or none for files and pipes.
    static Screen of_stdout();
    [[nodiscard]] std::string paint(std::string_view text, Tone tone) const;
};

enum class Align { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
    bool may_shrink = false;  ///< its cells are cut when the table is wider than the screen
};

struct Cell {
    std::string text;
    Tone tone = Tone::plain;
};

class Table {
public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    /// Title line and rows, each with a newline; columns stand two spaces apart.
    [[nodiscard]] std::string render(const Screen& screen) const;

private:
    [[nodiscard]] std::vector<std::size_t> widths(std::size_t screen_width) const;
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

/// "label  value" lines with the values in one column.
class Labels {
public:
    explicit Labels(std::size_t indent = 0) : indent_(indent) {}
    void add(std::string label, std::string value, Tone tone = Tone::plain);
    [[nodiscard]] std::string render(const Screen& screen) const;

private:
    struct Line {
        std::string label;
        std::string value;
        Tone tone;
    };
    std::size_t indent_;
    std::vector<Line> lines_;
};

}  // namespace ringcast::tools
