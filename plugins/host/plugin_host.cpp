// SPDX-License-Identifier: Apache-2.0
#include "plugin_host.hpp"

#include <spdlog/spdlog.h>

#include <exception>

#include "listen_socket.hpp"
#include "ringcast/inspect.hpp"

namespace ringcast::host {
namespace {

constexpr std::size_t kMostRefused = 16;  // names logged: a plugin that invents them does not fill the log
constexpr std::size_t kMostMessage = 1024;
constexpr std::string_view kOfClients = "client.";

std::string_view name_of(const char* name) {
    return name == nullptr ? std::string_view{} : std::string_view(name);
}

spdlog::level::level_enum level_of(std::uint32_t level) {
    switch (level) {
        case RINGCAST_SINK_LOG_DEBUG:
            return spdlog::level::debug;
        case RINGCAST_SINK_LOG_INFO:
            return spdlog::level::info;
        case RINGCAST_SINK_LOG_WARNING:
            return spdlog::level::warn;
        default:
            return spdlog::level::err;
    }
}

/// The C boundary: nothing may be thrown into a plugin. Out of memory costs a figure or a log line, no more.
template <typename Body>
void guard(Body&& body) noexcept {
    try {
        body();
    } catch (...) {  // NOLINT(bugprone-empty-catch)
    }
}

}  // namespace

PluginHost::PluginHost(std::shared_ptr<spdlog::logger> log, std::shared_ptr<const Redactor> redactor)
    : log_(std::move(log)), redactor_(std::move(redactor)) {
    table_.size = sizeof table_;
    table_.abi_major = RINGCAST_SINK_ABI_MAJOR;
    table_.abi_minor = RINGCAST_SINK_ABI_MINOR;
    table_.context = this;
    table_.log = &PluginHost::log;
    table_.set_error = &PluginHost::set_error;
    table_.set_stat = &PluginHost::set_stat;
    table_.set_info = &PluginHost::set_info;
    table_.request_keyframe = &PluginHost::request_keyframe;
    table_.still_valid = &PluginHost::still_valid;
    table_.listen_socket = &PluginHost::listen_socket;
    table_.extension = &PluginHost::extension;
}

/// Secrets go first: a cut could leave half of one.
std::string PluginHost::one_line(const char* text) const {
    return text == nullptr ? std::string{} : sanitise(redactor_->clean(text), kMostMessage);
}

/// Of a figure or a text. A refusal is logged once.
bool PluginHost::may_be_shown(std::string_view name) {
    const std::string whole(name);
    const bool is_secret = redactor_->clean(whole) != whole;
    if (runtime::OutputNotes::is_name(name) && !is_secret) return true;
    const std::string shown = sanitise(one_line(whole.c_str()), layout::kNoteNameBytes);
    {
        const std::scoped_lock lock(mutex_);
        if (refused_.size() >= kMostRefused || !refused_.insert(shown).second) return false;
    }
    log_->warn(
        "the plugin shows something as '{}', which is left out: {}", shown,
        is_secret ? "that holds a secret" : "a name is of a-z, 0-9, '_' and '.', and at most 39 characters long");
    return false;
}

PluginHost& PluginHost::self(const ringcast_sink_host* host) noexcept {
    return *static_cast<PluginHost*>(host->context);
}

void PluginHost::log(const ringcast_sink_host* host, std::uint32_t level, const char* text) {
    guard([&] { self(host).log_->log(level_of(level), self(host).one_line(text)); });
}

void PluginHost::set_error(const ringcast_sink_host* host, const char* text) {
    guard([&] {
        const std::scoped_lock lock(self(host).mutex_);
        self(host).error_ = self(host).one_line(text);
    });
}

void PluginHost::set_stat(const ringcast_sink_host* host, const char* name, std::int64_t value) {
    guard([&] {
        PluginHost& host_self = self(host);
        const std::string_view figure = name_of(name);
        if (host_self.notes_.update_figure(figure, value)) return;
        if (host_self.may_be_shown(figure)) host_self.notes_.set_figure(figure, value);
    });
}

void PluginHost::set_info(const ringcast_sink_host* host, const char* name, const char* text) {
    guard([&] {
        PluginHost& host_self = self(host);
        const std::string_view key = name_of(name);
        if (!host_self.may_be_shown(key)) return;
        const std::string value = host_self.one_line(text);
        // Of one of its many peers the plugin tells by itself, if at all.
        if (host_self.notes_.set_text(key, value) && !value.empty() && !key.starts_with(kOfClients)) {
            host_self.log_->info("{}: {}", key, value);
        }
    });
}

void PluginHost::request_keyframe(const ringcast_sink_host* host) {
    guard([&] {
        if (self(host).keyframe_handler_) self(host).keyframe_handler_();
    });
}

// This host hands out copies only (in_place is always 0), and a copy stays whole.
std::int32_t PluginHost::still_valid(const ringcast_sink_host* /*host*/, std::uint64_t in_place) {
    return in_place == 0 ? 1 : 0;
}

std::int32_t PluginHost::listen_socket(const ringcast_sink_host* host, const char* address) {
    try {
        return open_listen_socket(address == nullptr ? "" : address);
    } catch (const std::exception& error) {
        set_error(host, error.what());
        return RINGCAST_SINK_E_CONFIG;
    }
}

const void* PluginHost::extension(const ringcast_sink_host* /*host*/, const char* /*id*/) {
    return nullptr;
}

std::string PluginHost::error() const {
    const std::scoped_lock lock(mutex_);
    return error_;
}

void PluginHost::clear_error() {
    const std::scoped_lock lock(mutex_);
    error_.clear();
}

}  // namespace ringcast::host
