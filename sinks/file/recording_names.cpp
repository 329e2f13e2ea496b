// SPDX-License-Identifier: Apache-2.0
#include "file/recording_names.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <iomanip>
#include <sstream>
#include <string_view>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

// Those of strftime whose text holds no slash and no line break.
constexpr std::string_view kConversions = "aAbBCdeFgGhHIjklmMpPRsSTuUVwWyYzZ%";
constexpr unsigned kSplitWidth = 3;

void check_pattern(const std::string& path) {
    for (std::size_t at = path.find('%'); at != std::string::npos; at = path.find('%', at + 2)) {
        if (at + 1 < path.size() && kConversions.find(path[at + 1]) != std::string_view::npos) continue;
        throw SinkError(RINGCAST_SINK_E_CONFIG,
                        "path=" + path + ": " + path.substr(at, 2) +
                            " is no part of a date here; write e.g. rec-%Y%m%d-%H%M%S.mp4, or %% for a percent sign");
    }
}

/// Matches every name that the pattern can become, and itself when it is none.
std::string glob_of(const std::string& path) {
    std::string glob;
    for (std::size_t i = 0; i < path.size(); ++i) {
        const bool is_conversion = path[i] == '%' && i + 1 < path.size();
        if (is_conversion && path[++i] != '%') {
            glob += '*';
            continue;
        }
        if (std::string_view("*?[\\").find(path[i]) != std::string_view::npos) glob += '\\';
        glob += path[i];
    }
    return glob;
}

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

RecordingNames::RecordingNames(const fs::path& path, bool split)
    : path_(fs::absolute(path).lexically_normal()), is_pattern_(path.string().find('%') != std::string::npos) {
    check_pattern(path.string());
    glob_ = glob_of(path_.string());
    // A pattern that names the second gives each file a name of its own.
    constexpr std::time_t kSomeTime = 1'600'000'000;
    const bool has_seconds = is_pattern_ && expand(kSomeTime) != expand(kSomeTime + 1);
    if (split && !has_seconds) number_width_ = kSplitWidth;
}

fs::path RecordingNames::expand(std::time_t now) const {
    if (!is_pattern_) return path_;
    std::tm local{};
    ::localtime_r(&now, &local);
    // One character more, so that an empty result cannot be mistaken for one that does not fit.
    const std::string format = path_.string() + ".";
    std::array<char, 4096> text{};
    if (std::strftime(text.data(), text.size(), format.c_str(), &local) == 0) {
        throw SinkError(RINGCAST_SINK_E_CONFIG, "path=" + path_.string() + ": the name is too long");
    }
    std::string name = text.data();
    name.pop_back();
    return name;
}

fs::path RecordingNames::numbered(const fs::path& base) const {
    if (number_ == 1 && number_width_ == 0) return base;
    std::ostringstream name;
    name << base.stem().string() << '-' << std::setfill('0') << std::setw(static_cast<int>(number_width_)) << number_
         << base.extension().string();
    return base.parent_path() / name.str();
}

fs::path RecordingNames::next(std::time_t now, const std::function<bool(const fs::path&)>& is_taken) {
    const bool plain = next_is_plain();
    fs::path base = expand(now);
    if (is_pattern_ && base != last_base_) number_ = 0;
    last_base_ = base;
    for (;;) {
        ++number_;
        fs::path name = numbered(base);
        if (plain || !is_taken(name)) return name;
    }
}

bool RecordingNames::could_be(const fs::path& file) const {
    const auto fits = [&](const fs::path& name) { return ::fnmatch(glob_.c_str(), name.c_str(), FNM_PATHNAME) == 0; };
    if (fits(file)) return true;
    const std::string stem = file.stem();
    const std::size_t dash = stem.rfind('-');
    if (dash == std::string::npos || !is_number(stem.substr(dash + 1))) return false;
    return fits(file.parent_path() / (stem.substr(0, dash) + file.extension().string()));
}

fs::path RecordingNames::fixed_folder() const {
    fs::path folder;
    for (const fs::path& part : path_.parent_path()) {
        if (part.string().find('%') != std::string::npos) break;
        folder /= part;
    }
    return folder;
}

int RecordingNames::folders_below() const {
    const fs::path folder = path_.parent_path();
    const fs::path fixed = fixed_folder();
    return static_cast<int>(std::distance(folder.begin(), folder.end()) - std::distance(fixed.begin(), fixed.end()));
}

}  // namespace ringcast::sink
