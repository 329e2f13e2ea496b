// SPDX-License-Identifier: Apache-2.0
#include "file/torn_end.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

namespace ringcast::sink {

namespace {

/// Reads of the file at absolute places; nothing beyond its end, nor once `go_on` said no: every search ends then.
class FileView {
public:
    FileView(int fd, const std::function<bool()>& go_on) : fd_(fd), go_on_(go_on) {
        struct stat status {};
        if (::fstat(fd, &status) == 0) size_ = status.st_size;
    }

    [[nodiscard]] std::int64_t size() const noexcept { return size_; }

    /// Big-endian; nothing when it reaches past the end.
    [[nodiscard]] std::optional<std::uint64_t> number(std::int64_t at, int bytes) const {
        given_up_ = given_up_ || !go_on_();
        std::array<std::uint8_t, 8> raw{};
        if (given_up_ || at + bytes > size_ || ::pread(fd_, raw.data(), static_cast<std::size_t>(bytes), at) != bytes) {
            return std::nullopt;
        }
        std::uint64_t value = 0;
        for (int i = 0; i < bytes; ++i)
            value = value << 8U | raw[static_cast<std::size_t>(i)];
        return value;
    }

    [[nodiscard]] std::vector<std::uint8_t> read(std::int64_t at, std::size_t bytes) const {
        std::vector<std::uint8_t> data(bytes);
        const ssize_t got = ::pread(fd_, data.data(), bytes, at);
        data.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
        return data;
    }

    [[nodiscard]] bool is_given_up() const noexcept { return given_up_; }

private:
    int fd_;
    const std::function<bool()>& go_on_;
    mutable bool given_up_ = false;
    std::int64_t size_ = 0;
};

constexpr std::uint32_t tag(const char (&name)[5]) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i)
        value = value << 8U | static_cast<std::uint8_t>(name[i]);
    return value;
}

/// A box, an element: where it ends; past the end of the file when it is torn.
struct Piece {
    std::uint64_t id = 0;
    std::int64_t end = 0;
};

bool is_inside(const FileView& file, std::int64_t at, std::uint64_t length) {
    return length <= static_cast<std::uint64_t>(file.size() - at);
}

std::optional<Piece> read_box(const FileView& file, std::int64_t at) {
    const auto size = file.number(at, 4);
    const auto type = file.number(at + 4, 4);
    if (!size || !type) return std::nullopt;
    const auto length = *size == 1 ? file.number(at + 8, 8) : size;
    if (!length || *length < 8 || !is_inside(file, at, *length)) return std::nullopt;
    return Piece{*type, at + static_cast<std::int64_t>(*length)};
}

WholePart whole_mp4(const FileView& file) {
    WholePart whole;
    bool has_moov = false;
    bool in_fragment = false;
    std::int64_t at = 0;
    while (const auto box = read_box(file, at)) {
        at = box->end;
        const bool is_data = box->id == tag("mdat");
        if (is_data && has_moov && !in_fragment) whole.is_finished = true;  // one index before all of the media
        has_moov = has_moov || box->id == tag("moov");
        whole.has_media = whole.has_media || is_data;
        in_fragment = box->id == tag("moof");
        if (has_moov && !in_fragment) whole.bytes = at;
    }
    return whole;
}

/// An EBML number: the leading zeros of its first byte tell its length. `keep_marker` for ids.
std::optional<std::pair<std::uint64_t, int>> read_ebml(const FileView& file, std::int64_t at, bool keep_marker) {
    const auto first = file.number(at, 1);
    if (!first || *first == 0) return std::nullopt;
    const int length = std::countl_zero(static_cast<std::uint8_t>(*first)) + 1;
    auto value = file.number(at, length);
    if (!value) return std::nullopt;
    if (!keep_marker) *value &= (std::uint64_t{1} << (7U * static_cast<unsigned>(length))) - 1;
    return std::pair{*value, length};
}

