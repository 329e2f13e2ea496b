// SPDX-License-Identifier: Apache-2.0
// Figures and texts of an output: places, names, what is left out; set from many threads while they are shown.
#include "runtime/output_notes.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <thread>
#include <vector>

namespace ringcast::runtime {
namespace {

constexpr std::int64_t kNone = layout::kNoFigure;

/// What stands on the board after show().
class RecordedBoard final : public BoardEntry {
public:
    void set_state(layout::SinkState, std::string_view) override {}
    layout::BoardCell* cell() override { return nullptr; }
    layout::BoardGauges* gauges() override { return nullptr; }
    void show_figure(std::size_t place, std::string_view name, std::int64_t value) noexcept override {
        figure_at[place] = {std::string(name), value};
    }
    void show_text(std::size_t place, std::string_view name, std::string_view text) noexcept override {
        text_at[place] = {std::string(name), std::string(text)};
    }
    void show_left_out(std::uint32_t count) noexcept override { left_out = count; }

    [[nodiscard]] std::map<std::string, std::int64_t> figures() const {
        std::map<std::string, std::int64_t> shown;
        for (const auto& [place, figure] : figure_at) {
            if (figure.second == kNone) continue;
            EXPECT_TRUE(shown.insert(figure).second) << figure.first << " stands twice";
        }
        return shown;
    }
    [[nodiscard]] std::map<std::string, std::string> texts() const {
        std::map<std::string, std::string> shown;
        for (const auto& [place, text] : text_at) {
            if (!text.second.empty()) shown.insert(text);
        }
        return shown;
    }

