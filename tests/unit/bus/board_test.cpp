// SPDX-License-Identifier: Apache-2.0
// Cells of the board: claimed under a lock, shown, left by the dead, taken again.
#include "board.hpp"

#include <random>
#include <thread>

#include "board_notes.hpp"
#include "bus_fixture.hpp"
#include "names.hpp"
#include "ringcast/inspect.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class BoardOfBus : public BusTest {
protected:
    Producer producer_{[this] { return options(); }()};
};

TEST_F(BoardOfBus, shows_what_a_reader_says_of_itself) {
    const auto bus = reader(true);
    for (unsigned n = 0; n < 40; ++n)
        producer_.write_video(frame(n));
    drain(*bus->flow(FlowKind::video));
    bus->board().cell()->bytes_sent.store(4711);
    bus->board().set_state(layout::SinkState::stalled, "peer takes nothing");
    const BusInfo info = inspect_bus(bus_);
    ASSERT_EQ(info.readers.size(), 1U);
    const CellInfo& cell = info.readers[0];
    EXPECT_EQ(cell.name, "reader");
    EXPECT_EQ(cell.plugin, "test");
    EXPECT_EQ(cell.reason, "peer takes nothing");
    EXPECT_EQ(cell.state, layout::SinkState::stalled);
    EXPECT_EQ(cell.pid, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(cell.bytes_sent, 4711U);
    EXPECT_EQ(cell.cursor[0], 40U);
    EXPECT_EQ(cell.delivered[0] + cell.overrun[0], 40U);
    EXPECT_EQ(cell.played_pts_ns, -1);
}

TEST_F(BoardOfBus, shows_what_a_reader_measures_and_begins_clean_for_the_next_one) {
    {
        const auto bus = reader(true);
        layout::BoardGauges* gauges = bus->board().gauges();
        ASSERT_NE(gauges, nullptr);
        gauges->sent_bytes_per_second.store(1);
        gauges->encoded_mfps.store(2);
        gauges->encode_p50_ns.store(3);
        gauges->encode_p99_ns.store(4);
        gauges->sent_frame_age_ns.store(5);
        gauges->late_samples.store(6);
        const auto shown = inspect_bus(bus_).readers.at(0).gauges;
        ASSERT_TRUE(shown);
        EXPECT_EQ(shown->sent_bytes_per_second, 1U);
        EXPECT_EQ(shown->encoded_mfps, 2U);
        EXPECT_EQ(shown->encode_p50_ns, 3);
        EXPECT_EQ(shown->encode_p99_ns, 4);
        EXPECT_EQ(shown->sent_frame_age_ns, 5);
        EXPECT_EQ(shown->late_samples, 6U);
    }
    const auto bus = reader(true);
    EXPECT_EQ(inspect_bus(bus_).readers.at(0).gauges->late_samples, 0U);
}

TEST_F(BoardOfBus, of_an_older_producer_has_cells_but_no_gauges) {
    const auto board = ShmObject::open(board_object(bus_), ShmObject::Access::read_write, layout::ObjectType::board);
    board->as<layout::BoardHeader>()->gauges_offset = 0;
    const auto bus = reader(true);
    EXPECT_NE(bus->board().cell(), nullptr);
    EXPECT_EQ(bus->board().gauges(), nullptr);
    EXPECT_FALSE(inspect_bus(bus_).readers.at(0).gauges);
}

TEST_F(BoardOfBus, shows_figures_and_texts_under_their_names_and_begins_empty_for_the_next_reader) {
    {
        const auto bus = reader(true);
        BoardEntry& board = bus->board();
        board.show_figure(95, "client.3.loss_packets", -7);
        board.show_figure(0, "rtt_us", 12'300);
        board.show_text(15, "url", "http://127.0.0.1:8080/");
        board.show_left_out(2);
        const CellInfo shown = inspect_bus(bus_).readers.at(0);
        ASSERT_EQ(shown.figures.size(), 2U);
        EXPECT_EQ(shown.figures[0].name, "rtt_us");
        EXPECT_EQ(shown.figures[0].value, 12'300);
        EXPECT_EQ(shown.figures[1].name, "client.3.loss_packets");
        EXPECT_EQ(shown.figures[1].value, -7);
        ASSERT_EQ(shown.texts.size(), 1U);
        EXPECT_EQ(shown.texts[0].name, "url");
        EXPECT_EQ(shown.texts[0].text, "http://127.0.0.1:8080/");
        EXPECT_EQ(shown.left_out, 2U);
        board.show_figure(0, "rtt_us", layout::kNoFigure);
        board.show_text(15, "url", "");
        board.show_figure(96, "beyond", 1);
        board.show_text(16, "beyond", "x");
        EXPECT_EQ(inspect_bus(bus_).readers.at(0).figures.size(), 1U);
        EXPECT_TRUE(inspect_bus(bus_).readers.at(0).texts.empty());
    }
    const auto bus = reader(true);
    const CellInfo next = inspect_bus(bus_).readers.at(0);
    EXPECT_TRUE(next.figures.empty());
    EXPECT_EQ(next.left_out, 0U);
}

TEST_F(BoardOfBus, of_an_older_producer_has_gauges_but_no_figures) {
    const auto board = ShmObject::open(board_object(bus_), ShmObject::Access::read_write, layout::ObjectType::board);
    board->as<layout::BoardHeader>()->notes_offset = 0;
    const auto bus = reader(true);
    EXPECT_NE(bus->board().gauges(), nullptr);
    bus->board().show_figure(0, "rtt_us", 1);
    bus->board().show_text(0, "url", "x");
    EXPECT_TRUE(inspect_bus(bus_).readers.at(0).figures.empty());
    board->as<layout::BoardHeader>()->notes_offset = kBoardGaugesEnd + 64;
    EXPECT_TRUE(inspect_bus(bus_).readers.at(0).figures.empty());
}

TEST_F(BoardOfBus, shows_hostile_figures_harmless) {
    const auto bus = reader(true);
    const auto object = ShmObject::open(board_object(bus_), ShmObject::Access::read_write, layout::ObjectType::board);
    layout::BoardNotes& notes = *BoardView::of(*object)->notes(0);
    notes.figure[0].stamp.store(2);
    notes.figure[0].value.store(1);
    notes.figure[0].name.fill('\x1b');  // not even terminated
    notes.text[0].stamp.store(2);
    notes.text[0].name.fill('a');
    notes.text[0].text.fill('\xff');
    notes.figure[1].stamp.store(3);  // changes for ever
    notes.left_out.store(~0U);
    const CellInfo shown = inspect_bus(bus_).readers.at(0);
    ASSERT_EQ(shown.figures.size(), 1U);
    EXPECT_EQ(shown.figures[0].name, std::string(39, '?'));
    ASSERT_EQ(shown.texts.size(), 1U);
    EXPECT_EQ(shown.texts[0].name, std::string(39, 'a'));
    EXPECT_EQ(shown.texts[0].text, std::string(207, '?'));
    std::mt19937 random(5);
    auto* bytes = reinterpret_cast<unsigned char*>(&notes);
    for (int round = 0; round < 200; ++round) {
        for (std::size_t at = 0; at < sizeof notes; ++at)
            bytes[at] = static_cast<unsigned char>(random());
        EXPECT_NO_THROW(inspect_bus(bus_));
        bus->board().show_figure(3, "rtt_us", 5);
        bus->board().show_text(3, "url", "x");
    }
}

// Two mappings, as in two processes: whoever looks sees whole names with values of their own.
TEST_F(BoardOfBus, a_figure_never_stands_under_the_name_of_another) {
    const auto bus = reader(true);
    const auto object = ShmObject::open(board_object(bus_), ShmObject::Access::read_only, layout::ObjectType::board);
    const layout::BoardNotes& notes = *BoardView::of(*object)->notes(0);
    std::atomic<bool> over{false};
    std::thread sink([&] {
        for (std::int64_t round = 0; !over; ++round) {
            const std::string name = (round % 2 == 0 ? "even." : "odd.") + std::string(30, round % 2 == 0 ? 'e' : 'o');
            bus->board().show_figure(0, name, round);
            bus->board().show_figure(0, name, round + 2);
            bus->board().show_text(0, name, std::string(200, round % 2 == 0 ? 'e' : 'o'));
        }
    });
    int seen = 0;
    while (seen < 50'000) {
        if (const auto figure = read(notes.figure[0])) {
            ++seen;
            const char letter = figure->value % 2 == 0 ? 'e' : 'o';
            EXPECT_EQ(figure->name, (letter == 'e' ? "even." : "odd.") + std::string(30, letter));
        }
        if (const auto text = read(notes.text[0])) {
            EXPECT_EQ(text->text, std::string(200, text->name.starts_with("even") ? 'e' : 'o'));
        }
        if (HasFailure()) break;
    }
    over = true;
    sink.join();
}

TEST_F(BoardOfBus, gives_a_dead_readers_cell_to_the_next_one_clean) {
    Child child([this](const auto& ready) {
        const auto bus = reader(true);
        bus->board().set_state(layout::SinkState::ready, "of the dead");
        bus->board().cell()->bytes_sent.store(1234);
        ready(1);
        sleep_for_ever();
    });
    ASSERT_EQ(child.wait_ready(), 1);
    EXPECT_EQ(inspect_bus(bus_).readers.size(), 1U);
    child.kill();
    EXPECT_TRUE(inspect_bus(bus_).readers.empty());
    const auto bus = reader();
    const BusInfo info = inspect_bus(bus_);
    ASSERT_EQ(info.readers.size(), 1U);
    EXPECT_EQ(info.readers[0].cell, 0U);
    EXPECT_EQ(info.readers[0].bytes_sent, 0U);
    EXPECT_EQ(info.readers[0].reason, "");
    EXPECT_FALSE(info.readers[0].lossless);
}

TEST_F(BoardOfBus, when_full_leaves_the_next_reader_reading_unseen) {
    std::vector<std::unique_ptr<BusReader>> readers;
    for (std::size_t n = 0; n < layout::kBoardCells; ++n)
        readers.push_back(reader());
    const auto unseen = reader();
    EXPECT_NE(readers.back()->board().cell(), nullptr);
    EXPECT_EQ(unseen->board().cell(), nullptr);
    unseen->board().set_state(layout::SinkState::live);
    producer_.write_video(frame(0));
    EXPECT_EQ(drain(*unseen->flow(FlowKind::video)), 1U);
    readers.erase(readers.begin() + 10);
    EXPECT_NE(reader()->board().cell(), nullptr);
}

TEST_F(BoardOfBus, has_no_trace_of_an_inspector) {
    const auto inspector = BusReader::try_attach({.bus = bus_, .name = "i", .plugin = {}, .on_board = false});
    ASSERT_NE(inspector, nullptr);
    EXPECT_EQ(inspector->board().cell(), nullptr);
    EXPECT_TRUE(inspect_bus(bus_).readers.empty());
}

TEST_F(BoardOfBus, shows_hostile_texts_harmless) {
    const auto bus = BusReader::try_attach({.bus = bus_, .name = "a\x1b[2J\nb", .plugin = "\xff\xfe\xc2\x9b"});
    layout::BoardCell& cell = *bus->board().cell();
    cell.reason.fill('\x1b');  // not even terminated
    cell.state.store(99);
    const BusInfo info = inspect_bus(bus_);
    ASSERT_EQ(info.readers.size(), 1U);
    EXPECT_EQ(info.readers[0].name, "a?[2J?b");
    EXPECT_EQ(info.readers[0].plugin, "???");
    EXPECT_EQ(info.readers[0].reason, std::string(128, '?'));
    EXPECT_EQ(name_of(info.readers[0].state), "unknown");
}

TEST_F(BoardOfBus, damaged_costs_statistics_and_nothing_else) {
    auto board = ShmObject::open(board_object(bus_), ShmObject::Access::read_write, layout::ObjectType::board);
    board->as<layout::BoardHeader>()->cell_size = 7;
    const auto bus = reader();
    EXPECT_EQ(bus->board().cell(), nullptr);
    producer_.write_video(frame(0));
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
    EXPECT_EQ(inspect_bus(bus_).problems.size(), 1U);
    std::memset(board->data(), 0xff, board->size());
    EXPECT_EQ(reader()->board().cell(), nullptr);
    EXPECT_EQ(producer_.ready_readers(), 0U);
    producer_.write_video(frame(1));
}

TEST(Sanitise, keeps_text_and_replaces_what_a_terminal_obeys) {
    EXPECT_EQ(sanitise("数字人 avatar é"), "数字人 avatar é");
    EXPECT_EQ(sanitise("a\tb\r\n\x7f"), "a?b???");
    EXPECT_EQ(sanitise("\xc2\x9b"
                       "31m"),
              "?31m");                                     // CSI as one C1 control
    EXPECT_EQ(sanitise("\xc0\x80\xed\xa0\x80"), "?????");  // overlong, surrogate
    EXPECT_EQ(sanitise("\xe6\x95"), "??");                 // cut
    EXPECT_EQ(sanitise(std::string_view("ab\0cd", 5)), "ab");
    EXPECT_EQ(sanitise("数字", 5), "数");  // never half a character
    EXPECT_EQ(sanitise(""), "");
}

}  // namespace
