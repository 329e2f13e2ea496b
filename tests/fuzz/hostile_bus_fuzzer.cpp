// SPDX-License-Identifier: Apache-2.0
/// A whole bus whose bytes someone changed: opening, reading and inspecting it gives errors, never a crash, a hang or a
/// read outside the mapping (AddressSanitizer sees that).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"
#include "ringcast/producer.hpp"
#include "ringcast/reader.hpp"

namespace {

using ringcast::FlowKind;

/// Input: groups of six bytes: object, offset (3 bytes, little-endian, within the object's first part), operation,
/// value.
constexpr std::size_t kGroup = 6;
/// Headers and descriptors lie in front; payload bytes may be anything and are not worth the fuzzer's time.
constexpr std::size_t kInterestingBytes = 64 * 1024;

std::string bus_name() {
    return "fuzz-" + std::to_string(getpid());
}

std::vector<std::filesystem::path> objects_of(const std::string& bus) {
    std::vector<std::filesystem::path> paths;
    for (const char* part : {"bus", "board", "video", "audio", "packets", "events"}) {
        paths.emplace_back("/dev/shm/ringcast." + bus + "." + part);
    }
    return paths;
}

void change_byte(const std::filesystem::path& path, const std::uint8_t* group) {
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) std::abort();  // the harness lost its own bus: it would test nothing
    struct stat status {};
    if (fstat(fd, &status) != 0 || status.st_size <= 0) std::abort();
    const std::size_t span = std::min(static_cast<std::size_t>(status.st_size), kInterestingBytes);
    const std::size_t offset = (group[1] | group[2] << 8U | group[3] << 16U) % span;
    std::uint8_t byte = 0;
    if (pread(fd, &byte, 1, static_cast<off_t>(offset)) != 1) std::abort();
    byte = (group[4] & 1U) != 0 ? group[5] : static_cast<std::uint8_t>(byte ^ (1U << (group[5] % 8U)));
    if (pwrite(fd, &byte, 1, static_cast<off_t>(offset)) != 1) std::abort();
    close(fd);
}

std::uint64_t sum_of(std::span<const std::byte> bytes) {
    std::uint64_t sum = 0;
    for (const std::byte byte : bytes)
        sum += static_cast<std::uint64_t>(byte);
    return sum;
}

void read_everything(const std::string& bus) {
    ringcast::ReaderOptions options;
    options.bus = bus;
    options.name = "fuzzer";
    try {
        const auto reader = ringcast::BusReader::try_attach(options);
        if (!reader) return;
        reader->board().show_figure(0, "rtt_us", 1);
        reader->board().show_text(0, "url", "http://127.0.0.1/");
        for (const FlowKind kind : {FlowKind::video, FlowKind::audio, FlowKind::packets, FlowKind::events}) {
            ringcast::FlowReader* flow = reader->flow(kind);
            if (flow == nullptr) continue;
            flow->seek_newest();
            flow->seek_pts(40'000'000);
            flow->seek_keyframe();
            flow->seek_oldest();
            volatile std::uint64_t sink = 0;
            // A damaged head may promise 2^60 records; the reader must not need that many steps to count them as lost.
            for (int step = 0; step < 1000; ++step) {
                const auto status =
                    flow->try_read([&](const ringcast::Record& record) { sink = sum_of(record.payload); });
                if (status != ringcast::ReadStatus::ok && status != ringcast::ReadStatus::overrun) break;
            }
        }
    } catch (const ringcast::Error&) {
        // The wanted answer to damage.
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bus = bus_name();
    ringcast::ProducerOptions options;
    options.bus = bus;
    options.video = ringcast::VideoFormat{ringcast::PixelFormat::bgr24, 16, 16, {25, 1}};
    options.audio = ringcast::AudioFormat{ringcast::SampleFormat::s16, 8000, 1};
    options.video_depth = std::chrono::milliseconds(320);
    options.audio_depth = std::chrono::milliseconds(400);
    options.packets = options.events = true;
    {
        ringcast::Producer producer(options);
        const std::vector<std::byte> frame(std::size_t{16} * 16 * 3);
        const std::vector<std::byte> block(std::size_t{320} * 2);
        producer.set_packet_stream({.width = 16, .height = 16});
        for (int i = 0; i < 12; ++i) {
            producer.write_video(frame);
            producer.write_audio(block);
            producer.write_packet({.dts_ns = i, .key = i % 5 == 0, .data = block});
            producer.write_event("{}");
        }
        const auto paths = objects_of(bus);
        for (std::size_t at = 0; at + kGroup <= size; at += kGroup) {
            change_byte(paths[data[at] % paths.size()], data + at);
        }
        read_everything(bus);
        try {
            (void)ringcast::inspect_bus(bus);
        } catch (const ringcast::Error&) {
            // A bus object too damaged to be shown.
        }
    }
    try {
        // The producer died there; its successor has to cope with whatever it left.
        ringcast::Producer successor(options);
        const std::vector<std::byte> frame(std::size_t{16} * 16 * 3);
        for (int i = 0; i < 12; ++i)
            successor.write_video(frame);
        read_everything(bus);
    } catch (const ringcast::Error&) {
        // Refusing is an answer, too.
    }
    // Whatever the changes did to takeover rules, the next input begins with fresh objects.
    for (const auto& path : objects_of(bus))
        std::filesystem::remove(path);
    return 0;
}
