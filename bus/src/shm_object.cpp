// SPDX-License-Identifier: Apache-2.0
#include "shm_object.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "names.hpp"
#include "ringcast/error.hpp"
#include "system.hpp"

namespace ringcast {
namespace bip = boost::interprocess;
namespace {

ErrorCode code_of(const bip::interprocess_exception& error) {
    switch (error.get_error_code()) {
        case bip::security_error:
            return ErrorCode::permission;
        case bip::not_found_error:
            return ErrorCode::not_found;
        default:
            return ErrorCode::system;
    }
}

std::string describe(const std::string& name) {
    return "shared memory " + shm_path(name);
}

[[noreturn]] void refuse(const std::string& name, ErrorCode code, const std::string& why) {
    throw Error(code, describe(name) + ": " + why);
}

void reserve(int fd, const std::string& name, std::uint64_t size) {
    const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(size));
    if (error == 0) return;
    refuse(name, error == ENOSPC ? ErrorCode::no_space : ErrorCode::system,
           "cannot reserve " + std::to_string(size >> 20) + " MB (" + std::to_string(free_shm_bytes() >> 20) +
               " MB free): " + errno_text(error) + "; enlarge /dev/shm (docker: --shm-size) or ask for less depth");
}

void touch(std::byte* data, std::uint64_t size) noexcept {
#ifdef MADV_POPULATE_WRITE
    if (::madvise(data, size, MADV_POPULATE_WRITE) == 0) return;
#endif
    // Kernels before 5.14 have no populate: a write per page, so that no frame pays the first touch.
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    for (std::uint64_t offset = 0; offset < size; offset += page) {
        *reinterpret_cast<volatile unsigned char*>(data + offset) = 0;
    }
}

void check_header(const std::string& name, const layout::ObjectHeader& header, std::uint64_t file_size,
                  layout::ObjectType type) {
    if (header.magic != layout::kMagic) refuse(name, ErrorCode::damaged, "not a ringcast object (wrong magic)");
    if (header.major != layout::kMajor) {
        refuse(name, ErrorCode::unsupported,
               "has layout version " + std::to_string(header.major) + "." + std::to_string(header.minor) +
                   ", this program reads version " + std::to_string(layout::kMajor));
    }
    if (header.type != type || header.object_size > file_size || header.header_size != 4096 ||
        header.object_size < header.header_size || header.session == 0) {
        refuse(name, ErrorCode::damaged, "header does not fit the object (type, size or session)");
    }
}

}  // namespace

ShmObject::ShmObject(bip::shared_memory_object object, bip::mapped_region region, std::string name)
    : object_(std::move(object)), region_(std::move(region)), name_(std::move(name)) {
    struct stat info {};
    if (::fstat(fd(), &info) == 0) owner_ = info.st_uid;
}

ShmObject& ShmObject::operator=(ShmObject&& other) noexcept {
    std::swap(object_, other.object_);
    std::swap(region_, other.region_);
    std::swap(name_, other.name_);
    std::swap(temporary_name_, other.temporary_name_);
    std::swap(owner_, other.owner_);
    return *this;
}

ShmObject::~ShmObject() {
    if (!temporary_name_.empty()) bip::shared_memory_object::remove(temporary_name_.c_str());
}

int ShmObject::fd() const noexcept {
    return object_.get_mapping_handle().handle;
}

ShmObject ShmObject::create(const std::string& name, std::uint64_t size, mode_t mode) {
    static std::atomic<unsigned> counter{0};
    const std::string temporary =
        name + ".tmp-" + std::to_string(::getpid()) + "-" + std::to_string(counter.fetch_add(1));
    try {
        bip::permissions permissions;
        permissions.set_permissions(static_cast<int>(mode));
        bip::shared_memory_object object(bip::create_only, temporary.c_str(), bip::read_write, permissions);
        ShmObject made(std::move(object), bip::mapped_region(), name);
        made.temporary_name_ = temporary;  // from here the destructor removes it
        reserve(made.fd(), name, size);
        ::fchmod(made.fd(), mode);  // past the umask
        made.region_ = bip::mapped_region(made.object_, bip::read_write, 0, size);
        // A forked DataLoader child must neither write into the ring nor keep its pages.
        ::madvise(made.data(), size, MADV_DONTFORK);
        touch(made.data(), size);
        return made;
    } catch (const bip::interprocess_exception& error) {
        refuse(name, code_of(error), std::string("cannot create: ") + error.what());
    }
}

