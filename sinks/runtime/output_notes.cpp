// SPDX-License-Identifier: Apache-2.0
#include "runtime/output_notes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ringcast/inspect.hpp"

namespace ringcast::runtime {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::size_t kMostLeftOut = 1024;  // an output that invents names does not grow the process

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

bool OutputNotes::is_name(std::string_view name) noexcept {
    if (name.empty() || name.size() >= layout::kNoteNameBytes || name.front() < 'a' || name.front() > 'z') return false;
    if (name.back() == '.' || name.find("..") != std::string_view::npos) return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return c == '.' || is_name_character(c); });
}

OutputNotes::Words OutputNotes::words_of(std::string_view name) noexcept {
    Words words{};
    std::memcpy(words.data(), name.data(), std::min(name.size(), sizeof words - 1));
    return words;
}

bool OutputNotes::has_name(const Place& place, const Words& name) noexcept {
    const std::uint32_t stamp = place.stamp.load(std::memory_order_acquire);
    if ((stamp & 1U) != 0) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (place.name[i].load(kRelaxed) != name[i]) return false;
    }
    std::atomic_thread_fence(std::memory_order_acquire);  // SYNC F, in this process
    return place.stamp.load(kRelaxed) == stamp;
}

OutputNotes::Place* OutputNotes::place_of(const Words& name) noexcept {
    const auto found =
        std::find_if(places_.begin(), places_.end(), [&](const Place& place) { return has_name(place, name); });
    return found == places_.end() ? nullptr : &*found;
}

bool OutputNotes::update_figure(std::string_view name, std::int64_t value) noexcept {
    if (value == layout::kNoFigure || name.empty() || name.size() >= layout::kNoteNameBytes) return false;
    const Words words = words_of(name);
    for (Place& place : places_) {
        if (!has_name(place, words)) continue;
        place.updates.fetch_add(1, kRelaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);  // with rename(): one of the two sees the other
        std::int64_t shown = place.value.load(kRelaxed);
        // Only if it is not taken back: that counts, whoever comes first.
        const bool done = shown != layout::kNoFigure && has_name(place, words) &&
                          place.value.compare_exchange_strong(shown, value, std::memory_order_release, kRelaxed);
        place.updates.fetch_sub(1, std::memory_order_release);
        return done;
    }
    return false;
}

/// False: someone is about to write under the name before. Either he sees that the stamp is odd, or this sees him.
bool OutputNotes::rename(Place& place, const Words& name) noexcept {
    const std::uint32_t stamp = place.stamp.load(kRelaxed);
    place.stamp.store(stamp + 1, kRelaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);  // with update_figure(); SYNC F, in this process
    const bool is_alone = place.updates.load(std::memory_order_acquire) == 0;
    for (std::size_t i = 0; is_alone && i < name.size(); ++i)
        place.name[i].store(name[i], kRelaxed);
    place.stamp.store(stamp + 2, std::memory_order_release);
    return is_alone;
}

/// Never used, or away the longest.
OutputNotes::Place* OutputNotes::free_place() noexcept {
    const auto rank = [](const Place& place) {
        const bool is_free = place.value.load(kRelaxed) == layout::kNoFigure && place.updates.load(kRelaxed) == 0;
        return is_free ? place.left_at : UINT64_MAX;
    };
    const auto first = std::min_element(places_.begin(), places_.end(),
                                        [&](const Place& a, const Place& b) { return rank(a) < rank(b); });
    return rank(*first) == UINT64_MAX ? nullptr : &*first;
}

void OutputNotes::set_figure(std::string_view name, std::int64_t value) {
    const Words words = words_of(name);
    const std::scoped_lock lock(mutex_);
    Place* place = place_of(words);
    if (value == layout::kNoFigure) {
        if (place != nullptr && place->value.exchange(value, std::memory_order_release) != value) {
            place->left_at = ++taken_back_;
        }
        return forget(figures_left_out_, name);
    }
    if (place == nullptr) {
        do {
            place = free_place();
            if (place == nullptr) {
                leave_out(figures_left_out_, name);
                return;
            }
        } while (!rename(*place, words));
    }
    place->value.store(value, std::memory_order_release);
    forget(figures_left_out_, name);
}

bool OutputNotes::set_text(std::string_view name, std::string_view text) {
    std::string clean = sanitise(text, sizeof(layout::BoardText::text) - 1);
    const std::scoped_lock lock(mutex_);
    const auto with_name = [&](const Text& entry) { return !entry.text.empty() && entry.name == name; };
    auto place = std::find_if(texts_.begin(), texts_.end(), with_name);
    if (place != texts_.end() && place->text == clean) return false;
    if (place == texts_.end() && !clean.empty()) {
        place = std::find_if(texts_.begin(), texts_.end(), [](const Text& entry) { return entry.text.empty(); });
        if (place == texts_.end()) return leave_out(texts_left_out_, name);
    }
    forget(texts_left_out_, name);
    if (place == texts_.end()) return false;
    place->name = name;
    place->text = std::move(clean);
    return true;
}

/// False: it was left out already.
bool OutputNotes::leave_out(Names& names, std::string_view name) {
    const bool is_new = names.size() < kMostLeftOut && names.emplace(name).second;
    count_left_out();
    return is_new;
}

void OutputNotes::forget(Names& names, std::string_view name) {
    const auto found = names.find(name);
    if (found != names.end()) names.erase(found);
    count_left_out();
}

void OutputNotes::count_left_out() noexcept {
    left_out_.store(static_cast<std::uint32_t>(figures_left_out_.size() + texts_left_out_.size()), kRelaxed);
}

void OutputNotes::show(BoardEntry& board) const noexcept {
    for (std::size_t at = 0; at < places_.size(); ++at) {
        const Place& place = places_[at];
        const std::uint32_t stamp = place.stamp.load(std::memory_order_acquire);
        if (stamp == 0 || (stamp & 1U) != 0) continue;
        const std::int64_t value = place.value.load(std::memory_order_acquire);
        Words name;
        for (std::size_t i = 0; i < name.size(); ++i)
            name[i] = place.name[i].load(kRelaxed);
        std::atomic_thread_fence(std::memory_order_acquire);  // SYNC F, in this process
        if (place.stamp.load(kRelaxed) != stamp) continue;    // it is on the board at the next look
        board.show_figure(at, reinterpret_cast<const char*>(name.data()), value);
    }
    board.show_left_out(left_out_.load(kRelaxed));
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    for (std::size_t at = 0; at < texts_.size(); ++at)
        board.show_text(at, texts_[at].name, texts_[at].text);
}

}  // namespace ringcast::runtime
