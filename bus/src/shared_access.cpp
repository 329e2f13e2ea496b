// SPDX-License-Identifier: Apache-2.0
#include "shared_access.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include "ringcast/error.hpp"
#include "system.hpp"

namespace ringcast {
namespace {

constexpr mode_t kAlways = 0600;
constexpr mode_t kAllowed = 0644;

std::optional<gid_t> group_id(const std::string& name) {
    gid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size()) return number;
    std::array<char, 4096> buffer{};
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
        return std::nullopt;
    }
    return entry.gr_gid;
}

}  // namespace

SharedAccess::SharedAccess(const ProducerOptions& options)
    : mode_(static_cast<mode_t>(options.permissions)), group_name_(options.group) {
    // Whoever types 0660 means that the group may take part; the ring itself is never writable for readers.
    mode_ &= ~mode_t{0022};
    if ((mode_ & kAlways) != kAlways || (mode_ & ~kAllowed) != 0) {
        std::array<char, 16> text{};
        std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(options.permissions));
        throw Error(ErrorCode::invalid_argument, "bus '" + options.bus + "': mode " + text.data() +
                                                     " is none of 0600 (this user), 0640 or 0660 (the group may read),"
                                                     " 0644 (everybody may read)");
    }
    if (group_name_.empty()) return;
    group_ = group_id(group_name_);
    if (!group_) {
        throw Error(ErrorCode::invalid_argument, "bus '" + options.bus + "': there is no group '" + group_name_ +
                                                     "' here (getent group lists those that are)");
    }
}

void SharedAccess::apply(int fd, mode_t mode, const std::string& what) const {
    // Without a wish this process's own: an object that is taken over may have been somebody else's.
    if (::fchown(fd, static_cast<uid_t>(-1), group_.value_or(::getegid())) != 0 && group_) {
        throw Error(ErrorCode::permission, "cannot give " + what + " to group '" + group_name_ +
                                               "': " + errno_text(errno) + "; this user must be a member of it");
    }
    ::fchmod(fd, mode);  // past the umask, and after fchown
}

}  // namespace ringcast
