// SPDX-License-Identifier: Apache-2.0
/// One shared-memory object: made under a temporary name with its memory reserved, or opened and checked.
#pragma once

#include <sys/types.h>

#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/shared_memory_object.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "ringcast/layout.hpp"

namespace ringcast {

class ShmObject {
public:
    enum class Access { read_only, read_write };

    /// Creates `<name>.tmp-<pid>-<n>`, reserves and touches every page, maps it, zeroed. Throws Error(no_space) when
    /// /dev/shm cannot hold it; never leaves a page that could SIGBUS the model later.
    static ShmObject create(const std::string& name, std::uint64_t size, mode_t mode);
    /// Maps an existing object; nullopt when there is none. Throws Error(damaged) when its ObjectHeader does not hold
    /// (magic, type, major, sizes) and Error(permission, system).
    static std::optional<ShmObject> open(const std::string& name, Access access, layout::ObjectType type);

    ShmObject(ShmObject&&) = default;
    ShmObject& operator=(ShmObject&&) noexcept;
    ~ShmObject();

    /// Gives a created object its public name, replacing what had it.
    void publish();
    /// Maps every page at once instead of at its first use, which costs a fault for each 64 kB. A hint: kernels before
    /// 5.14 map at the first use, and so do objects whose memory is not all there.
    void map_now() const;
    /// Removes the public name if it still is this object's.
    void unlink() noexcept;
    [[nodiscard]] bool is_still_named() const noexcept;
    [[nodiscard]] bool is_same_as(const ShmObject& other) const noexcept;

    [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(region_.get_address()); }
    [[nodiscard]] std::uint64_t size() const noexcept { return region_.get_size(); }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] uid_t owner() const noexcept { return owner_; }
    [[nodiscard]] int fd() const noexcept;

    template <class Header>
    [[nodiscard]] Header* as() const noexcept {
        return reinterpret_cast<Header*>(data());
    }

private:
    ShmObject(boost::interprocess::shared_memory_object object, boost::interprocess::mapped_region region,
              std::string name);

    boost::interprocess::shared_memory_object object_;
    boost::interprocess::mapped_region region_;
    std::string name_;            // the public one
    std::string temporary_name_;  // empty once published or when opened
    uid_t owner_ = 0;
};

/// Fills the common first bytes of a new object.
void fill_object_header(layout::ObjectHeader& header, layout::ObjectType type, std::uint32_t header_size,
                        std::uint64_t object_size, std::uint64_t session);

/// Free bytes under /dev/shm.
std::uint64_t free_shm_bytes() noexcept;

}  // namespace ringcast
