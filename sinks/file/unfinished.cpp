// SPDX-License-Identifier: Apache-2.0
#include "file/unfinished.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".unfinished";
constexpr mode_t kMarkMode = 0644;

fs::path mark_of(const fs::path& file) {
    return file.parent_path() / ("." + file.filename().string() + std::string(kSuffix));
}

std::optional<fs::path> file_of(const fs::path& mark) {
    const std::string name = mark.filename();
    if (name.size() <= 1 + kSuffix.size() || name.front() != '.' || !name.ends_with(kSuffix)) return std::nullopt;
    return mark.parent_path() / name.substr(1, name.size() - 1 - kSuffix.size());
}

}  // namespace

void mark_unfinished(const fs::path& file) {
    const fs::path mark = mark_of(file);
    const UniqueFd fd(::open(mark.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, kMarkMode));
    if (!fd) throw_storage_error(mark, errno);
    constexpr std::string_view kText =
        "ringcast: the file of this name is not finished; the next recorder with that path finishes it\n";
    // For people; on a full disk the name alone does.
    static_cast<void>(!::write(fd.get(), kText.data(), kText.size()));
}

void unmark_unfinished(const fs::path& file) noexcept {
    ::unlink(mark_of(file).c_str());
}

std::vector<fs::path> unfinished_files(const fs::path& folder, int levels) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        std::error_code ignored;
        if (const auto file = file_of(entry->path())) {
            if (fs::is_regular_file(*file, ignored)) {
                files.push_back(*file);
            } else {
                fs::remove(entry->path(), ignored);
            }
        } else if (levels > 0 && !entry->is_symlink(ignored) && entry->is_directory(ignored)) {
            for (fs::path& deeper : unfinished_files(entry->path(), levels - 1))
                files.push_back(std::move(deeper));
        }
    }
    return files;
}

bool lock_file(int fd) noexcept {
    // A file system without locks cannot say who works on what: then nobody is in the way.
    return ::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
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
    return fd && fs::exists(mark_of(file), ignored) ? std::move(fd) : UniqueFd();
}

void sync_folder_of(const fs::path& file) noexcept {
    const UniqueFd folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder) ::fsync(folder.get());
}

}  // namespace ringcast::sink
