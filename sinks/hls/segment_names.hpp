// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringcast::sink {

enum class SegmentType { ts, fmp4 };

inline constexpr const char* kPlaylistName = "index.m3u8";
inline constexpr const char* kMasterName = "master.m3u8";

/// How the files of a playlist are called: segments by a pattern with their number ("segment-%05d"), the initialisation
/// of fMP4 segments "init-00000.mp4" by the number of the first segment that needs it.
class SegmentNames {
public:
    /// `pattern`: letters, digits, '-', '_' and '.' around one %d or %0Nd; the ending of the type is added where it is
    /// left away. Throws SinkError(E_CONFIG).
    SegmentNames(std::string_view pattern, SegmentType type);

    [[nodiscard]] SegmentType type() const noexcept { return type_; }
    [[nodiscard]] std::string segment(std::uint64_t number) const;
    [[nodiscard]] static std::string init(std::uint64_t number);

    /// The way back; none for any other spelling.
    [[nodiscard]] std::optional<std::uint64_t> segment_number(std::string_view name) const;
    [[nodiscard]] static std::optional<std::uint64_t> init_number(std::string_view name);

private:
    SegmentType type_;
    std::string prefix_;
    std::string suffix_;
    std::size_t digits_ = 0;
};

/// A file name as this sink writes them, whatever its options were: nothing that leads out of the folder.
bool is_media_name(std::string_view name);

/// The Content-Type of a file this sink writes.
std::string_view mime_of(std::string_view name);

}  // namespace ringcast::sink