    std::map<std::size_t, std::pair<std::string, std::int64_t>> figure_at;
    std::map<std::size_t, std::pair<std::string, std::string>> text_at;
    std::uint32_t left_out = 0;
};

using Figures = std::map<std::string, std::int64_t>;
using Texts = std::map<std::string, std::string>;

/// As the plugin's host does it.
void set(OutputNotes& notes, const std::string& name, std::int64_t value) {
    if (!notes.update_figure(name, value)) notes.set_figure(name, value);
}

std::string client(int number, const char* figure = "rtt_us") {
    return "client." + std::to_string(number) + "." + figure;
}

TEST(OutputNotesNames, are_words_in_lower_case_with_their_unit) {
    for (const char* name : {"a", "rtt_us", "client.12.rtt_us", "x264_fps"})
        EXPECT_TRUE(OutputNotes::is_name(name)) << name;
    EXPECT_TRUE(OutputNotes::is_name(std::string(39, 'a')));
    for (const char* name : {"", "Rtt", "rtt us", "rtt-us", ".a", "a.", "a..b", "_a", "1a", "a\n", "\xc3\xa9", "a=b"})
        EXPECT_FALSE(OutputNotes::is_name(name)) << name;
    EXPECT_FALSE(OutputNotes::is_name(std::string(40, 'a')));
}

TEST(OutputNotes, shows_the_newest_value_of_each_name) {
    OutputNotes notes;
    RecordedBoard board;
    EXPECT_FALSE(notes.update_figure("rtt_us", 1)) << "a name has to be set once";
    set(notes, "rtt_us", 1);
    set(notes, "loss_packets", -2);
    EXPECT_TRUE(notes.update_figure("rtt_us", 3));
    EXPECT_TRUE(notes.set_text("url", "http://a"));
    EXPECT_FALSE(notes.set_text("url", "http://a")) << "nothing changed";
    EXPECT_TRUE(notes.set_text("url", "http://b"));
    notes.show(board);
    EXPECT_EQ(board.figures(), (Figures{{"rtt_us", 3}, {"loss_packets", -2}}));
    EXPECT_EQ(board.texts(), (Texts{{"url", "http://b"}}));
    EXPECT_EQ(board.left_out, 0U);
}

TEST(OutputNotes, a_figure_that_was_taken_back_is_gone_until_it_is_set_again) {
    OutputNotes notes;
    RecordedBoard board;
    set(notes, "rtt_us", 1);
    notes.set_text("url", "http://a");
    notes.show(board);
    set(notes, "rtt_us", kNone);
    EXPECT_TRUE(notes.set_text("url", ""));
    EXPECT_FALSE(notes.set_text("never", ""));
    set(notes, "never", kNone);
    notes.show(board);
    EXPECT_EQ(board.figures(), Figures{});
    EXPECT_EQ(board.texts(), Texts{});
    set(notes, "rtt_us", 2);
    notes.show(board);
    EXPECT_EQ(board.figures(), (Figures{{"rtt_us", 2}}));
}

TEST(OutputNotes, what_finds_no_place_is_counted_and_comes_in_when_another_is_taken_back) {
    OutputNotes notes;
    RecordedBoard board;
    const int room = static_cast<int>(layout::kBoardFigureCount);
    for (int n = 0; n < room + 2; ++n)
        set(notes, client(n), n);
    set(notes, client(room), 7);  // the same two again
    set(notes, client(room + 1), 8);
    notes.show(board);
    EXPECT_EQ(board.figures().size(), layout::kBoardFigureCount);
    EXPECT_EQ(board.left_out, 2U);
    set(notes, client(5), kNone);
    set(notes, client(room + 1), 9);
    notes.show(board);
    EXPECT_EQ(board.figures().at(client(room + 1)), 9);
    EXPECT_EQ(board.figures().count(client(5)), 0U);
    EXPECT_EQ(board.left_out, 1U);
    set(notes, client(room), kNone);
    notes.show(board);
    EXPECT_EQ(board.left_out, 0U);
}

TEST(OutputNotes, texts_that_find_no_place_are_counted_with_them) {
    OutputNotes notes;
    RecordedBoard board;
    const int room = static_cast<int>(layout::kBoardTextCount);
    for (int n = 0; n <= room; ++n)
        notes.set_text(client(n, "address"), "10.0.0." + std::to_string(n));
    EXPECT_FALSE(notes.set_text(client(room, "address"), "10.0.1.1")) << "told once";
    notes.show(board);
    EXPECT_EQ(board.texts().size(), layout::kBoardTextCount);
    EXPECT_EQ(board.left_out, 1U);
    notes.set_text(client(0, "address"), "");
    notes.set_text(client(room, "address"), "10.0.1.1");
    notes.show(board);
    EXPECT_EQ(board.texts().at(client(room, "address")), "10.0.1.1");
    EXPECT_EQ(board.left_out, 0U);
}

TEST(OutputNotes, numbers_of_clients_that_rise_for_ever_find_a_place) {
    OutputNotes notes;
    for (int n = 0; n < 5000; ++n) {
        for (const char* figure : {"rtt_us", "loss_packets"})
            set(notes, client(n, figure), n);
        if (n >= 8) {
            for (const char* figure : {"rtt_us", "loss_packets"})
                set(notes, client(n - 8, figure), kNone);
        }
    }
    RecordedBoard board;
    notes.show(board);
    EXPECT_EQ(board.figures().size(), 16U);
    EXPECT_EQ(board.figures().at(client(4999)), 4999);
    EXPECT_EQ(board.left_out, 0U);
}

TEST(OutputNotes, a_place_never_shows_a_value_under_the_name_of_another) {
    OutputNotes notes;
    std::atomic<bool> over{false};
    std::vector<std::thread> threads;
    // Each thread's values tell whose they are; its names come and go, so that places change hands.
    for (int thread = 0; thread < 3; ++thread) {
        threads.emplace_back([&, thread] {
            for (int round = 0; !over; ++round) {
                const std::string name = "thread." + std::to_string(thread) + ".n" + std::to_string(round % 60);
                set(notes, name, thread * 1000 + round % 60);
                set(notes, name, thread * 1000 + round % 60);
                if (round % 3 != 0) set(notes, name, kNone);
                notes.set_text(name, round % 2 == 0 ? name : "");
            }
        });
    }
    for (int look = 0; look < 20'000; ++look) {
        RecordedBoard board;
        notes.show(board);
        for (const auto& [place, figure] : board.figure_at) {
            const auto& [name, value] = figure;
            if (value == kNone) continue;
            ASSERT_EQ(name, "thread." + std::to_string(value / 1000) + ".n" + std::to_string(value % 1000));
        }
        for (const auto& [name, text] : board.texts())
            ASSERT_EQ(name, text);
    }
    over = true;
    for (std::thread& thread : threads)
        thread.join();
}

TEST(OutputNotes, a_late_update_of_a_figure_that_was_taken_back_does_not_reach_whoever_has_its_place) {
    constexpr std::int64_t kSame = 7;  // of both names, so that the value alone does not tell them apart
    OutputNotes notes;
    for (int n = 1; n < static_cast<int>(layout::kBoardFigureCount); ++n)
        set(notes, client(n), n);  // one place is left, which goes to and fro
    std::atomic<bool> over{false};
    std::thread late([&] {
        while (!over)
            notes.update_figure("mine", 1000);
    });
    int wrong = 0;
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(500);
    while (std::chrono::steady_clock::now() < end) {
        set(notes, "mine", kSame);
        set(notes, "mine", kNone);
        set(notes, "other", kSame);
        RecordedBoard board;
        notes.show(board);
        for (const auto& [place, figure] : board.figure_at)
            wrong += figure.first == "other" && figure.second != kNone && figure.second != kSame ? 1 : 0;
        set(notes, "other", kNone);
    }
    over = true;
    late.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace ringcast::runtime
