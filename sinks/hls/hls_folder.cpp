// SPDX-License-Identifier: Apache-2.0
#include "hls/hls_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0644;
constexpr std::string_view kTemporarySuffix = ".part";

UniqueFd open_for_writing(const fs::path& path) {
    UniqueFd fd(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, kFileMode));
    if (!fd) throw_storage_error(path, errno);
    return fd;
}

void write_all(int fd, const fs::path& path, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw_storage_error(path, errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

// Network file systems tell of a full disk here.
void close_written(UniqueFd fd, const fs::path& path) {
    if (::close(fd.release()) == 0 || errno == EINTR) return;
    const int error = errno;
    ::unlink(path.c_str());
    throw_storage_error(path, error);
}

[[noreturn]] void refuse(const std::string& text) {
    throw SinkError(RINGCAST_SINK_E_CONFIG, text);
}

}  // namespace

HlsFolder::HlsFolder(const fs::path& path, SegmentNames names)
    : path_(fs::absolute(path).lexically_normal()), names_(std::move(names)) {}

void HlsFolder::open() {
    if (lock_) return;
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) refuse("cannot make the folder " + path_.string() + ": " + error.message() + "; choose another dir=");
    if (::access(path_.c_str(), W_OK | X_OK) != 0) {
        refuse("cannot write into the folder " + path_.string() + ": " + system_text(errno) + "; choose another dir=");
    }
    UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) refuse("cannot open the folder " + path_.string() + ": " + system_text(errno));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        const int reason = errno;
        if (reason != EWOULDBLOCK) {
            refuse("cannot lock the folder " + path_.string() + ": " + system_text(reason) +
                   "; choose another dir=, on a disk of this machine");
        }
        refuse("another sink writes into " + path_.string() + "; give this one a folder of its own with dir=");
    }
    lock_ = std::move(fd);
}

