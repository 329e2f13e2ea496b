// SPDX-License-Identifier: Apache-2.0
#include "handed_value.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "secret_address.hpp"

namespace ringcast::host {
namespace {

constexpr std::string_view kPrefix = "fd:";
constexpr std::string_view kFlag = "--handed=";

std::optional<int> number_behind(std::string_view prefix, std::string_view text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
    return number;
}

}  // namespace

std::string hand_over(std::string_view value) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    // A pipe takes PIPE_BUF bytes at once without a reader.
    const ssize_t written = write(ends[1], value.data(), value.size());
    const int error = errno;
    close(ends[1]);
    if (written != static_cast<ssize_t>(value.size()) || fcntl(ends[0], F_SETFD, 0) != 0) {
        close(ends[0]);
        throw std::system_error(error, std::generic_category(), "writing to a pipe");
    }
    return "fd:" + std::to_string(ends[0]);
}

std::optional<int> handed_descriptor(std::string_view value) {
    return number_behind(kPrefix, value);
}

std::string handed_flag(std::string_view value) {
    return std::string(kFlag) + std::string(value.substr(kPrefix.size()));
}

std::optional<int> flagged_descriptor(std::string_view word) {
    return number_behind(kFlag, word);
}

std::string exposed_warning(std::string_view word) {
    const std::string_view value = value_of_word(word);
    const std::string option =
        value.size() < word.size() ? std::string(word.substr(0, word.size() - value.size())) : std::string("url=");
    const bool has_passphrase = value.find("passphrase=") != std::string_view::npos;
    const std::string own = !value.starts_with("srt:") ? "key" : has_passphrase ? "passphrase" : "streamid";
    return "the address on the command line carries a key, which every user of this machine could read: use " + option +
           "env:NAME or " + option + "file:PATH, or leave the key out and use " + own + "=env:NAME or " + own +
           "=file:PATH";
}

}  // namespace ringcast::host
