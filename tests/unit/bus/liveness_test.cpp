// SPDX-License-Identifier: Apache-2.0
// Who is alive is a kernel lock: kill -9, forked children, rivals and leftovers.
#include <fcntl.h>
#include <sys/mman.h>

#include <fstream>
#include <thread>

#include "bus_fixture.hpp"
#include "file_lock.hpp"
#include "names.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

class Liveness : public BusTest {
protected:
    /// A process that writes a frame, says so, and stays.
    std::unique_ptr<Child> producing_child() {
        return std::make_unique<Child>([this](const auto& ready) {
            Producer producer(options());
            producer.write_video(frame(1));
            ready(1);
            sleep_for_ever();
        });
    }
    void expect_free() const {
        for (const FlowKind kind : {FlowKind::video, FlowKind::audio}) {
            EXPECT_FALSE(is_locked(writer_lock_path(bus_, kind)));
            EXPECT_FALSE(is_locked(liveness_path(bus_, kind)));
        }
        Producer producer(options());
        producer.write_video(frame(2));
        producer.end();
    }
    std::string path() const { return shm_path(object_name(bus_, "some.lock")); }
};

TEST_F(Liveness, second_producer_gets_busy_with_the_holders_pid) {
    const auto child = producing_child();
    ASSERT_EQ(child->wait_ready(), 1);
    try {
        Producer second(options());
        FAIL() << "two producers on one bus";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::busy);
        EXPECT_NE(std::string(error.what()).find("pid " + std::to_string(child->pid())), std::string::npos)
            << error.what();
        EXPECT_NE(std::string(error.what()).find(bus_), std::string::npos);
    }
    const auto bus = reader();  // the first one did not notice
    EXPECT_TRUE(bus->writer_alive());
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
}

TEST_F(Liveness, a_killed_producer_frees_its_bus) {
    const auto child = producing_child();
    ASSERT_EQ(child->wait_ready(), 1);
    const auto bus = reader();
    EXPECT_TRUE(bus->writer_alive());
    child->kill();
    EXPECT_FALSE(bus->writer_alive());
    EXPECT_FALSE(bus->ended());
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
    expect_free();
}

// A PyTorch DataLoader: the model forks workers after it opened the bus, then is killed; the workers live on.
TEST_F(Liveness, a_killed_producer_frees_its_bus_while_its_forked_child_lives) {
    Child child([this](const auto& ready) {
        Producer producer(options());
        if (::fork() == 0) ready(::getpid());
        sleep_for_ever();
    });
    const pid_t worker = child.wait_ready();
    ASSERT_GT(worker, 0);
    child.kill();
    EXPECT_EQ(::kill(worker, 0), 0);
    expect_free();
    ::kill(worker, SIGKILL);
}

TEST_F(Liveness, a_forked_child_gets_an_error_instead_of_the_parents_ring) {
    Producer producer(options());
    Child child([&](const auto&) {
        const auto expect_forked = [](const auto& call) {
            try {
                call();
                ADD_FAILURE() << "no error";
            } catch (const Error& error) {
                EXPECT_EQ(error.code(), ErrorCode::forked);
            }
        };
        expect_forked([&] { producer.write_video(frame(1)); });
        expect_forked([&] { producer.write_audio(frame(1)); });
        expect_forked([&] { static_cast<void>(producer.acquire_video()); });
        expect_forked([&] { producer.end(); });
        expect_forked([&] { static_cast<void>(producer.ready_readers()); });
        expect_forked([&] { producer.wait_readers(1, 0ns); });
        expect_forked([&] { static_cast<void>(producer.audio_waiting()); });
    });
    EXPECT_EQ(child.join(), 0);
    producer.write_video(frame(1));
    EXPECT_TRUE(reader()->writer_alive());
}

TEST_F(Liveness, a_forked_child_maps_no_ring) {
    const auto mapped = [this] {
        std::ifstream maps("/proc/self/maps");
        std::size_t count = 0;
        for (std::string line; std::getline(maps, line);)
            count += line.find("ringcast." + bus_) != std::string::npos;
        return count;
    };
    Producer producer(options());
    const auto bus = reader();
    EXPECT_GE(mapped(), 4U);
    Child child([&](const auto&) { EXPECT_EQ(mapped(), 0U); });
    EXPECT_EQ(child.join(), 0);
}

TEST_F(Liveness, a_forked_child_may_destroy_the_parents_producer) {
    auto producer = std::make_unique<Producer>(options());
    Child child([&](const auto&) { producer.reset(); });
    EXPECT_EQ(child.join(), 0);
    producer->write_video(frame(1));
    const auto bus = reader();
    EXPECT_TRUE(bus->writer_alive());
    EXPECT_FALSE(shm_files(bus_).empty());
    EXPECT_EQ(drain(*bus->flow(FlowKind::video)), 1U);
}

TEST_F(Liveness, the_parent_of_a_child_that_exited_still_holds_its_locks) {
    Producer producer(options());
    Child child([](const auto&) {});
    EXPECT_EQ(child.join(), 0);
    EXPECT_TRUE(is_locked(liveness_path(bus_, FlowKind::video)));
    EXPECT_THROW(Producer{options()}, Error);
}

TEST_F(Liveness, a_child_may_open_a_bus_of_its_own) {
    Producer producer(options());
    Child child([this](const auto&) {
        auto other = options();
        other.bus += "-child";
        Producer own(other);
        own.write_video(frame(1));
        own.end();
    });
    EXPECT_EQ(child.join(), 0);
}

