// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "ringcast/reader.hpp"

namespace ringcast::runtime {

/// Figures and texts that an output shows under names of its own: the round trip to its peer, the file it writes.
/// Life cycle: the output's; from one connection to the next they stay.
/// Thread safety: every call from any thread, show() from one at a time.
class OutputNotes {
public:
    /// Lower-case words of letters, digits and '_', with dots in between, at most 39 characters: "rtt_us",
    /// "client.3.rtt_us".
    [[nodiscard]] static bool is_name(std::string_view name) noexcept;

    /// A new value of a figure that is shown: no lock, no allocation. False: it is not, or `value` is kNoFigure; then
    /// set_figure() does it.
    bool update_figure(std::string_view name, std::int64_t value) noexcept;
    /// layout::kNoFigure takes the figure back.
    void set_figure(std::string_view name, std::int64_t value);
    /// An empty text takes it back. False: nothing changed.
    bool set_text(std::string_view name, std::string_view text);

    /// Puts all of them on the board; never waits for another thread.
    void show(BoardEntry& board) const noexcept;

private:
    using Names = std::set<std::string, std::less<>>;
    using Words = std::array<std::uint64_t, layout::kNoteNameBytes / sizeof(std::uint64_t)>;

    /// A place belongs to its name until another one needs it. Written under the mutex, but for the value of a figure
    /// that is shown; the stamp is odd while the name changes.
    struct Place {
        std::atomic<std::uint32_t> stamp{0};
        std::array<std::atomic<std::uint64_t>, std::tuple_size_v<Words>> name{};
        std::atomic<std::int64_t> value{layout::kNoFigure};
        std::atomic<std::uint32_t> updates{0};  ///< under way; the name stays meanwhile
        std::uint64_t left_at =
            0;  ///< counts figures that were taken back: the one that is away the longest goes first
    };
    struct Text {
        std::string name;
        std::string text;  ///< empty: the place is free
    };

    static Words words_of(std::string_view name) noexcept;
    static bool has_name(const Place& place, const Words& name) noexcept;
    Place* place_of(const Words& name) noexcept;
    Place* free_place() noexcept;
    static bool rename(Place& place, const Words& name) noexcept;
    bool leave_out(Names& names, std::string_view name);
    void forget(Names& names, std::string_view name);
    void count_left_out() noexcept;

    std::array<Place, layout::kBoardFigureCount> places_{};
    std::array<Text, layout::kBoardTextCount> texts_{};
    std::atomic<std::uint32_t> left_out_{0};
    std::uint64_t taken_back_ = 0;
    Names figures_left_out_;
    Names texts_left_out_;
    mutable std::mutex mutex_;
};

}  // namespace ringcast::runtime
