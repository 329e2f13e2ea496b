// SPDX-License-Identifier: Apache-2.0
#include "doctor_checks.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "bus_json.hpp"
#include "command.hpp"
#include "host/plugin_probe.hpp"
#include "ringcast/error.hpp"
#include "runtime/av_handles.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

namespace fs = std::filesystem;

constexpr const char* kShm = "/dev/shm";
constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kComfortableBytes = 256 * kMiB;  // one second of 1080p25 in RGB, with room
constexpr std::uint64_t kLeastFreeBytes = 16 * kMiB;     // four frames of 720p and the sound
constexpr rlim_t kFewDescriptors = 256;                  // a sink holds some dozens; libraries add theirs

std::string user_name(uid_t uid) {
    const passwd* entry = getpwuid(uid);
    return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

std::string group_name(gid_t gid) {
    const group* entry = getgrgid(gid);
    return entry != nullptr ? entry->gr_name : std::to_string(gid);
}

std::string octal(mode_t mode) {
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
    return text.data();
}

std::string enlarge(bool in_container, const char* size) {
    return in_container ? std::string("start the container with: docker run --shm-size=") + size + " ..."
                        : std::string("mount -o remount,size=") + size + " /dev/shm (as root)";
}

Finding check_object_access(const fs::path& path, const struct stat& info) {
    const std::string name = sanitise(path.filename().string());
    const std::string who = user_name(info.st_uid) + ":" + group_name(info.st_gid) + " " + octal(info.st_mode);
    if (!S_ISREG(info.st_mode)) {
        return {Level::error, name + " is not a file", "look who made it, then: rm " + sanitise(path.string())};
    }
    // Objects are read by sinks; lock files belong to their writer alone.
    const bool lock = path.extension() == ".lock";
    if (!lock && access(path.c_str(), R_OK) != 0) {
        return {Level::error, name + " cannot be read by " + user_name(geteuid()) + " (" + who + ")",
                "chgrp " + group_name(getegid()) + " " + sanitise(path.string()) + " && chmod g+r " +
                    sanitise(path.string()) + " (as " + user_name(info.st_uid) + "), or run as " +
                    user_name(info.st_uid)};
    }
    // A bus that everybody may read lets everybody show on its board, too.
    struct stat bus {};
    const fs::path bus_object = fs::path(path).replace_extension(".bus");
    const bool is_open_board =
        path.extension() == ".board" && stat(bus_object.c_str(), &bus) == 0 && (bus.st_mode & S_IROTH) != 0;
    if ((info.st_mode & S_IWOTH) != 0 && !is_open_board) {
        return {Level::warning, name + " can be written by everybody (" + who + ")",
                "chmod o-w " + sanitise(path.string())};
    }
    return {};
}

std::string bus_part(const std::string& file) {
    constexpr std::string_view kPrefix = "ringcast.";
    if (!file.starts_with(kPrefix)) return {};
    return file.substr(kPrefix.size(), file.find('.', kPrefix.size()) - kPrefix.size());
}

/// Only what is wrong; quiet when all is well.
Findings check_access(const std::string& bus) {
    Findings findings;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(kShm, error)) {
        if (bus_part(entry.path().filename().string()) != bus) continue;
        struct stat info {};
        if (lstat(entry.path().c_str(), &info) != 0) continue;  // gone meanwhile
        Finding finding = check_object_access(entry.path(), info);
        if (finding.level != Level::ok) findings.push_back(std::move(finding));
    }
    return findings;
}

Finding problem_of(const BusInfo& bus, const std::string& problem) {
    if (problem.find("layout version") != std::string::npos) {
        return {Level::error, "bus \"" + bus.name + "\": " + problem,
                bus.alive ? "run this command and the producer from the same release of ringcast"
                          : "ringcast clean " + bus.name};
    }
    return {Level::error, "bus \"" + bus.name + "\": " + problem,
            bus.alive ? "restart the producer of bus " + bus.name : "ringcast clean " + bus.name};
}

