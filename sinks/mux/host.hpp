// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <string>

namespace ringcast::sink {

/// The host's functions as an object. Cheap to copy. Thread safety: as the ABI tags say.
class Host {
public:
    explicit Host(const ringcast_sink_host* host) noexcept : host_(host) {}

    void debug(const std::string& text) const { host_->log(host_, RINGCAST_SINK_LOG_DEBUG, text.c_str()); }
    void info(const std::string& text) const { host_->log(host_, RINGCAST_SINK_LOG_INFO, text.c_str()); }
    void warn(const std::string& text) const { host_->log(host_, RINGCAST_SINK_LOG_WARNING, text.c_str()); }
    void set_info(const char* name, const std::string& text) const { host_->set_info(host_, name, text.c_str()); }
    void set_stat(const char* name, std::int64_t value) const { host_->set_stat(host_, name, value); }
    void request_keyframe() const { host_->request_keyframe(host_); }
    [[nodiscard]] const ringcast_sink_host* get() const noexcept { return host_; }

private:
    const ringcast_sink_host* host_;
};

}  // namespace ringcast::sink
