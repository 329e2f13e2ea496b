// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>

namespace ringcast::host {

/// Why a plugin cannot be used; what() is one line that names the file and the fix.
class PluginError : public std::runtime_error {
public:
    explicit PluginError(const std::string& message) : std::runtime_error(message) {}
};

/// The words on the command line are wrong: exit code 2.
class UsageError : public PluginError {
public:
    using PluginError::PluginError;
};

}  // namespace ringcast::host