void check_readers(const BusInfo& bus, Findings& findings) {
    for (const CellInfo& reader : bus.readers) {
        const bool bad = reader.state == layout::SinkState::failed || reader.state == layout::SinkState::rejected;
        if (!bad && reader.state != layout::SinkState::backoff) continue;
        const std::string who = reader.name.empty() ? "pid " + std::to_string(reader.pid) : reader.name;
        findings.push_back({bad ? Level::error : Level::warning,
                            "sink \"" + who + "\" of bus \"" + bus.name + "\" is " +
                                std::string(name_of(reader.state)) +
                                (reader.reason.empty() ? "" : ": " + reader.reason),
                            "ringcast info " + bus.name});
    }
}

void check_depth(const BusInfo& bus, bool in_container, Findings& findings) {
    for (const FlowInfo& flow : bus.flows) {
        if (flow.depth_ns >= flow.depth_wanted_ns) continue;
        findings.push_back(
            {Level::warning,
             "bus \"" + bus.name + "\" holds " + human_duration(static_cast<std::int64_t>(flow.depth_ns)) + " of " +
                 std::string(name_of(flow.kind)) + " instead of " +
                 human_duration(static_cast<std::int64_t>(flow.depth_wanted_ns)) + ": /dev/shm was too small",
             enlarge(in_container, "1g") + ", then restart the producer"});
    }
}

Findings check_bus(const std::string& name, bool in_container) {
    Findings findings = check_access(name);
    BusInfo bus;
    try {
        bus = inspect_bus(name);
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found)
            findings.push_back({Level::error, error.what(), "ringcast info " + name});
        return findings;
    }
    const std::string_view state = state_of(bus);
    if (state == "stale") {
        findings.push_back({Level::warning,
                            "bus \"" + name + "\" is stale: its producer (pid " + std::to_string(bus.writer_pid) +
                                ") is gone, " + human_bytes(memory_bytes(bus)) + " stay reserved",
                            "ringcast clean " + name});
    }
    // A bus object that is only missing while its producer starts is no problem to inspect_bus(), so whatever stands
    // here is wrong. What cannot be read by permission has been told above.
    const bool told = !findings.empty();
    for (const std::string& problem : bus.problems) {
        if (!told || problem.find("ermission denied") == std::string::npos)
            findings.push_back(problem_of(bus, problem));
    }
    check_depth(bus, in_container, findings);
    check_readers(bus, findings);
    if (findings.empty()) {
        const std::size_t readers = bus.readers.size();
        findings.push_back({Level::ok,
                            "bus \"" + name + "\" is " + std::string(state) + " with " + std::to_string(readers) +
                                (readers == 1 ? " reader, " : " readers, ") + human_bytes(memory_bytes(bus)) +
                                ", layout " + std::to_string(bus.layout_major) + "." + std::to_string(bus.layout_minor),
                            {}});
    }
    return findings;
}

bool in_path(const std::string& program) {
    const char* path = std::getenv("PATH");
    for (const std::string& folder : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
        if (access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
    }
    return false;
}

Finding check_inotify() {
    const int fd = inotify_init1(IN_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return {Level::ok, "inotify can be used", {}};
    }
    std::string limit;
    std::ifstream("/proc/sys/fs/inotify/max_user_instances") >> limit;
    return {Level::error, "no more inotify instances for this user (limit " + limit + "): sinks cannot wait for a bus",
            "sysctl -w fs.inotify.max_user_instances=1024 (as root)"};
}

}  // namespace

ShmFacts look_at_shm() {
    ShmFacts facts;
    struct statvfs info {};
    facts.present = fs::is_directory(kShm) && statvfs(kShm, &info) == 0;
    if (!facts.present) return facts;
    facts.writable = access(kShm, W_OK) == 0;
    facts.read_only_mount = (info.f_flag & ST_RDONLY) != 0;
    facts.total_bytes = static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize;
    facts.free_bytes = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    std::error_code error;
    facts.in_container = fs::exists("/.dockerenv", error) || fs::exists("/run/.containerenv", error);
    return facts;
}

