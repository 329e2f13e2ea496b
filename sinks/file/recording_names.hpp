// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>

namespace ringcast::sink {

/// The names of the files of one sink, from the option path:
///   show.mp4                 show.mp4, show-2.mp4, show-3.mp4 ...
///   show.mp4 with split=     show-001.mp4, show-002.mp4 ...
///   rec-%Y%m%d-%H%M%S.mp4    by the local clock when the file begins, with a number when that name is taken
/// Thread safety: none.
class RecordingNames {
public:
    /// `split`: many files are to come. Throws SinkError(E_CONFIG) for a conversion that strftime has not, or that
    /// would change the folders.
    RecordingNames(const std::filesystem::path& path, bool split);

    /// The name of the next file; those that `is_taken` are passed over, but not a plain name that the user wrote.
    std::filesystem::path next(std::time_t now, const std::function<bool(const std::filesystem::path&)>& is_taken);

    /// The one name that may be refused instead of passed over: written out by the user, and not used yet.
    [[nodiscard]] bool next_is_plain() const noexcept { return !is_pattern_ && number_width_ == 0 && number_ == 0; }
    [[nodiscard]] bool is_pattern() const noexcept { return is_pattern_; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// True for every name this object could have made.
    [[nodiscard]] bool could_be(const std::filesystem::path& file) const;
    /// The plain name belongs to an earlier life of this recorder: go on with the numbered ones.
    void pass_over_plain() noexcept { number_ = std::max(number_, 1U); }

    /// The deepest folder that is the same for all names, and how many folders below it a file may lie.
    [[nodiscard]] std::filesystem::path fixed_folder() const;
    [[nodiscard]] int folders_below() const;

private:
    [[nodiscard]] std::filesystem::path expand(std::time_t now) const;
    [[nodiscard]] std::filesystem::path numbered(const std::filesystem::path& base) const;

    std::filesystem::path path_;
    std::string glob_;
    bool is_pattern_;
    unsigned number_width_ = 0;  ///< 0: the first file has no number
    std::filesystem::path last_base_;
    unsigned number_ = 0;  ///< of the file made last, within last_base_
};

}  // namespace ringcast::sink
