// SPDX-License-Identifier: Apache-2.0
#include "plugin_loader.hpp"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/sha.h>
}

#include "plugin_error.hpp"

namespace ringcast::host {
namespace {

/// What every plugin of major 1 has; later minors only add behind it.
constexpr std::size_t kSizeOf1_0 = offsetof(ringcast_sink_plugin_v1, extension) + sizeof(void*);
/// size, abi_major, abi_minor: all that may be read before the versions are known to agree.
constexpr std::size_t kVersionBytes = offsetof(ringcast_sink_plugin_v1, name);

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& why) {
    throw PluginError("cannot load plugin " + file.string() + ": " + why);
}

std::vector<char> read_whole(const std::filesystem::path& file) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (error) refuse(file, error.message());
    std::vector<char> bytes(size);
    std::ifstream stream(file, std::ios::binary);
    if (!stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) refuse(file, std::strerror(errno));
    return bytes;
}

/// The dynamic linker maps what the program headers name without looking at the length: a file cut short, as by a copy
/// that is still running, would be SIGBUS in dlopen().
bool is_cut_short(const Elf64_Ehdr& header, const std::vector<char>& bytes) {
    const std::uint64_t size = bytes.size();
    const std::uint64_t table = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > size || table > size - header.e_phoff) return true;
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        std::memcpy(&segment, bytes.data() + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_LOAD) continue;
        if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset) return true;
    }
    return false;
}

void check_elf(const std::filesystem::path& file, const std::vector<char>& bytes) {
    Elf64_Ehdr header{};
    if (bytes.size() < sizeof header || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) {
        refuse(file, "not an ELF shared object");
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.e_type != ET_DYN) refuse(file, "an ELF file, but not a shared object; link it with -shared");
    if (is_cut_short(header, bytes)) refuse(file, "the file is cut short; copy it again");
}

std::string sha256_hex(const std::vector<char>& bytes) {
    struct Free {
        void operator()(AVSHA* sha) const noexcept { av_free(sha); }
    };
    const std::unique_ptr<AVSHA, Free> sha(av_sha_alloc());
    if (!sha || av_sha_init(sha.get(), 256) != 0) throw PluginError("out of memory while hashing a plugin");
    av_sha_update(sha.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    std::array<std::uint8_t, 32> digest{};
    av_sha_final(sha.get(), digest.data());
    std::string hex;
    for (const std::uint8_t byte : digest) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        hex += kDigits[byte >> 4U];
        hex += kDigits[byte & 15U];
    }
    return hex;
}

/// The descriptor is kept open for the life of the process: the dynamic linker knows objects by path, and a reused
/// /proc/self/fd/N would hand out the old one.
int private_copy(const std::filesystem::path& file, const std::vector<char>& bytes, const std::string& hash) {
    const std::string name = "ringcast-" + file.stem().string().substr(0, 64) + "-" + hash.substr(0, 16);
    const int fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) refuse(file, std::string("memfd_create: ") + std::strerror(errno));
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t written = write(fd, bytes.data() + done, bytes.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) {
            const int error = errno;
            close(fd);
            refuse(file, std::string("copying it into memory: ") + std::strerror(error));
        }
        done += static_cast<std::size_t>(written);
    }
    // Best effort: an unsealed copy is still private.
    static_cast<void>(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
    return fd;
}

/// dlerror() names the memfd, which tells a person nothing.
std::string linker_error(const std::string& loaded_as) {
    const char* raw = dlerror();
    std::string text = raw == nullptr ? "unknown error of the dynamic linker" : raw;
    if (text.starts_with(loaded_as + ": ")) text.erase(0, loaded_as.size() + 2);
    return text;
}

const void* find_descriptor(const std::filesystem::path& file, void* library, std::uint64_t& symbol_size) {
    const void* symbol = dlsym(library, RINGCAST_SINK_SYMBOL);
    if (symbol == nullptr) {
        refuse(file,
               "it exports no '" RINGCAST_SINK_SYMBOL "', so it is not a ringcast sink plugin (see ringcast/sink.h)");
    }
    Dl_info info{};
    void* entry = nullptr;
    symbol_size = UINT64_MAX;  // unknown when the linker does not tell
    if (dladdr1(symbol, &info, &entry, RTLD_DL_SYMENT) != 0 && entry != nullptr && info.dli_saddr == symbol) {
        symbol_size = static_cast<const ElfW(Sym)*>(entry)->st_size;
    }
    return symbol;
}

std::string missing_call(const ringcast_sink_plugin_v1& api) {
    if (api.name == nullptr || *api.name == '\0') return "name";
    if (api.version == nullptr) return "version";
    if (api.summary == nullptr) return "summary";
    if (api.create == nullptr) return "create";
    if (api.destroy == nullptr) return "destroy";
    if (api.connect == nullptr) return "connect";
    if (api.headers == nullptr) return "headers";
    if (api.disconnect == nullptr) return "disconnect";
    if (api.interrupt == nullptr) return "interrupt";
    if (api.bytes_sent == nullptr) return "bytes_sent";
    if ((api.takes & RINGCAST_SINK_TAKES_PACKETS) != 0 && api.packet == nullptr) return "packet";
    if ((api.takes & RINGCAST_SINK_TAKES_FRAMES) != 0 && api.frame == nullptr) return "frame";
    return {};
}

ringcast_sink_plugin_v1 checked_descriptor(const std::filesystem::path& file, const void* symbol,
                                           std::uint64_t symbol_size) {
    ringcast_sink_plugin_v1 api{};
    if (symbol_size < kVersionBytes) refuse(file, "its '" RINGCAST_SINK_SYMBOL "' is too short to hold a version");
    std::memcpy(&api, symbol, kVersionBytes);
    if (api.abi_major != RINGCAST_SINK_ABI_MAJOR) {
        refuse(file, "built for sink ABI " + std::to_string(api.abi_major) + "." + std::to_string(api.abi_minor) +
                         ", this ringcast-sink speaks " + std::to_string(RINGCAST_SINK_ABI_MAJOR) + "." +
                         std::to_string(RINGCAST_SINK_ABI_MINOR) + "; rebuild it with this version's ringcast/sink.h");
    }
    if (api.size < kSizeOf1_0 || symbol_size < api.size) {
        refuse(file, "its descriptor has " + std::to_string(std::min<std::uint64_t>(api.size, symbol_size)) +
                         " bytes, ABI 1 needs at least " + std::to_string(kSizeOf1_0) +
                         "; set .size = sizeof(ringcast_sink_plugin_v1)");
    }
    std::memcpy(&api, symbol, std::min<std::size_t>(api.size, sizeof api));
    if (const std::string missing = missing_call(api); !missing.empty()) {
        refuse(file, "its descriptor leaves '" + missing + "' empty, which ABI 1 requires");
    }
    return api;
}

}  // namespace

Plugin Plugin::load(const std::filesystem::path& file) {
    const std::vector<char> bytes = read_whole(file);
    check_elf(file, bytes);
    Plugin plugin;
    plugin.file_ = file;
    plugin.hash_ = sha256_hex(bytes);
    const int fd = private_copy(file, bytes, plugin.hash_);
    const std::string loaded_as = "/proc/self/fd/" + std::to_string(fd);
    void* library = dlopen(loaded_as.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const std::string why = linker_error(loaded_as);
        close(fd);
        refuse(file, why);
    }
    std::uint64_t symbol_size = 0;
    const void* symbol = find_descriptor(file, library, symbol_size);
    plugin.api_ = checked_descriptor(file, symbol, symbol_size);
    return plugin;
}

}  // namespace ringcast::host
