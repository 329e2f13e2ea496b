// SPDX-License-Identifier: Apache-2.0
/// The host as one plugin instance sees it: the callbacks of ringcast_sink_host.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "redactor.hpp"
#include "ringcast/sink.h"
#include "runtime/output_notes.hpp"

namespace spdlog {
class logger;
}

namespace ringcast::host {

/// Outlives the instance that got its table. Thread safety: every callback may come from any thread.
class PluginHost {
public:
    PluginHost(std::shared_ptr<spdlog::logger> log, std::shared_ptr<const Redactor> redactor);
    PluginHost(const PluginHost&) = delete;
    PluginHost& operator=(const PluginHost&) = delete;

    [[nodiscard]] const ringcast_sink_host* table() const noexcept { return &table_; }

    /// Called by request_keyframe(); set before the plugin runs. May be called from any thread.
    void on_keyframe_request(std::function<void()> handler) { keyframe_handler_ = std::move(handler); }

    [[nodiscard]] std::string error() const;
    void clear_error();
    /// What the plugin shows by set_stat() and set_info().
    [[nodiscard]] const runtime::OutputNotes& notes() const noexcept { return notes_; }

    /// What a plugin says, fit for a line: no secrets, no control bytes.
    [[nodiscard]] std::string one_line(const char* text) const;

private:
    bool may_be_shown(std::string_view name);
    static PluginHost& self(const ringcast_sink_host* host) noexcept;
    static void log(const ringcast_sink_host* host, std::uint32_t level, const char* text);
    static void set_error(const ringcast_sink_host* host, const char* text);
    static void set_stat(const ringcast_sink_host* host, const char* name, std::int64_t value);
    static void set_info(const ringcast_sink_host* host, const char* name, const char* text);
    static void request_keyframe(const ringcast_sink_host* host);
    static std::int32_t still_valid(const ringcast_sink_host* host, std::uint64_t in_place);
    static std::int32_t listen_socket(const ringcast_sink_host* host, const char* address);
    static const void* extension(const ringcast_sink_host* host, const char* id);

    std::shared_ptr<spdlog::logger> log_;
    std::shared_ptr<const Redactor> redactor_;
    std::function<void()> keyframe_handler_;
    mutable std::mutex mutex_;
    std::string error_;
    std::set<std::string> refused_;  ///< names, as they were logged
    runtime::OutputNotes notes_;
    ringcast_sink_host table_{};
};

}  // namespace ringcast::host
