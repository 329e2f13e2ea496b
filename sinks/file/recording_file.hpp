// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>

#include "mux/muxer.hpp"
#include "mux/unique_fd.hpp"

namespace ringcast::sink {

/// One file of a recording, locked and marked as unfinished from the first byte on. Bytes reach the kernel in write(),
/// so a kill -9 loses nothing that was written. What it replaces stays until there is something in it that plays: until
/// then it is written beside it, as .NAME.replacing.
/// Thread safety: none; the byte counter may be read from any thread.
class RecordingFile : public ByteSink {
public:
    /// Creates the file and its folders; one that is there already is replaced only with `replace` or when it holds
    /// nothing. Throws SinkError(E_STORAGE, E_CONFIG: in the way). `total_bytes` counts on over all files.
    RecordingFile(std::filesystem::path path, bool replace, std::atomic<std::uint64_t>& total_bytes);

    void write(std::span<const std::uint8_t> bytes) override;
    void seek(std::int64_t position) override;

    /// Everything up to here plays: what truncate_to_whole() keeps. The first time it takes its name, and what it
    /// replaces is gone. Throws SinkError(E_STORAGE).
    void mark_whole();

    /// Takes back a torn end after a failed write.
    void truncate_to_whole() noexcept;

    /// Lets the disk begin with what is whole, so that it does not all come at once at the end. Does not wait.
    void start_writeback() noexcept;

    /// Removes the file and its mark; what it was to replace stays.
    void remove() noexcept;

    /// The lock with the file; nothing can be written any more.
    [[nodiscard]] UniqueFd release() noexcept { return std::move(fd_); }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::int64_t whole_size() const noexcept { return whole_size_; }
    [[nodiscard]] std::int64_t size() const noexcept { return size_; }

private:
    void open_beside(UniqueFd old);
    void take_name();

    std::filesystem::path path_;
    std::atomic<std::uint64_t>& total_bytes_;
    std::filesystem::path target_;     ///< the file it replaces, behind all links
    std::filesystem::path temporary_;  ///< where it is as long as it has not taken its name; empty: it has
    UniqueFd old_;                     ///< what it replaces, locked so long
    UniqueFd fd_;
    std::int64_t position_ = 0;
    std::int64_t size_ = 0;
    std::int64_t whole_size_ = 0;
};

}  // namespace ringcast::sink