constexpr std::uint64_t kEbmlHeader = 0x1A45DFA3;
constexpr std::uint64_t kSegment = 0x18538067;
constexpr std::uint64_t kTracks = 0x1654AE6B;
constexpr std::uint64_t kCluster = 0x1F43B675;

WholePart whole_mkv(const FileView& file) {
    WholePart whole;
    bool has_tracks = false;
    std::int64_t at = 0;
    for (;;) {
        const auto id = read_ebml(file, at, true);
        if (!id) break;
        const auto size = read_ebml(file, at + id->second, false);
        if (!size) break;
        const std::int64_t content = at + id->second + size->second;
        if (id->first == kSegment) {
            at = content;  // its own size is only known at the end
            continue;
        }
        if (at == 0 && id->first != kEbmlHeader) break;
        if (!is_inside(file, content, size->first)) break;
        at = content + static_cast<std::int64_t>(size->first);
        has_tracks = has_tracks || id->first == kTracks;
        whole.has_media = whole.has_media || (has_tracks && id->first == kCluster);
        whole.bytes = at;
    }
    return whole;
}

WholePart whole_flv(const FileView& file) {
    constexpr std::int64_t kFileHeader = 13;  // and the size of no tag
    constexpr std::int64_t kTagHeader = 11;
    constexpr std::int64_t kTagFooter = 4;
    constexpr std::uint64_t kAudio = 8;
    constexpr std::uint64_t kVideo = 9;
    WholePart whole;
    if (file.number(0, 3) != std::uint64_t{0x464C56}) return whole;  // "FLV"
    std::int64_t at = kFileHeader;
    while (const auto head = file.number(at, 4)) {
        const auto size = static_cast<std::int64_t>(*head & 0xFFFFFFU);
        const std::uint64_t type = *head >> 24U;
        const std::int64_t end = at + kTagHeader + size + kTagFooter;
        const auto footer = file.number(end - kTagFooter, kTagFooter);
        if (!footer || *footer != static_cast<std::uint64_t>(size + kTagHeader)) break;
        whole.has_media = whole.has_media || type == kAudio || type == kVideo;
        whole.bytes = at = end;
    }
    return whole;
}

/// A picture of MPEG-TS does not tell its length, so the newest one may lack its end: it is left out.
WholePart whole_ts(const FileView& file) {
    constexpr std::int64_t kPacket = 188;
    constexpr std::int64_t kWindow = kPacket * 40'000;  // more than any picture
    constexpr std::uint8_t kSync = 0x47;
    constexpr unsigned kLeadPid = 0x100;  // libavformat's first stream
    WholePart whole;
    const std::int64_t packets = file.size() / kPacket;
    const std::int64_t from = std::max<std::int64_t>(0, packets * kPacket - kWindow);
    const auto data = file.read(from, static_cast<std::size_t>(packets * kPacket - from));
    for (std::size_t at = 0; at + kPacket <= data.size(); at += kPacket) {
        const unsigned pid = (data[at + 1] & 0x1FU) << 8U | data[at + 2];
        const bool begins = (data[at + 1] & 0x40U) != 0;
        if (data[at] == kSync && begins && pid == kLeadPid) whole.bytes = from + static_cast<std::int64_t>(at);
    }
    whole.has_media = whole.bytes > 3 * kPacket;  // SDT, PAT and PMT come first
    return whole;
}

WholePart whole_part(const FileView& file, Container container) {
    switch (container) {
        case Container::mp4:
            return whole_mp4(file);
        case Container::mkv:
            return whole_mkv(file);
        case Container::ts:
            return whole_ts(file);
        case Container::flv:
            break;
    }
    return whole_flv(file);
}

}  // namespace

std::optional<WholePart> find_whole_part(int fd, Container container, const std::function<bool()>& go_on) {
    const FileView file(fd, go_on);
    const WholePart whole = whole_part(file, container);
    return file.is_given_up() ? std::nullopt : std::optional(whole);
}

}  // namespace ringcast::sink
