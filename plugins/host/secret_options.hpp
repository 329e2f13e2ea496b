// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "command_line.hpp"
#include "redactor.hpp"
#include "ringcast/sink.h"
#include "secret_source.hpp"

namespace ringcast::host {

/// The secret options of one sink: where their values come from, and what stands there now.
/// Thread safety: none; the main thread's.
class SecretOptions {
public:
    using Values = std::vector<std::pair<std::string, std::string>>;  ///< key, value

    /// Puts values in place of env: and file: in `options`; `redactor` knows them from then on. When there is a secret
    /// the process can no longer be dumped or looked into. Throws UsageError: a literal secret, a value that cannot be
    /// had.
    SecretOptions(const ringcast_sink_plugin_v1& api, Values& options, const CommandLine& line,
                  std::shared_ptr<Redactor> redactor);

    /// Reads the files again: what is new, to be handed to the plugin. Throws UsageError when one cannot be read; then
    /// nothing has changed.
    Values look_again();
    /// The plugin's answer to values of look_again(): those it refused are new at the next look, too.
    void settle(const Values& handed, bool accepted);
    [[nodiscard]] bool may_change() const noexcept;
    /// One line for each file that everybody on this machine can read, and for each value that holds a blank.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    struct Held {
        SecretSource source;
        std::string value;  ///< the newest that was handed to the plugin
        std::string taken;  ///< the newest that it took
        bool is_address;
    };

    void hide(const std::string& value, bool is_address) const;

    std::vector<Held> held_;
    std::shared_ptr<Redactor> redactor_;
};

/// How the plugin declares an option.
enum class Secrecy { none, secret, address };
Secrecy secrecy_of(const ringcast_sink_plugin_v1& api, const std::string& key);

}  // namespace ringcast::host