TEST_F(Liveness, clean_removes_what_a_dead_producer_left_and_lists_it_first) {
    auto child = producing_child();
    ASSERT_EQ(child->wait_ready(), 1);
    child->kill();
    const std::size_t left = shm_files(bus_).size();
    EXPECT_GE(left, 4U);
    const auto listed = clean_buses(bus_, true);
    EXPECT_EQ(shm_files(bus_).size(), left);
    const auto removed = clean_buses(bus_, false);
    EXPECT_TRUE(shm_files(bus_).empty());
    EXPECT_EQ(listed.size(), left);
    EXPECT_EQ(removed.size(), left);
    std::uint64_t bytes = 0;
    for (const auto& object : removed)
        bytes += object.bytes;
    EXPECT_GT(bytes, 25 * kFrameBytes);
}

TEST_F(Liveness, clean_leaves_a_living_bus_alone) {
    const auto child = producing_child();
    ASSERT_EQ(child->wait_ready(), 1);
    const auto files = shm_files(bus_);
    EXPECT_TRUE(clean_buses(bus_, false).empty());
    EXPECT_EQ(shm_files(bus_).size(), files.size());
    EXPECT_TRUE(reader()->writer_alive());
}

TEST_F(Liveness, clean_removes_temporary_objects_of_a_producer_killed_while_it_built_them) {
    std::ofstream(shm_path(object_name(bus_, "video.tmp-1-0"))) << "half";
    EXPECT_EQ(clean_buses(bus_, false).size(), 1U);
    EXPECT_TRUE(shm_files(bus_).empty());
}

TEST_F(Liveness, shows_in_the_inspector) {
    auto child = producing_child();
    ASSERT_EQ(child->wait_ready(), 1);
    BusInfo info = inspect_bus(bus_);
    EXPECT_TRUE(info.alive);
    EXPECT_FALSE(info.ended);
    EXPECT_EQ(info.writer_pid, static_cast<std::uint32_t>(child->pid()));
    ASSERT_EQ(info.flows.size(), 2U);
    EXPECT_TRUE(info.flows[0].writer_alive);
    EXPECT_EQ(info.flows[0].head, 1U);
    EXPECT_EQ(info.flows[0].committed, 1U);
    child->kill();
    info = inspect_bus(bus_);
    EXPECT_FALSE(info.alive);
    EXPECT_TRUE(info.problems.empty());
    EXPECT_THROW(inspect_bus(bus_ + "x"), Error);
}

TEST_F(Liveness, a_lock_has_one_holder_and_goes_with_it) {
    auto first = FileLock::try_lock_file(path(), 0600);
    ASSERT_TRUE(first);
    first->write_holder();
    EXPECT_TRUE(is_locked(path()));
    EXPECT_EQ(noted_holder(path()), ::getpid());
    EXPECT_FALSE(FileLock::try_lock_file(path(), 0600));
    FileLock moved = std::move(*first);
    first.reset();
    EXPECT_TRUE(is_locked(path()));
    { const FileLock last = std::move(moved); }
    EXPECT_FALSE(is_locked(path()));
    EXPECT_TRUE(FileLock::try_lock_file(path(), 0600));
}

TEST_F(Liveness, a_lock_on_an_unlinked_file_does_not_shut_out_the_next) {
    const auto old = FileLock::try_lock_file(path(), 0600);
    ASSERT_EQ(::unlink(path().c_str()), 0);
    EXPECT_TRUE(FileLock::try_lock_file(path(), 0600));
}

// Who opens the file just before its holder unlinks it and lets go gets a lock that nobody else will ever meet.
TEST_F(Liveness, a_lock_is_exclusive_while_its_file_is_unlinked_again_and_again) {
    struct Shared {
        std::atomic<int> holders{0};
        std::atomic<int> together{0};
        std::atomic<int> taken{0};
    };
    void* memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto& shared = *new (memory) Shared;
    {
        std::vector<std::unique_ptr<Child>> rivals;
        rivals.reserve(3);
        for (int n = 0; n < 3; ++n) {
            rivals.push_back(std::make_unique<Child>([&](const auto&) {
                for (int round = 0; round < 20'000; ++round) {
                    const auto lock = FileLock::try_lock_file(path(), 0600);
                    if (!lock) continue;
                    if (shared.holders.fetch_add(1) != 0) ++shared.together;
                    ++shared.taken;
                    std::this_thread::yield();
                    shared.holders.fetch_sub(1);
                    ::unlink(path().c_str());  // from here on another one may hold the new file
                }
            }));
        }
        for (const auto& rival : rivals)
            EXPECT_EQ(rival->join(), 0);
    }
    EXPECT_EQ(shared.together, 0);
    EXPECT_GT(shared.taken, 100);
    ::munmap(memory, sizeof(Shared));
}

TEST_F(Liveness, a_strangers_read_lock_does_not_look_like_a_writer) {
    std::ofstream(path()) << "";
    const int fd = ::open(path().c_str(), O_RDONLY | O_CLOEXEC);
    struct flock lock {};
    lock.l_type = F_RDLCK;
    ASSERT_EQ(::fcntl(fd, F_OFD_SETLK, &lock), 0);
    EXPECT_FALSE(is_locked(path()));
    ::close(fd);
    EXPECT_FALSE(is_locked(path() + "-absent"));
}

TEST_F(Liveness, ranges_of_one_file_are_locked_apart) {
    std::ofstream(path()) << std::string(64, 'x');
    auto first = FileLock::try_lock_range(path(), 0, 16);
    ASSERT_TRUE(first);
    EXPECT_FALSE(FileLock::try_lock_range(path(), 8, 16));
    EXPECT_TRUE(FileLock::try_lock_range(path(), 16, 16));
    EXPECT_TRUE(is_locked(path(), 0, 16));
    EXPECT_FALSE(is_locked(path(), 16, 16));
}

}  // namespace
