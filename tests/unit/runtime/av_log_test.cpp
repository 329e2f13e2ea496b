// SPDX-License-Identifier: Apache-2.0
#include "runtime/av_log.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

extern "C" {
#include <libavutil/log.h>
}

namespace ringcast::runtime {
namespace {

std::mutex g_mutex;
std::vector<std::string> g_lines;

void keep_line(int /*level*/, std::string_view line) {
    const std::lock_guard lock(g_mutex);
    g_lines.emplace_back(line);
}

class AvLog : public ::testing::Test {
protected:
    void SetUp() override {
        g_lines.clear();
        set_av_log_handler(keep_line);
    }
    void TearDown() override { set_av_log_handler(nullptr); }
};

TEST_F(AvLog, lines_go_to_the_handler_without_newline) {
    av_log(nullptr, AV_LOG_ERROR, "no %s\n", "disk");
    av_log(nullptr, AV_LOG_DEBUG, "detail\n");
    EXPECT_EQ(g_lines, (std::vector<std::string>{"no disk"}));
}

TEST_F(AvLog, a_capture_keeps_the_first_error_and_nothing_leaks) {
    const AvLogCapture capture;
    av_log(nullptr, AV_LOG_INFO, "hello\n");
    av_log(nullptr, AV_LOG_WARNING, "careful\n");
    EXPECT_EQ(capture.text(), "careful");
    av_log(nullptr, AV_LOG_ERROR, "first\n");
    av_log(nullptr, AV_LOG_ERROR, "second\n");
    EXPECT_EQ(capture.text(), "first");
    EXPECT_TRUE(g_lines.empty());
}

TEST_F(AvLog, captures_nest_and_belong_to_their_thread) {
    const AvLogCapture outer;
    {
        const AvLogCapture inner;
        av_log(nullptr, AV_LOG_ERROR, "inner\n");
        std::thread([] { av_log(nullptr, AV_LOG_ERROR, "elsewhere\n"); }).join();
        EXPECT_EQ(inner.text(), "inner");
    }
    EXPECT_EQ(outer.text(), "");
    av_log(nullptr, AV_LOG_ERROR, "outer\n");
    EXPECT_EQ(outer.text(), "outer");
    EXPECT_EQ(g_lines, (std::vector<std::string>{"elsewhere"}));
}

}  // namespace
}  // namespace ringcast::runtime
