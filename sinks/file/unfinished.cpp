// SPDX-License-Identifier: Apache-2.0
#include "file/unfinished.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMark = ".unfinished";
constexpr std::string_view kReplacement = ".replacing";
constexpr mode_t kMarkMode = 0644;
constexpr std::string_view kText =
    "ringcast: the file of this name is not finished; the next recorder with that path finishes it\n";

fs::path beside(const fs::path& file, std::string_view suffix) {
    return file.parent_path() / ("." + file.filename().string() + std::string(suffix));
}

std::optional<fs::path> file_of(const fs::path& hidden, std::string_view suffix) {
    const std::string name = hidden.filename();
    if (name.size() <= 1 + suffix.size() || name.front() != '.' || !name.ends_with(suffix)) return std::nullopt;
    return hidden.parent_path() / name.substr(1, name.size() - 1 - suffix.size());
}

struct Hidden {
    fs::path path;
    fs::path file;  ///< that it stands beside
};

std::vector<Hidden> hidden_files(const fs::path& folder, int levels, std::string_view suffix) {
    std::vector<Hidden> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        if (auto file = file_of(entry->path(), suffix)) {
            found.push_back({entry->path(), std::move(*file)});
        } else if (levels > 0 && !entry->is_symlink(ignored) && entry->is_directory(ignored)) {
            for (Hidden& deeper : hidden_files(entry->path(), levels - 1, suffix))
                found.push_back(std::move(deeper));
        }
    }
    return found;
}

/// What a note says of a file: its size, and since when the machine runs. Empty: the system does not say.
std::string note_on(const fs::path& file) {
    std::string boot;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
    std::error_code error;
    const std::uintmax_t size = fs::file_size(file, error);
    return error || boot.empty() ? std::string() : "whole: " + std::to_string(size) + " bytes, boot " + boot;
}

}  // namespace

void mark_unfinished(const fs::path& file) {
    const fs::path mark = beside(file, kMark);
    const UniqueFd fd(::open(mark.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, kMarkMode));
    if (!fd) throw_storage_error(mark, errno);
    // For people; on a full disk the name alone does.
    static_cast<void>(!::write(fd.get(), kText.data(), kText.size()));
}

void unmark_unfinished(const fs::path& file) noexcept {
    ::unlink(beside(file, kMark).c_str());
}

void note_whole(const fs::path& file) noexcept {
    // Not noted: the next recorder looks for a torn end.
    try {
        std::ofstream(beside(file, kMark), std::ios::app) << note_on(file) << '\n';
    } catch (const std::exception&) {
    }
}

bool is_noted_whole(const fs::path& file) {
    const std::string note = note_on(file);
    std::ifstream mark(beside(file, kMark));
    for (std::string line; !note.empty() && std::getline(mark, line);)
        if (line == note) return true;
    return false;
}

std::vector<fs::path> unfinished_files(const fs::path& folder, int levels) {
    std::vector<fs::path> files;
    for (const auto& [mark, file] : hidden_files(folder, levels, kMark)) {
        std::error_code ignored;
        if (fs::is_regular_file(file, ignored)) {
            files.push_back(file);
        } else {
            fs::remove(mark, ignored);
        }
    }
    return files;
}

fs::path replacement_of(const fs::path& file) {
    return beside(file, kReplacement);
}

void remove_left_replacements(const fs::path& folder, int levels, const std::function<bool(const fs::path&)>& is_ours) {
    for (const auto& [replacement, file] : hidden_files(folder, levels, kReplacement)) {
        if (!is_ours(file)) continue;
        const UniqueFd locked = open_left_file(replacement);
        if (locked && has_name(locked.get(), replacement)) ::unlink(replacement.c_str());
    }
}

bool lock_file(int fd) noexcept {
    // A file system without locks cannot say who works on what: then nobody is in the way.
    return ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

bool has_name(int fd, const fs::path& path) {
    struct stat mine {};
    struct stat named {};
    return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev;
}

UniqueFd open_left_file(const fs::path& file) {
    UniqueFd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
    return UniqueFd();
}

UniqueFd open_unfinished_file(const fs::path& file) {
    UniqueFd fd = open_left_file(file);
    // Whoever finishes a file takes its mark away before the lock: without one, it has been finished meanwhile.
    std::error_code ignored;
    return fd && fs::exists(beside(file, kMark), ignored) ? std::move(fd) : UniqueFd();
}

void sync_folder_of(const fs::path& file) noexcept {
    const UniqueFd folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) ::fsync(folder.get());
}

}  // namespace ringcast::sink
