// SPDX-License-Identifier: Apache-2.0
#include "board_notes.hpp"

#include <algorithm>
#include <array>
#include <atomic>

namespace ringcast {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr int kLooks = 4;  // at an entry that changes; a hostile one changes for ever

template <std::size_t N>
bool holds(const std::array<char, N>& field, std::string_view text) noexcept {
    const std::string_view whole(field.data(), N);
    return whole.substr(0, whole.find('\0')) == text.substr(0, N - 1);
}

template <std::size_t N>
void put(std::array<char, N>& field, std::string_view text) noexcept {
    const auto end = std::copy_n(text.data(), std::min(text.size(), N - 1), field.data());
    std::fill(end, field.end(), '\0');
}

/// Runs `change` while the stamp tells readers to look again.
template <class Change>
void change_under(std::atomic<std::uint32_t>& stamp, Change change) noexcept {
    const std::uint32_t odd = stamp.load(kRelaxed) | 1U;
    stamp.store(odd, kRelaxed);
    // SYNC F: pairs with the acquire fence in read_under(). Who saw a byte of the change sees that the stamp is
    // another.
    std::atomic_thread_fence(std::memory_order_release);
    change();
    // SYNC F: pairs with the acquire load in read_under(). Who sees this stamp sees the whole change.
    stamp.store(odd + 1, std::memory_order_release);
}

/// What `copy` returned when nothing changed meanwhile.
template <class Copy>
auto read_under(const std::atomic<std::uint32_t>& stamp, Copy copy) -> std::optional<decltype(copy())> {
    for (int look = 0; look < kLooks; ++look) {
        const std::uint32_t before = stamp.load(std::memory_order_acquire);  // SYNC F
        if (before == 0) return std::nullopt;
        if ((before & 1U) != 0) continue;
        auto copied = copy();
        std::atomic_thread_fence(std::memory_order_acquire);  // SYNC F
        if (stamp.load(kRelaxed) == before) return copied;
    }
    return std::nullopt;
}

template <std::size_t N>
std::string clean(const std::array<char, N>& field) {
    return sanitise(std::string_view(field.data(), N), N - 1);
}

}  // namespace

void publish(layout::BoardFigure& figure, std::string_view name, std::int64_t value) noexcept {
    if (!holds(figure.name, name)) {
        // Before the stamp: a value never stands under a name that is not its own.
        figure.value.store(layout::kNoFigure, kRelaxed);
        change_under(figure.stamp, [&] { put(figure.name, name); });
    }
    // SYNC F: pairs with the acquire load in read(). Who sees this value sees its name, or that the stamp is another.
    figure.value.store(value, std::memory_order_release);
}

void publish(layout::BoardText& entry, std::string_view name, std::string_view text) noexcept {
    if (holds(entry.name, name) && holds(entry.text, text)) return;
    change_under(entry.stamp, [&] {
        put(entry.name, name);
        put(entry.text, text);
    });
}

void clear(layout::BoardNotes& notes) noexcept {
    notes.left_out.store(0, kRelaxed);
    // Stamps go on, so that nobody takes a name that the dead owner half wrote for one of the next.
    for (layout::BoardFigure& figure : notes.figure)
        publish(figure, {}, layout::kNoFigure);
    for (layout::BoardText& entry : notes.text)
        publish(entry, {}, {});
}

std::optional<FigureInfo> read(const layout::BoardFigure& figure) {
    std::int64_t value = 0;
    const auto name = read_under(figure.stamp, [&] {
        value = figure.value.load(std::memory_order_acquire);  // SYNC F
        return figure.name;
    });
    if (!name || value == layout::kNoFigure) return std::nullopt;
    FigureInfo info{clean(*name), value};
    if (info.name.empty()) return std::nullopt;
    return info;
}

std::optional<TextInfo> read(const layout::BoardText& entry) {
    const auto copied = read_under(entry.stamp, [&] { return std::pair(entry.name, entry.text); });
    if (!copied) return std::nullopt;
    TextInfo info{clean(copied->first), clean(copied->second)};
    if (info.name.empty() || info.text.empty()) return std::nullopt;
    return info;
}

}  // namespace ringcast
