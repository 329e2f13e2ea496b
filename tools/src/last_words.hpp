// SPDX-License-Identifier: Apache-2.0
/// A terminal that a verb has changed is put back also when the process has to end within a signal handler (SIGBUS).
#pragma once

#include <termios.h>

namespace ringcast::tools {

/// From now on put_terminal_back() writes `screen` to stdout and, unless null, sets `keys` on stdin. Both must stay;
/// null and null: there is nothing to put back any more.
void expect_to_put_back(const char* screen, const termios* keys) noexcept;

/// Safe in a signal handler.
void put_terminal_back() noexcept;

}  // namespace ringcast::tools