std::string HlsFolder::saved_playlist() const {
    std::ifstream in(path_ / kPlaylistName, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<std::uint64_t> HlsFolder::size_of(const std::string& name) const {
    std::error_code error;
    const auto size = fs::file_size(path_ / name, error);
    return error ? std::nullopt : std::optional<std::uint64_t>(size);
}

void HlsFolder::adopt(const Playlist& playlist) {
    std::set<std::string> wanted{kPlaylistName, kMasterName};
    std::set<std::uint64_t> inits;
    for (const Playlist::Entry& entry : playlist.entries()) {
        wanted.insert(names_.segment(entry.number));
        if (entry.init) inits.insert(*entry.init);
    }
    for (const std::uint64_t init : inits)
        wanted.insert(SegmentNames::init(init));
    remove_own_files_except(wanted);
    const std::lock_guard lock(mutex_);
    first_segment_ = playlist.entries().front().number;
    next_segment_ = next_listed_ = playlist.entries().back().number + 1;
    inits_ = std::move(inits);
    stream_ = {playlist.stream(), playlist.form().mode};
    has_playlist_ = true;
    has_ended_ = false;
}

void HlsFolder::begin_stream(const std::string& stream, HlsMode mode, const std::vector<std::string>& more) {
    {
        const std::lock_guard lock(mutex_);
        has_playlist_ = false;
        first_segment_ = next_segment_ = 0;
        inits_.clear();
        stream_ = {stream, mode};
    }
    master_text_.clear();
    remove_own_files_except({});
    std::error_code ignored;
    for (const std::string& name : more) {
        if (is_media_name(name)) fs::remove(path_ / name, ignored);
    }
}

bool HlsFolder::is_own_name(std::string_view name) const {
    if (name.starts_with('.') && name.ends_with(kTemporarySuffix)) {
        name = name.substr(1, name.size() - 1 - kTemporarySuffix.size());
    }
    return name == kPlaylistName || name == kMasterName || names_.segment_number(name) ||
           SegmentNames::init_number(name);
}

void HlsFolder::remove_own_files_except(const std::set<std::string>& wanted) noexcept {
    std::error_code error;
    for (fs::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        std::error_code ignored;
        if (is_own_name(name) && !wanted.contains(name)) fs::remove(entry->path(), ignored);
    }
}

fs::path HlsFolder::temporary_path(const std::string& name) const {
    return path_ / ("." + name + std::string(kTemporarySuffix));
}

void HlsFolder::rename_into_place(const std::string& name) {
    const fs::path target = path_ / name;
    if (::rename(temporary_path(name).c_str(), target.c_str()) != 0) throw_storage_error(target, errno);
}

void HlsFolder::publish_segment(std::uint64_t number) {
    rename_into_place(names_.segment(number));
    const std::lock_guard lock(mutex_);
    if (first_segment_ == next_segment_) first_segment_ = number;
    next_segment_ = number + 1;
}

void HlsFolder::publish_init(std::uint64_t number) {
    rename_into_place(SegmentNames::init(number));
    const std::lock_guard lock(mutex_);
    inits_.insert(number);
}

void HlsFolder::replace_file(const std::string& name, const std::string& text) {
    const fs::path temporary = temporary_path(name);
    UniqueFd fd = open_for_writing(temporary);
    try {
        write_all(fd.get(), temporary, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
        close_written(std::move(fd), temporary);
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
    rename_into_place(name);
}

void HlsFolder::publish_playlist(const Playlist& playlist, const std::string& master) {
    // The playlist comes last: who sees it, or its end, has the master playlist that goes with it.
    if (!master.empty() && master != master_text_) {
        replace_file(kMasterName, master);
        master_text_ = master;
    }
    replace_file(kPlaylistName, playlist.text());
    const std::lock_guard lock(mutex_);
    has_playlist_ = true;
    has_ended_ = playlist.ended();
    stream_.name = playlist.stream();
    next_listed_ = next_segment_;
}

void HlsFolder::remove_before(const Playlist::Entry& oldest) {
    std::vector<std::string> gone;
    {
        const std::lock_guard lock(mutex_);
        for (; first_segment_ < oldest.number && first_segment_ < next_segment_; ++first_segment_)
            gone.push_back(names_.segment(first_segment_));
        while (oldest.init && !inits_.empty() && *inits_.begin() < *oldest.init)
            gone.push_back(SegmentNames::init(inits_.extract(inits_.begin()).value()));
    }
    std::error_code ignored;
    for (const std::string& name : gone)
        fs::remove(path_ / name, ignored);
}

std::optional<fs::path> HlsFolder::find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    if (name == kPlaylistName || name == kMasterName) {
        return has_playlist_ ? std::optional(path_ / name) : std::nullopt;
    }
    const auto number = names_.segment_number(name);
    if (number && *number >= first_segment_ && *number < next_segment_) return path_ / name;
    const auto init = SegmentNames::init_number(name);
    return init && inits_.contains(*init) ? std::optional(path_ / name) : std::nullopt;
}

bool HlsFolder::has_playlist() const {
    const std::lock_guard lock(mutex_);
    return has_playlist_;
}

HlsFolder::Stream HlsFolder::stream() const {
    const std::lock_guard lock(mutex_);
    return stream_;
}

bool HlsFolder::playlist_answers(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    return has_playlist_ && (has_ended_ || number < next_listed_);
}

void SegmentWriter::open(const std::string& name, std::uint64_t number) {
    abandon();  // of an encoding that could not begin
    number_ = number;
    bytes_ = 0;
    path_ = folder_.temporary_path(name);
    fd_ = open_for_writing(path_);
}

void SegmentWriter::close() {
    close_written(std::move(fd_), path_);
}

void SegmentWriter::begin_init(std::uint64_t number) {
    open(SegmentNames::init(number), number);
}

void SegmentWriter::publish_init() {
    close();
    folder_.publish_init(number_);
}

void SegmentWriter::begin(std::uint64_t number) {
    open(folder_.names().segment(number), number);
}

std::uint64_t SegmentWriter::publish() {
    close();
    folder_.publish_segment(number_);
    return bytes_;
}

void SegmentWriter::abandon() noexcept {
    if (!fd_) return;
    fd_ = UniqueFd();
    ::unlink(path_.c_str());
}

void SegmentWriter::write(std::span<const std::uint8_t> bytes) {
    write_all(fd_.get(), path_, bytes);
    bytes_ += bytes.size();
    total_bytes_.fetch_add(bytes.size(), std::memory_order_relaxed);
}

void SegmentWriter::seek(std::int64_t /*position*/) {
    throw SinkError(RINGCAST_SINK_E_INTERNAL, "a segment cannot be written backwards");
}

}  // namespace ringcast::sink
