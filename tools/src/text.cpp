// SPDX-License-Identifier: Apache-2.0
#include "text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <numeric>

namespace ringcast::tools {

namespace {

constexpr std::int64_t kMicrosecond = 1'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastColumn = 6;

template <class... Values>
std::string format(const char* pattern, Values... values) {
    std::array<char, 96> buffer{};
    std::snprintf(buffer.data(), buffer.size(), pattern, values...);
    return buffer.data();
}

/// Names are UTF-8 whatever the user's locale says; wcwidth() needs a UTF-8 locale on this thread.
class Utf8Locale {
public:
    Utf8Locale() : utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (utf8_ != nullptr) previous_ = uselocale(utf8_);
    }
    ~Utf8Locale() {
        if (utf8_ == nullptr) return;
        uselocale(previous_);
        freelocale(utf8_);
    }
    Utf8Locale(const Utf8Locale&) = delete;
    Utf8Locale& operator=(const Utf8Locale&) = delete;

private:
    locale_t utf8_;
    locale_t previous_ = nullptr;
};

/// Calls `use(bytes, columns)` for each character; a byte that is no UTF-8 counts as one character of one column.
template <class Use>
void for_each_character(std::string_view text, Use use) {
    const Utf8Locale locale;
    std::mbstate_t state{};
    while (!text.empty()) {
        wchar_t character = 0;
        std::size_t bytes = std::mbrtowc(&character, text.data(), text.size(), &state);
        int columns = 1;
        if (bytes == 0 || bytes > text.size()) {
            bytes = 1;
            state = std::mbstate_t{};
        } else {
            columns = std::max(0, wcwidth(character));
        }
        if (!use(text.substr(0, bytes), static_cast<std::size_t>(columns))) return;
        text.remove_prefix(bytes);
    }
}

std::string padded(const std::string& text, std::size_t width, Align align) {
    const std::size_t used = display_width(text);
    const std::string space(width > used ? width - used : 0, ' ');
    return align == Align::left ? text + space : space + text;
}

const char* code_of(Tone tone) {
    switch (tone) {
        case Tone::plain:
            return "";
        case Tone::strong:
            return "\033[1m";
        case Tone::dim:
            return "\033[2m";
        case Tone::good:
            return "\033[32m";
        case Tone::warning:
            return "\033[33m";
        case Tone::bad:
            return "\033[31m";
    }
    return "";
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
    if (bytes < 1024) return format("%u B", static_cast<unsigned>(bytes));
    constexpr std::array<const char*, 6> kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = static_cast<double>(bytes) / 1024.0;
    std::size_t unit = 0;
    // 1023.95 would print as "1024.0".
    while (value >= 1023.95 && unit + 1 < kUnits.size()) {
        value /= 1024.0;
        ++unit;
    }
    return format("%.1f %s", value, kUnits.at(unit));
}

std::string human_bit_rate(double bits_per_second) {
    if (bits_per_second >= 1e9) return format("%.2f Gbit/s", bits_per_second / 1e9);
    if (bits_per_second >= 1e6) return format("%.1f Mbit/s", bits_per_second / 1e6);
    return format("%.0f kbit/s", bits_per_second / 1e3);
}

std::string human_duration(std::int64_t ns) {
    if (ns < 0) return ns == INT64_MIN ? std::string("-") : "-" + human_duration(-ns);
    if (ns < kMillisecond) return format("%lld µs", static_cast<long long>(ns / kMicrosecond));
    if (ns < kSecond) return format("%.1f ms", std::min(999.9, static_cast<double>(ns) / 1e6));
    if (ns < 60 * kSecond) return format("%.1f s", std::min(59.9, static_cast<double>(ns) / 1e9));
    const long long seconds = ns / kSecond;
    if (seconds < 3600) return format("%lld min %02lld s", seconds / 60, seconds % 60);
    if (seconds < 86400) return format("%lld h %02lld min", seconds / 3600, seconds / 60 % 60);
    return format("%lld d %02lld h", seconds / 86400, seconds / 3600 % 24);
}

std::string seconds_text(std::int64_t ns) {
    const bool negative = ns < 0;
    std::uint64_t magnitude = negative ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
    const std::uint64_t microseconds = (magnitude + kMicrosecond / 2) / kMicrosecond;
    return format("%s%llu.%06llu", negative && microseconds > 0 ? "-" : "",
                  static_cast<unsigned long long>(microseconds / 1'000'000),
                  static_cast<unsigned long long>(microseconds % 1'000'000));
}

std::string caps_text(FlowKind kind, const layout::Caps& caps) {
    if (kind == FlowKind::video) {
        const auto video = video_format_of(caps, SIZE_MAX);
        if (!video) return "invalid";
        return format("%ux%u %s %s", video->width, video->height, std::string(name_of(video->format)).c_str(),
                      format_fps(video->fps).c_str());
    }
    if (kind == FlowKind::audio) {
        const auto audio = audio_format_of(caps);
        if (!audio) return "invalid";
        return format("%u %s x%u", audio->rate, std::string(name_of(audio->format)).c_str(), audio->channels);
    }
    if (kind == FlowKind::packets) {
        const auto packets = packet_format_of(caps);
        if (!packets) return "-";
        const std::string codec(name_of(packets->codec));
        if (packets->width == 0) return format("%s %u x%u", codec.c_str(), packets->rate, packets->channels);
        const std::string fps = packets->fps.num == 0 ? "" : " " + format_fps(packets->fps);
        return format("%s %ux%u%s", codec.c_str(), packets->width, packets->height, fps.c_str());
    }
    return "json";
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for_each_character(text, [&](std::string_view, std::size_t columns) {
        width += columns;
        return true;
    });
    return width;
}

std::string fit(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) return std::string(text);
    if (width == 0) return {};
    std::string kept;
    std::size_t used = 0;
    for_each_character(text, [&](std::string_view bytes, std::size_t columns) {
        if (used + columns > width - 1) return false;
        kept += bytes;
        used += columns;
        return true;
    });
    return kept + "…";
}

