// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugin_host.hpp"
#include "plugin_loader.hpp"
#include "ringcast/sink_audience.h"
#include "ringcast/sink_replace.h"
#include "runtime/output.hpp"

namespace ringcast::host {

/// One instance of a plugin as an Output.
/// Life cycle: constructed = created; the destructor calls destroy() (disconnect first).
/// Thread safety: as Output says.
class PluginInstance final : public runtime::Output {
public:
    /// Calls create() with every declared option that has a value: the plugin's default or, winning, the pair in
    /// `options`, whose keys must be declared. Throws PluginError with the plugin's own reason when create() refuses.
    PluginInstance(Plugin plugin, std::shared_ptr<spdlog::logger> log, std::shared_ptr<const Redactor> redactor,
                   const std::vector<std::pair<std::string, std::string>>& options);
    ~PluginInstance() override;
    PluginInstance(const PluginInstance&) = delete;
    PluginInstance& operator=(const PluginInstance&) = delete;

    runtime::OutputStatus connect() override;
    runtime::OutputStatus headers(std::span<const runtime::StreamInfo> streams) override;
    runtime::OutputStatus packet(const runtime::Packet& packet) override;
    runtime::OutputStatus disconnect(bool final) override;
    void interrupt() noexcept override;
    /// The plugin has the feature that replace_options() needs.
    [[nodiscard]] bool can_replace() const { return replacing() != nullptr; }
    runtime::OutputStatus replace_options(std::span<const std::pair<std::string, std::string>> options) override;
    /// After the last output: lets the plugin finish what it does in the background; interrupt() ends it.
    void linger();
    [[nodiscard]] std::optional<std::uint32_t> peers() const override;
    [[nodiscard]] std::string waits_for() const override;
    [[nodiscard]] std::uint64_t bytes_sent() const override;
    [[nodiscard]] std::string last_error() const override;
    [[nodiscard]] const runtime::OutputNotes* notes() const override { return &host_.notes(); }

    [[nodiscard]] PluginHost& host() noexcept { return host_; }
    [[nodiscard]] const Plugin& plugin() const noexcept { return plugin_; }

private:
    [[nodiscard]] const ringcast_sink_replace_v1* replacing() const;
    [[nodiscard]] const ringcast_sink_audience_v1* audience() const;
    runtime::OutputStatus status_of(const char* call, std::int32_t code);

    Plugin plugin_;
    PluginHost host_;
    void* self_ = nullptr;
};

}  // namespace ringcast::host
