// SPDX-License-Identifier: Apache-2.0
// Whatever is in shared memory is outside data: every lie gives an error that names the object, never a crash.
#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "bus_fixture.hpp"
#include "file_lock.hpp"
#include "names.hpp"
#include "private_ring.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"
#include "shm_object.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class Hostile : public BusTest {
protected:
    Hostile() { producer_.write_video(frame(3)); }

    ShmObject writable(const std::string& name, layout::ObjectType type) const {
        return ShmObject::open(name, ShmObject::Access::read_write, type).value();
    }
    /// The code of the error try_attach throws, 0 for none; the text must name the object.
    int attach_code(const std::string& object) const {
        try {
            const auto bus = BusReader::try_attach({.bus = bus_, .name = {}, .plugin = {}});
            return 0;
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(object), std::string::npos) << error.what();
            return static_cast<int>(error.code());
        }
    }
    static constexpr int kDamaged = static_cast<int>(ErrorCode::damaged);
    static constexpr int kUnsupported = static_cast<int>(ErrorCode::unsupported);

    Producer producer_{[this] { return options(); }()};
};

TEST_F(Hostile, object_headers_are_refused_by_what_is_wrong) {
    struct Lie {
        const char* what;
        std::function<void(layout::ObjectHeader&)> tell;
        int code;
    };
    const std::vector<Lie> lies{
        {"magic", [](auto& header) { header.magic = 0; }, kDamaged},
        {"type", [](auto& header) { header.type = layout::ObjectType::board; }, kDamaged},
        {"newer major", [](auto& header) { header.major = 2; }, kUnsupported},
        {"no major", [](auto& header) { header.major = 0; }, kUnsupported},
        {"header size", [](auto& header) { header.header_size = 64; }, kDamaged},
        {"larger than the file", [](auto& header) { header.object_size = 1ULL << 40; }, kDamaged},
        {"as large as can be", [](auto& header) { header.object_size = ~0ULL; }, kDamaged},
        {"smaller than its header", [](auto& header) { header.object_size = 64; }, kDamaged},
        {"no session", [](auto& header) { header.session = 0; }, kDamaged},
        {"newer minor", [](auto& header) { header.minor = 7; }, 0},
    };
    for (const auto& [name, type] : {std::pair{bus_object(bus_), layout::ObjectType::bus},
                                     std::pair{flow_object(bus_, FlowKind::video), layout::ObjectType::flow}}) {
        const ShmObject object = writable(name, type);
        auto& header = *object.as<layout::ObjectHeader>();
        const layout::ObjectHeader honest = header;
        for (const Lie& lie : lies) {
            SCOPED_TRACE(name + ": " + lie.what);
            lie.tell(header);
            EXPECT_EQ(attach_code(name), lie.code);
            EXPECT_NO_THROW(inspect_bus(bus_));
            header = honest;
        }
        EXPECT_EQ(attach_code(name), 0);
    }
}

TEST_F(Hostile, flow_geometry_is_refused) {
    const std::string name = flow_object(bus_, FlowKind::video);
    const ShmObject object = writable(name, layout::ObjectType::flow);
    auto& header = *object.as<layout::FlowHeader>();
    const auto expect_refused = [&](const char* what, auto& field, auto value) {
        SCOPED_TRACE(what);
        const auto honest = field;
        field = static_cast<std::remove_reference_t<decltype(field)>>(value);
        EXPECT_EQ(attach_code(name), kDamaged);
        EXPECT_EQ(inspect_bus(bus_).problems.size(), 1U);
        field = honest;
    };
    expect_refused("kind", header.kind, 1);
    expect_refused("unknown kind", header.kind, 77);
    expect_refused("descriptor size", header.descriptor_size, 128);
    expect_refused("no slots", header.slot_count, 0);
    expect_refused("slots not a power of two", header.slot_count, 24);
    expect_refused("more slots than bytes", header.slot_count, 1ULL << 56);
    expect_refused("slots that overflow", header.slot_count, 1ULL << 63);
    expect_refused("descriptors offset", header.descriptors_offset, 0);
    expect_refused("arena in the descriptors", header.arena_offset, 4096);
    expect_refused("arena unaligned", header.arena_offset, header.arena_offset + 8);
    expect_refused("arena beyond the end", header.arena_offset, ~0ULL - 63);
    expect_refused("arena too long", header.arena_size, header.arena_size + 64);
    expect_refused("arena that overflows", header.arena_size, ~0ULL - 63);
    expect_refused("no arena", header.arena_size, 0);
    expect_refused("first index", header.first_index, ~0ULL);
    EXPECT_EQ(attach_code(name), 0);
}