Screen Screen::of_stdout() {
    Screen screen;
    if (isatty(STDOUT_FILENO) == 0) return screen;
    const char* no_colour = std::getenv("NO_COLOR");
    const char* terminal = std::getenv("TERM");
    const bool dumb = terminal == nullptr || std::strcmp(terminal, "dumb") == 0;
    screen.colour = !dumb && (no_colour == nullptr || *no_colour == '\0');
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) screen.width = size.ws_col;
    return screen;
}

std::string Screen::paint(std::string_view text, Tone tone) const {
    if (!colour || tone == Tone::plain || text.empty()) return std::string(text);
    return code_of(tone) + std::string(text) + "\033[0m";
}

std::vector<std::size_t> Table::widths(std::size_t screen_width) const {
    std::vector<std::size_t> result;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
        std::size_t width = display_width(columns_[c].title);
        for (const auto& row : rows_)
            width = std::max(width, display_width(row.at(c).text));
        result.push_back(width);
    }
    if (screen_width == 0) return result;
    std::size_t total = std::accumulate(result.begin(), result.end(), kGap * (columns_.size() - 1));
    // Takes from the widest column that may shrink, one at a time, so that none is cut more than the others.
    while (total > screen_width) {
        std::size_t widest = columns_.size();
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            if (!columns_[c].may_shrink || result[c] <= kLeastColumn) continue;
            if (widest == columns_.size() || result[c] > result[widest]) widest = c;
        }
        if (widest == columns_.size()) break;
        --result[widest];
        --total;
    }
    return result;
}

std::string Table::render(const Screen& screen) const {
    const std::vector<std::size_t> width = widths(screen.width);
    std::string text;
    const auto append = [&](std::size_t c, const std::string& value, Tone tone) {
        const bool last = c + 1 == columns_.size();
        const std::string cell = fit(value, width[c]);
        const bool pad = !last || columns_[c].align == Align::right;
        text += screen.paint(pad ? padded(cell, width[c], columns_[c].align) : cell, tone);
        text += last ? "\n" : std::string(kGap, ' ');
    };
    for (std::size_t c = 0; c < columns_.size(); ++c)
        append(c, columns_[c].title, Tone::dim);
    for (const auto& row : rows_) {
        for (std::size_t c = 0; c < columns_.size(); ++c)
            append(c, row.at(c).text, row.at(c).tone);
    }
    return text;
}

void Labels::add(std::string label, std::string value, Tone tone) {
    lines_.push_back({std::move(label), std::move(value), tone});
}

std::string Labels::render(const Screen& screen) const {
    std::size_t widest = 0;
    for (const Line& line : lines_)
        widest = std::max(widest, display_width(line.label));
    std::string text;
    for (const Line& line : lines_) {
        text += std::string(indent_, ' ') + screen.paint(padded(line.label, widest, Align::left), Tone::dim);
        text += std::string(kGap, ' ') + screen.paint(line.value, line.tone) + "\n";
    }
    return text;
}

}  // namespace ringcast::tools
