// SPDX-License-Identifier: Apache-2.0
#include "sink_notes.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

std::string words(const FigureInfo& figure) {
    return figure_label(figure.name) + " " + figure_value(figure);
}

TEST(FigureWords, follow_the_unit_at_the_end_of_the_name) {
    EXPECT_EQ(words({"rtt_us", 12'300}), "rtt 12.3 ms");
    EXPECT_EQ(words({"send_buffer_ms", 1'500}), "send buffer 1.5 s");
    EXPECT_EQ(words({"jitter_ns", 2'000}), "jitter 2 µs");
    EXPECT_EQ(words({"bandwidth_bps", 4'200'000}), "bandwidth 4.2 Mbit/s");
    EXPECT_EQ(words({"sent_bytes", 2048}), "sent 2.0 KiB");
    EXPECT_EQ(words({"loss_packets", 1}), "loss 1 packet");
    EXPECT_EQ(words({"retransmitted_packets", 12}), "retransmitted 12 packets");
    EXPECT_EQ(words({"seen_fps", 25}), "seen 25 fps");
    EXPECT_EQ(words({"segments", 7}), "segments 7");
}

TEST(FigureWords, survive_any_value_and_name) {
    EXPECT_EQ(words({"rtt_ms", INT64_MAX}), "rtt 106751 d 23 h") << "as long as can be said";
    EXPECT_EQ(words({"rtt_us", -1'000}), "rtt -1.0 ms");
    EXPECT_EQ(words({"loss_packets", INT64_MIN}), "loss -");
    EXPECT_EQ(words({"sent_bytes", -2048}), "sent -2.0 KiB");
    EXPECT_EQ(words({"_us", 5}), " us 5") << "a unit of nothing";
}

CellInfo listener() {
    CellInfo reader;
    reader.figures = {{"clients", 2},
                      {"client.10.rtt_us", 34'000},
                      {"client.10.loss_packets", 3},
                      {"client.2.rtt_us", 12'300},
                      {"client.2.loss_packets", 4}};
    reader.texts = {{"url", "srt://:9000"}, {"client.10.address", "10.0.0.7:41000"}};
    return reader;
}

TEST(SinkNotes, are_sorted_by_whom_they_are_of) {
    const Json json = notes_json(listener());
    EXPECT_EQ(json["stats"].dump(), R"({"clients":2})");
    EXPECT_EQ(json["texts"].dump(), R"({"url":"srt://:9000"})");
    EXPECT_EQ(json["clients"].dump(), R"([{"client":2,"rtt_us":12300,"loss_packets":4},)"
                                      R"({"client":10,"address":"10.0.0.7:41000","rtt_us":34000,"loss_packets":3}])");
    EXPECT_EQ(json["left_out"], 0);
}

TEST(SinkNotes, of_a_reader_that_shows_none_are_empty_and_not_null) {
    EXPECT_EQ(notes_json(CellInfo{}).dump(), R"({"stats":{},"texts":{},"clients":[],"left_out":0})");
    EXPECT_EQ(net_text(CellInfo{}), "");
}

TEST(SinkNotes, hostile_names_do_no_harm) {
    CellInfo reader;
    reader.figures = {{"client.99999999999999999999.a", 1},
                      {"client.10000.a", 2},
                      {"client.-1.a", 3},
                      {"client.1.", 4},
                      {"client.", 5},
                      {"client.x.a", 6},
                      {"client.1", 7},
                      {"client.1.client", 8}};
    const Json json = notes_json(reader);
    EXPECT_EQ(json["stats"].size(), 7U);
    EXPECT_EQ(json["clients"].dump(), R"([{"client":1}])") << "no name hides the number";
}

TEST(NetText, is_of_the_connection_or_of_all_clients) {
    EXPECT_EQ(net_text(listener()), "2 clients, 34.0 ms, 7 lost") << "the slowest; the sum";
    CellInfo caller;
    caller.figures = {{"rtt_us", 12'300}, {"loss_packets", 3}};
    EXPECT_EQ(net_text(caller), "12.3 ms, 3 lost");
    caller.figures = {{"segments", 3}};
    EXPECT_EQ(net_text(caller), "");
    caller.figures = {{"clients", 0}};
    EXPECT_EQ(net_text(caller), "0 clients");
}

}  // namespace
}  // namespace ringcast::tools