TEST_F(Hostile, objects_with_holes_do_not_fill_the_memory_when_they_are_looked_at) {
    const std::string name = flow_object(bus_, FlowKind::video);
    const std::string path = "/dev/shm/" + name;
    std::vector<char> head(4096);
    ASSERT_TRUE(std::ifstream(path).read(head.data(), 4096));
    const auto size = std::filesystem::file_size(path);
    std::filesystem::remove(path);
    ASSERT_TRUE(std::ofstream(path).write(head.data(), 4096));
    std::filesystem::resize_file(path, size);
    std::filesystem::permissions(path, std::filesystem::perms{0640});
    EXPECT_EQ(attach_code(name), 0);
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_LT(static_cast<std::uintmax_t>(info.st_blocks) * 512, size / 2);
}

TEST_F(Hostile, files_cut_short_are_refused) {
    for (const off_t size : {0, 1, 63, 4095}) {
        for (const std::string& name : {bus_object(bus_), flow_object(bus_, FlowKind::audio)}) {
            // A file of its own: cutting the producer's would kill the producer.
            const std::string path = shm_path(name);
            std::filesystem::rename(path, path + ".aside");
            std::ofstream(path) << std::string(static_cast<std::size_t>(size), 'R');
            EXPECT_EQ(attach_code(name), kDamaged) << name << " " << size;
            EXPECT_EQ(inspect_bus(bus_).problems.size(), 1U);
            std::filesystem::rename(path + ".aside", path);
        }
    }
    EXPECT_EQ(attach_code({}), 0);
}

TEST_F(Hostile, a_flow_of_another_owner_is_refused) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
    const std::string name = flow_object(bus_, FlowKind::video);
    ASSERT_EQ(::chown(shm_path(name).c_str(), 65534, static_cast<gid_t>(-1)), 0);
    EXPECT_EQ(attach_code(name), kDamaged);
}

TEST_F(Hostile, a_bus_of_another_owner_is_not_taken_over) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
    auto other = options();
    other.bus += "-other";
    { Producer first(other); }
    ASSERT_EQ(::chown(shm_path(bus_object(other.bus)).c_str(), 65534, static_cast<gid_t>(-1)), 0);
    try {
        Producer second(other);
        FAIL() << "took over a bus of uid 65534";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::permission);
        EXPECT_NE(std::string(error.what()).find("65534"), std::string::npos) << error.what();
    }
    for (const auto& file : shm_files(other.bus))
        std::filesystem::remove("/dev/shm/" + file);
}

TEST_F(Hostile, a_symbolic_link_is_not_followed_to_a_lock_file) {
    const std::string target = "/tmp/" + bus_ + "-target";
    ASSERT_EQ(::symlink(target.c_str(), shm_path(object_name(bus_, "x.lock")).c_str()), 0);
    EXPECT_THROW(FileLock::try_lock_file(shm_path(object_name(bus_, "x.lock")), 0600), Error);
    EXPECT_FALSE(std::filesystem::exists(target));
}

TEST_F(Hostile, damaged_leftovers_are_replaced_by_the_next_producer) {
    auto other = options();
    other.bus += "-left";
    for (const std::string& name :
         {bus_object(other.bus), board_object(other.bus), flow_object(other.bus, FlowKind::video)}) {
        std::ofstream(shm_path(name)) << "not a ringcast object";
    }
    Producer producer(other);
    const auto bus = BusReader::try_attach({.bus = other.bus, .name = {}, .plugin = {}});
    ASSERT_NE(bus, nullptr);
    producer.write_video(frame(0));
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
    producer.end();
    EXPECT_TRUE(shm_files(other.bus).empty());
}

TEST(HostileRecord, is_reported_as_damage_and_not_read) {
    const auto read_broken = [](FlowKind kind, auto change) {
        const PrivateRing ring(8, 4096, 0, kind);
        FlowWriter writer(ring.memory());
        RecordFields fields;
        std::uint64_t bytes = 64;
        if (kind == FlowKind::video) {
            fields.caps = make_caps(VideoFormat{PixelFormat::bgr24, 8, 4, {25, 1}});
            bytes = frame_bytes(fields.caps);
        } else if (kind == FlowKind::audio) {
            fields.caps = make_caps(AudioFormat{SampleFormat::s16, 8000, 1});
            fields.sample_count = 32;
        }
        EXPECT_TRUE(writer.begin(bytes));
        writer.commit(fields);
        change(ring.slot(0));
        RingReader reader(ring.memory());
        bool used = false;
        const ReadStatus status = reader.try_read([&](const Record&) { used = true; });
        EXPECT_EQ(used, status == ReadStatus::ok);
        return status;
    };
    using D = layout::Descriptor;
    for (const FlowKind kind : {FlowKind::video, FlowKind::audio, FlowKind::packets}) {
        SCOPED_TRACE(name_of(kind));
        EXPECT_EQ(read_broken(kind, [](D&) {}), ReadStatus::ok);
        EXPECT_EQ(read_broken(kind, [](D& slot) { slot.payload_size = 4097; }), ReadStatus::damaged);
        EXPECT_EQ(read_broken(kind, [](D& slot) { slot.payload_size = ~0ULL; }), ReadStatus::damaged);
        EXPECT_EQ(read_broken(kind, [](D& slot) { slot.payload_position = 4096 - 64 + 63; }), ReadStatus::damaged);
        EXPECT_EQ(read_broken(kind, [](D& slot) { slot.payload_position = 4; }), ReadStatus::damaged) << "unaligned";
    }
    EXPECT_EQ(read_broken(FlowKind::video, [](D& slot) { slot.caps.height = 5; }), ReadStatus::damaged);
    EXPECT_EQ(read_broken(FlowKind::video, [](D& slot) { slot.caps.stride[0] = 1 << 20; }), ReadStatus::damaged);
    EXPECT_EQ(read_broken(FlowKind::video, [](D& slot) { slot.caps.fps_den = 0; }), ReadStatus::damaged);
    EXPECT_EQ(read_broken(FlowKind::audio, [](D& slot) { slot.sample_count = 33; }), ReadStatus::damaged);
    EXPECT_EQ(read_broken(FlowKind::audio, [](D& slot) { slot.caps.channels = 0; }), ReadStatus::damaged);
    EXPECT_EQ(read_broken(FlowKind::audio, [](D& slot) { slot.caps.channels = 1U << 31; }), ReadStatus::damaged);
}

