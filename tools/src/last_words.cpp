// SPDX-License-Identifier: Apache-2.0
#include "last_words.hpp"

#include <unistd.h>

#include <atomic>
#include <cstring>

namespace ringcast::tools {

namespace {

std::atomic<const char*> screen_to_restore{nullptr};
std::atomic<const termios*> keys_to_restore{nullptr};
static_assert(std::atomic<const char*>::is_always_lock_free);

}  // namespace

void expect_to_put_back(const char* screen, const termios* keys) noexcept {
    keys_to_restore = keys;
    screen_to_restore = screen;
}

void put_terminal_back() noexcept {
    if (const char* screen = screen_to_restore) static_cast<void>(!::write(STDOUT_FILENO, screen, std::strlen(screen)));
    if (const termios* keys = keys_to_restore) ::tcsetattr(STDIN_FILENO, TCSANOW, keys);
}

}  // namespace ringcast::tools
