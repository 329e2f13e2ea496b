// SPDX-License-Identifier: Apache-2.0
/// The mark beside a recording that is not finished: `.show.mp4.unfinished` next to show.mp4. It is made with the file
/// and removed once the file is as it shall stay, so that the next recorder of that name knows what a crash left.
/// Whether somebody still works on the file is told by the lock on the file itself, which dies with its process.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "mux/unique_fd.hpp"

namespace ringcast::sink {

/// Throws SinkError(E_STORAGE).
void mark_unfinished(const std::filesystem::path& file);
void unmark_unfinished(const std::filesystem::path& file) noexcept;

/// Files with a mark in a folder and so many levels of folders below it; marks without a file are removed.
[[nodiscard]] std::vector<std::filesystem::path> unfinished_files(const std::filesystem::path& folder, int levels);

/// Takes the lock that says: somebody works on this file. False: somebody else does.
[[nodiscard]] bool lock_file(int fd) noexcept;

/// Opens a file that nobody works on, and locks it; nothing when there is none or somebody does.
[[nodiscard]] UniqueFd open_left_file(const std::filesystem::path& file);

/// The same for a file that has a mark, and still has it once it is locked.
[[nodiscard]] UniqueFd open_unfinished_file(const std::filesystem::path& file);

/// Puts the names in the file's folder on the disk.
void sync_folder_of(const std::filesystem::path& file) noexcept;

}  // namespace ringcast::sink
