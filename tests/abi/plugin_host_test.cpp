// SPDX-License-Identifier: Apache-2.0
/// What a plugin shows: names that are taken, names that are refused, and no secret among them.
#include "host/plugin_host.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <map>
#include <sstream>

namespace ringcast::host {
namespace {

class PluginHostTest : public testing::Test {
protected:
    class Shown final : public BoardEntry {
    public:
        void set_state(layout::SinkState, std::string_view) override {}
        layout::BoardCell* cell() override { return nullptr; }
        layout::BoardGauges* gauges() override { return nullptr; }
        void show_figure(std::size_t, std::string_view name, std::int64_t value) noexcept override {
            if (value != RINGCAST_SINK_NO_STAT) figures.emplace(name, value);
        }
        void show_text(std::size_t, std::string_view name, std::string_view text) noexcept override {
            if (!text.empty()) texts.emplace(name, text);
        }
        void show_left_out(std::uint32_t) noexcept override {}

        std::map<std::string, std::int64_t> figures;
        std::map<std::string, std::string> texts;
    };

    void stat(const char* name, std::int64_t value) { host.table()->set_stat(host.table(), name, value); }
    void info(const char* name, const char* text) { host.table()->set_info(host.table(), name, text); }
    [[nodiscard]] Shown shown() const {
        Shown board;
        host.notes().show(board);
        return board;
    }
    [[nodiscard]] std::size_t logged(const std::string& words) const {
        std::size_t count = 0;
        const std::string text = log.str();
        for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1))
            ++count;
        return count;
    }

    std::ostringstream log;
    std::shared_ptr<Redactor> redactor = std::make_shared<Redactor>();
    PluginHost host{std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)),
                    redactor};
};

TEST_F(PluginHostTest, shows_figures_and_texts_until_they_are_taken_back) {
    stat("rtt_us", 12);
    stat("client.0.rtt_us", 13);
    stat("rtt_us", 14);
    info("url", "srt://host:9000");
    info("client.0.address", "10.0.0.7:41000");
    EXPECT_EQ(shown().figures, (std::map<std::string, std::int64_t>{{"rtt_us", 14}, {"client.0.rtt_us", 13}}));
    EXPECT_EQ(shown().texts.at("client.0.address"), "10.0.0.7:41000");
    stat("client.0.rtt_us", RINGCAST_SINK_NO_STAT);
    info("client.0.address", "");
    info("url", nullptr);
    EXPECT_EQ(shown().figures.size(), 1U);
    EXPECT_TRUE(shown().texts.empty());
    EXPECT_EQ(logged("url: srt://host:9000"), 1U);
    EXPECT_EQ(logged("10.0.0.7"), 0U) << "clients that come and go are the plugin's to tell";
}

TEST_F(PluginHostTest, refuses_a_bad_name_and_says_so_once) {
    for (int round = 0; round < 3; ++round) {
        stat("Round Trip", 1);
        stat(std::string(40, 'a').c_str(), 1);
        info("\x1b[2J", "x");
        stat(nullptr, 1);
        stat("", 1);
    }
    EXPECT_TRUE(shown().figures.empty());
    EXPECT_TRUE(shown().texts.empty());
    EXPECT_EQ(logged("'Round Trip', which is left out: a name is of a-z"), 1U) << log.str();
    EXPECT_EQ(logged(std::string(40, 'a')), 1U);
    EXPECT_EQ(logged("\x1b"), 0U);
}

TEST_F(PluginHostTest, names_without_end_do_not_fill_the_log) {
    for (int n = 0; n < 1000; ++n)
        stat(("BAD" + std::to_string(n)).c_str(), 1);
    EXPECT_LT(logged("left out"), 20U);
}

TEST_F(PluginHostTest, no_secret_gets_on_the_board) {
    redactor->hide("s3cret_stream_key");
    stat("s3cret_stream_key", 1);
    stat("client.s3cret_stream_key", 1);
    info("s3cret_stream_key", "x");
    info("url", "rtmp://host/live/s3cret_stream_key");
    EXPECT_TRUE(shown().figures.empty());
    EXPECT_EQ(shown().texts, (std::map<std::string, std::string>{{"url", "rtmp://host/live/***"}}));
    EXPECT_EQ(logged("s3cret"), 0U) << log.str();
    EXPECT_EQ(logged("that holds a secret"), 2U) << log.str();
}

TEST_F(PluginHostTest, a_secret_that_is_longer_than_a_name_may_be_is_not_logged_in_part) {
    redactor->hide(std::string(32, 'a') + std::string(32, 'b'));
    const std::string name = "key_" + std::string(32, 'a') + std::string(32, 'b');
    stat(name.c_str(), 1);
    info(name.c_str(), "x");
    EXPECT_TRUE(shown().figures.empty());
    EXPECT_TRUE(shown().texts.empty());
    EXPECT_EQ(logged("aaaa"), 0U) << log.str();
    EXPECT_EQ(logged("'key_***', which is left out: that holds a secret"), 1U) << log.str();
}

}  // namespace
}  // namespace ringcast::host
