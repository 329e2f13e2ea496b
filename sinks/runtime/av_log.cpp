// SPDX-License-Identifier: Apache-2.0
#include "runtime/av_log.hpp"

#include <array>
#include <atomic>
#include <cstdarg>
#include <mutex>

extern "C" {
#include <libavutil/log.h>
}

namespace ringcast::runtime {

namespace {

std::atomic<AvLogHandler> g_handler{nullptr};
thread_local AvLogCapture* t_capture = nullptr;

std::string_view trimmed(std::string_view line) {
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' '))
        line.remove_suffix(1);
    return line;
}

void on_line(void* object, int level, const char* format, va_list arguments) {
    AvLogCapture* capture = t_capture;
    const AvLogHandler handler = g_handler.load(std::memory_order_acquire);
    if (capture == nullptr && handler == nullptr) {
        av_log_default_callback(object, level, format, arguments);
        return;
    }
    if (level > (capture != nullptr ? AV_LOG_WARNING : av_log_get_level())) return;
    std::array<char, 1024> text{};
    // The prefix ("[libx264 @ 0x55...] ") helps in a log, not in a message that names the encoder itself.
    int print_prefix = capture == nullptr ? 1 : 0;
    av_log_format_line2(object, level, format, arguments, text.data(), static_cast<int>(text.size()), &print_prefix);
    const std::string_view line = trimmed(text.data());
    if (line.empty()) return;
    if (capture != nullptr)
        capture->take(level, line);
    else
        handler(level, line);
}

void own_callback() {
    static std::once_flag once;
    std::call_once(once, [] { av_log_set_callback(on_line); });
}

}  // namespace

void set_av_log_handler(AvLogHandler handler) {
    g_handler.store(handler, std::memory_order_release);
    own_callback();
}

AvLogCapture::AvLogCapture() : outer_(t_capture) {
    own_callback();
    t_capture = this;
}

AvLogCapture::~AvLogCapture() {
    t_capture = outer_;
}

void AvLogCapture::take(int level, std::string_view line) {
    std::string& kept = level <= AV_LOG_ERROR ? error_ : warning_;
    if (kept.empty()) kept = line;
}

}  // namespace ringcast::runtime