std::optional<ShmObject> ShmObject::open(const std::string& name, Access access, layout::ObjectType type) {
    const bip::mode_t mode = access == Access::read_only ? bip::read_only : bip::read_write;
    // A reader asks for absent flows each time it is woken, and the library says "none" with an exception.
    if (::access(shm_path(name).c_str(), F_OK) != 0 && errno == ENOENT) return std::nullopt;
    try {
        bip::shared_memory_object object(bip::open_only, name.c_str(), mode);
        struct stat info {};
        if (::fstat(object.get_mapping_handle().handle, &info) != 0) refuse(name, ErrorCode::system, errno_text(errno));
        const auto file_size = static_cast<std::uint64_t>(info.st_size);
        if (file_size < 4096) refuse(name, ErrorCode::damaged, "is truncated");
        // pread, not the mapping: a file that shrinks meanwhile gives a short read instead of SIGBUS.
        layout::ObjectHeader header{};
        if (::pread(object.get_mapping_handle().handle, &header, sizeof(header), 0) != sizeof(header)) {
            refuse(name, ErrorCode::damaged, "is truncated");
        }
        check_header(name, header, file_size, type);
        bip::mapped_region region(object, mode, 0, header.object_size);
        ::madvise(region.get_address(), header.object_size, MADV_DONTFORK);
        return ShmObject(std::move(object), std::move(region), name);
    } catch (const bip::interprocess_exception& error) {
        if (code_of(error) == ErrorCode::not_found) return std::nullopt;
        refuse(name, code_of(error), std::string("cannot open: ") + error.what());
    }
}

void ShmObject::map_now() const {
#ifdef MADV_POPULATE_READ
    constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks
    struct stat info {};
    if (::fstat(object_.get_mapping_handle().handle, &info) != 0) return;
    // A sparse object is not one of ours, and reading its holes would fill the memory of the machine.
    if (static_cast<std::uint64_t>(info.st_blocks) * kBlock < region_.get_size()) return;
    ::madvise(region_.get_address(), region_.get_size(), MADV_POPULATE_READ);
#endif
}

void ShmObject::publish() {
    // Plain renameat2 semantics: atomic, replaces a stale object; readers of the old one keep their mapping.
    if (::renameat2(AT_FDCWD, shm_path(temporary_name_).c_str(), AT_FDCWD, shm_path(name_).c_str(), 0) != 0) {
        refuse(name_, ErrorCode::system, "cannot rename into place: " + errno_text(errno));
    }
    temporary_name_.clear();
}

void ShmObject::unlink() noexcept {
    if (is_still_named()) ::unlink(shm_path(name_).c_str());
}

bool ShmObject::is_still_named() const noexcept {
    struct stat mine {};
    struct stat named {};
    return ::fstat(fd(), &mine) == 0 && ::stat(shm_path(name_).c_str(), &named) == 0 && mine.st_ino == named.st_ino &&
           mine.st_dev == named.st_dev;
}

bool ShmObject::is_same_as(const ShmObject& other) const noexcept {
    struct stat mine {};
    struct stat theirs {};
    return ::fstat(fd(), &mine) == 0 && ::fstat(other.fd(), &theirs) == 0 && mine.st_ino == theirs.st_ino &&
           mine.st_dev == theirs.st_dev;
}

void fill_object_header(layout::ObjectHeader& header, layout::ObjectType type, std::uint32_t header_size,
                        std::uint64_t object_size, std::uint64_t session) {
    header.magic = layout::kMagic;
    header.major = layout::kMajor;
    header.minor = layout::kMinor;
    header.type = type;
    header.header_size = header_size;
    header.object_size = object_size;
    header.session = session;
    header.created_ns = monotonic_ns();
    header.creator_pid = static_cast<std::uint32_t>(::getpid());
}

std::uint64_t free_shm_bytes() noexcept {
    struct statvfs info {};
    if (::statvfs(kShmDirectory, &info) != 0) return 0;
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace ringcast
