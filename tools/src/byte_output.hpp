// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ringcast::tools {

/// Thrown when nobody reads the other end any more: the calm end of a pipe.
struct ReaderLeft {};

/// Thrown when a write was given up because a stop was asked for.
struct Stopped {};

/// Where bytes go: stdout, or a file under its final name.
/// Life cycle: open()ed, written, close()d. Errors are VerbError with the place's name.
class ByteOutput {
public:
    /// "-" or empty is stdout, which must not be a terminal: VerbError with `terminal_hint`.
    ByteOutput(const std::string& path, const std::string& terminal_hint);
    ~ByteOutput();
    ByteOutput(const ByteOutput&) = delete;
    ByteOutput& operator=(const ByteOutput&) = delete;

    /// Writes all of it; a slow reader is waited for until `stop_fd` (if any) gets readable.
    void write(std::span<const std::uint8_t> bytes);
    void seek(std::int64_t position);
    void close();  ///< the last moment a full disk can be told
    void set_stop_fd(int fd) noexcept { stop_fd_ = fd; }

    [[nodiscard]] bool seekable() const noexcept { return seekable_; }
    [[nodiscard]] std::uint64_t written() const noexcept { return written_; }

private:
    void wait_writable() const;
    [[noreturn]] void fail(int error) const;

    std::string name_;
    int fd_ = -1;
    int stop_fd_ = -1;
    bool owned_ = false;
    bool file_ = false;
    bool seekable_ = false;
    std::uint64_t written_ = 0;
};

}  // namespace ringcast::tools
