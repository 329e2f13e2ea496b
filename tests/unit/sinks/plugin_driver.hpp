// SPDX-License-Identifier: Apache-2.0
/// Loads a built sink plugin and calls it as the host does, with a host struct whose every function works.
#pragma once

#include <ringcast/sink.h>

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "test_media.hpp"

namespace ringcast::test {

/// What the plugin told its host. Any thread.
class RecordingHost {
public:
    RecordingHost();
    RecordingHost(const RecordingHost&) = delete;
    RecordingHost& operator=(const RecordingHost&) = delete;

    [[nodiscard]] const ringcast_sink_host* get() const { return &host_; }
    [[nodiscard]] std::string error() const { return locked(error_); }
    [[nodiscard]] std::string info(const std::string& name) const;
    /// RINGCAST_SINK_NO_STAT: never told, or taken back.
    [[nodiscard]] std::int64_t stat(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> log() const { return locked(log_); }

private:
    template <class T>
    T locked(const T& value) const {
        const std::lock_guard lock(mutex_);
        return value;
    }
    static RecordingHost& of(const ringcast_sink_host* host) { return *static_cast<RecordingHost*>(host->context); }

    ringcast_sink_host host_{};
    mutable std::mutex mutex_;
    std::string error_;
    std::map<std::string, std::string> info_;
    std::map<std::string, std::int64_t> stats_;
    std::vector<std::string> log_;
};

/// One instance of one plugin. Options are "key=value" words; declared defaults are filled in as the host does.
class PluginDriver {
public:
    PluginDriver(const std::filesystem::path& so, const std::vector<std::string>& words);
    PluginDriver(const PluginDriver&) = delete;
    PluginDriver& operator=(const PluginDriver&) = delete;
    ~PluginDriver();

    [[nodiscard]] std::int32_t create_result() const { return create_result_; }
    [[nodiscard]] const RecordingHost& host() const { return host_; }

    std::int32_t connect() { return plugin_->connect(self_); }
    std::int32_t headers(const TestMedia& media);
    std::int32_t packet(const MediaPacket& packet);
    std::int32_t disconnect(bool final) { return plugin_->disconnect(self_, final ? 1 : 0); }
    /// As the host does at its end: waits for the plugin's work in the background.
    void linger();
    void interrupt() { plugin_->interrupt(self_); }
    /// By the feature ringcast.audience/1.
    [[nodiscard]] std::uint32_t peers() const;
    [[nodiscard]] std::string waits_for() const;
    [[nodiscard]] std::uint64_t bytes_sent() const { return plugin_->bytes_sent(self_); }

    /// connect, headers, every packet; the first code that is not OK, with `until_us` only packets before it.
    std::int32_t feed(const TestMedia& media, std::int64_t until_us = INT64_MAX);

private:
    RecordingHost host_;
    void* library_ = nullptr;
    const ringcast_sink_plugin_v1* plugin_ = nullptr;
    void* self_ = nullptr;
    std::int32_t create_result_ = 0;
};

/// A folder of its own, removed with the object.
class TemporaryFolder {
public:
    TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace ringcast::test
