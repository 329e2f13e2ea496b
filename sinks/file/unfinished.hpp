// SPDX-License-Identifier: Apache-2.0
/// The mark beside a recording that is not finished: `.show.mp4.unfinished` next to show.mp4. It is made with the file
/// and removed once the file is as it shall stay, so that the next recorder of that name knows what a crash left.
/// Whether somebody still works on the file is told by the lock on the file itself, which dies with its process.
/// And `.show.mp4.replacing`: a recording that is to replace show.mp4, as long as there is nothing in it that plays.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "mux/unique_fd.hpp"

namespace ringcast::sink {

/// Throws SinkError(E_STORAGE).
void mark_unfinished(const std::filesystem::path& file);
void unmark_unfinished(const std::filesystem::path& file) noexcept;

/// Notes in the mark that the file is whole as it is and only has to come to its disk.
void note_whole(const std::filesystem::path& file) noexcept;
/// It was noted, and since then the machine has not lost what it had in memory.
[[nodiscard]] bool is_noted_whole(const std::filesystem::path& file);

/// Files with a mark in a folder and so many levels of folders below it; marks without a file are removed.
[[nodiscard]] std::vector<std::filesystem::path> unfinished_files(const std::filesystem::path& folder, int levels);

[[nodiscard]] std::filesystem::path replacement_of(const std::filesystem::path& file);
/// Removes replacements that nobody works on any more, of those files that `is_ours`.
void remove_left_replacements(const std::filesystem::path& folder, int levels,
                              const std::function<bool(const std::filesystem::path& file)>& is_ours);

/// Takes the lock that says: somebody works on this file. False: somebody else does.
[[nodiscard]] bool lock_file(int fd) noexcept;
/// Who locks a file that has just been replaced or removed has not got its name.
[[nodiscard]] bool has_name(int fd, const std::filesystem::path& path);

/// Opens a file that nobody works on, and locks it; nothing when there is none or somebody does.
[[nodiscard]] UniqueFd open_left_file(const std::filesystem::path& file);

/// The same for a file that has a mark, and still has it once it is locked.
[[nodiscard]] UniqueFd open_unfinished_file(const std::filesystem::path& file);

/// Puts the names in the file's folder on the disk.
void sync_folder_of(const std::filesystem::path& file) noexcept;

}  // namespace ringcast::sink