Findings check_shm(const ShmFacts& facts) {
    if (!facts.present) {
        return {{Level::error, "/dev/shm is missing", "mount -t tmpfs -o size=1g tmpfs /dev/shm (as root)"}};
    }
    if (facts.read_only_mount) {
        return {{Level::error, "/dev/shm is mounted read-only", "mount -o remount,rw /dev/shm (as root)"}};
    }
    if (!facts.writable) {
        return {
            {Level::error, "/dev/shm cannot be written by " + user_name(geteuid()), "chmod 1777 /dev/shm (as root)"}};
    }
    const std::string size =
        "/dev/shm has " + human_bytes(facts.total_bytes) + ", " + human_bytes(facts.free_bytes) + " free";
    if (facts.free_bytes < kLeastFreeBytes) {
        return {{Level::error, size + ": no bus of 720p fits",
                 "ringcast clean, else " + enlarge(facts.in_container, "1g")}};
    }
    if (facts.total_bytes < kComfortableBytes) {
        return {
            {Level::warning, size + ": a bus of 1080p does not get its full depth", enlarge(facts.in_container, "1g")}};
    }
    return {{Level::ok, size, {}}};
}

Findings check_limits() {
    Findings findings;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < kFewDescriptors) {
        findings.push_back({Level::warning, "only " + std::to_string(limit.rlim_cur) + " files may be open at once",
                            "ulimit -n 4096"});
    } else {
        findings.push_back({Level::ok,
                            limit.rlim_cur == RLIM_INFINITY
                                ? std::string("any number of files may be open")
                                : std::to_string(limit.rlim_cur) + " files may be open at once",
                            {}});
    }
    findings.push_back(check_inotify());
    return findings;
}

Findings check_buses(const std::optional<std::string>& bus) {
    const bool in_container = look_at_shm().in_container;
    if (bus) return check_bus(*bus, in_container);
    Findings findings;
    for (const std::string& name : list_buses()) {
        for (Finding& finding : check_bus(name, in_container))
            findings.push_back(std::move(finding));
    }
    if (findings.empty()) findings.push_back({Level::ok, "no bus is there, so none is stale or damaged", {}});
    return findings;
}

Findings check_plugins() {
    Findings findings;
    std::vector<std::string> usable;
    for (const host::ProbeResult& plugin : host::probe_plugins()) {
        if (plugin.usable) {
            usable.push_back(plugin.name);
            continue;
        }
        findings.push_back({Level::error,
                            "plugin " + sanitise(plugin.file.string()) + " cannot be used: " + sanitise(plugin.problem),
                            "rebuild or remove " + sanitise(plugin.file.string())});
    }
    for (const std::string name : {"file", "hls"}) {
        if (std::find(usable.begin(), usable.end(), name) != usable.end()) continue;
        findings.push_back({Level::error, "the built-in sink plugin \"" + name + "\" is missing",
                            "install it in lib/ringcast beside bin, or name its folder: export "
                            "RINGCAST_PLUGIN_PATH=FOLDER"});
    }
    std::string names;
    for (const std::string& name : usable)
        names += (names.empty() ? "" : ", ") + sanitise(name);
    if (!usable.empty()) findings.push_back({Level::ok, "sink plugins: " + names, {}});
    return findings;
}

Findings check_encoders() {
    Findings findings;
    for (const char* name : {"libx264", "aac"}) {
        if (avcodec_find_encoder_by_name(name) != nullptr) {
            findings.push_back({Level::ok, std::string("encoder ") + name + " is there", {}});
            continue;
        }
        findings.push_back(
            {Level::error, std::string("libavcodec has no encoder ") + name + ": sinks need it",
             "apt-get install libavcodec" + std::to_string(avcodec_version() >> 16) + " (Debian's build has it)"});
    }
    return findings;
}

Findings check_speech() {
    if (in_path("espeak-ng")) return {{Level::ok, "espeak-ng is there", {}}};
    return {
        {Level::warning, "espeak-ng is missing: `ringcast avatar --text` cannot speak", "apt-get install espeak-ng"}};
}

}  // namespace ringcast::tools