TEST(HostileRecord, an_absurd_head_ends_in_exact_counts) {
    const PrivateRing ring(8, 4096);
    FlowWriter writer(ring.memory());
    RingReader reader(ring.memory());
    write_pattern(writer, 64);
    for (const std::uint64_t head : {~0ULL, ~0ULL - 1, 1ULL << 62, 9ULL}) {
        ring.header().head.store(head);
        RingReader fresh(ring.memory());
        fresh.seek_oldest();
        fresh.seek_newest();
        drain(fresh);
    }
    ring.header().head.store(~0ULL);
    EXPECT_EQ(drain(reader), 0U);
    EXPECT_EQ(reader.counts().overrun + reader.counts().aborted, ~0ULL);
    ring.header().head.store(0);  // and back again
    EXPECT_EQ(read_one(reader), ReadStatus::not_yet);
}

// Random bytes over whole headers and descriptors: reading ends, and touches nothing outside the object (ASan looks
// on).
TEST(HostileRecord, random_damage_never_leads_out_of_the_object) {
    std::mt19937_64 random(20240601);
    unsigned refused = 0;
    for (int round = 0; round < 4000; ++round) {
        const FlowKind kind = layout::FlowKind(random() % layout::kFlowCount);
        const PrivateRing ring(8, 4096, 0, kind);
        FlowWriter writer(ring.memory());
        for (int n = 0; n < 12; ++n)
            write_pattern(writer, 64);
        const FlowMemory memory = ring.memory();
        auto* bytes = reinterpret_cast<unsigned char*>(&ring.header());
        for (std::uint64_t n = 1 + random() % 8; n > 0; --n) {
            const std::uint64_t at = 64 + random() % (4096 - 64 + 8 * sizeof(layout::Descriptor));
            bytes[at] = static_cast<unsigned char>(random());
        }
        if (!read_geometry(ring.header(), ring.size())) ++refused;
        RingReader reader(memory);
        std::uint64_t sum = 0;
        for (int n = 0; n < 40; ++n) {
            reader.try_read([&](const Record& record) {
                for (const std::byte byte : record.payload)
                    sum += static_cast<unsigned>(byte);
            });
        }
        EXPECT_LE(reader.counts().delivered, 8U) << sum;
    }
    EXPECT_GT(refused, 0U);
}

// The same through the front door: real objects, attach and inspect.
TEST_F(Hostile, random_damage_gives_errors_and_never_a_crash) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 300; ++round) {
        const std::string name = round % 2 == 0 ? bus_object(bus_) : flow_object(bus_, FlowKind::video);
        const auto type = round % 2 == 0 ? layout::ObjectType::bus : layout::ObjectType::flow;
        const ShmObject object = writable(name, type);
        std::vector<std::byte> honest(object.data(), object.data() + 8192 * (round % 2) + 4096 * (1 - round % 2));
        for (int n = 0; n < 4; ++n)
            object.data()[random() % 448] = static_cast<std::byte>(random());
        try {
            if (const auto bus = BusReader::try_attach({.bus = bus_, .name = {}, .plugin = {}})) {
                if (FlowReader* flow = bus->flow(FlowKind::video)) drain(*flow);
                bus->wait(bus->ticket(), steady_clock::now());
            }
        } catch (const Error&) {
        }
        EXPECT_NO_THROW(inspect_bus(bus_));
        std::memcpy(object.data(), honest.data(), honest.size());
    }
    EXPECT_EQ(attach_code({}), 0);
}

}  // namespace
