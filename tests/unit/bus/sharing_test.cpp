// SPDX-License-Identifier: Apache-2.0
// Who may read a bus: modes, groups, and a reader that runs as somebody else.
#include <grp.h>
#include <sys/stat.h>

#include "bus_fixture.hpp"
#include "ringcast/error.hpp"
#include "ringcast/inspect.hpp"

namespace {
using namespace ringcast;
using namespace ringcast::test;

constexpr uid_t kNobody = 65534;
constexpr gid_t kOtherGroup = 12345;

class Sharing : public BusTest {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
    }
    ProducerOptions shared(std::uint32_t permissions, const std::string& group) const {
        ProducerOptions wanted = video_only();
        wanted.permissions = permissions;
        wanted.group = group;
        return wanted;
    }
    [[nodiscard]] struct stat object(const std::string& part) const {
        struct stat info {};
        EXPECT_EQ(::stat(("/dev/shm/ringcast." + bus_ + "." + part).c_str(), &info), 0) << part;
        return info;
    }
    /// What another user, in this group, gets when it reads one frame: 0 a frame and a cell on the board, else an
    /// error.
    int read_as_other(gid_t group) const {
        Child child([&](const auto&) {
            if (::setgroups(0, nullptr) != 0 || ::setgid(group) != 0 || ::setuid(kNobody) != 0) ::_exit(90);
            try {
                auto bus = reader();
                bus->board().set_state(layout::SinkState::ready);
                const bool read = read_one(*bus->flow(FlowKind::video)) == ReadStatus::ok;
                ::_exit(read && bus->board().cell() != nullptr ? 0 : 91);
            } catch (const Error& error) {
                ::_exit(error.code() == ErrorCode::permission ? 13 : 92);
            }
        });
        return child.join();
    }
};

TEST_F(Sharing, is_for_this_user_and_group_by_default) {
    Producer producer(video_only());
    producer.write_video(frame(0));
    EXPECT_EQ(object("video").st_mode & 07777, 0640U);
    EXPECT_EQ(object("board").st_mode & 07777, 0660U);
    EXPECT_EQ(object("video.live").st_mode & 07777, 0640U);
    EXPECT_EQ(object("video.lock").st_mode & 07777, 0600U);
    EXPECT_EQ(read_as_other(kOtherGroup), 13);
}

TEST_F(Sharing, with_a_group_lets_its_members_read_and_show_themselves) {
    Producer producer(shared(0660, std::to_string(kOtherGroup)));
    producer.write_video(frame(0));
    for (const char* part : {"bus", "board", "video", "video.live"})
        EXPECT_EQ(object(part).st_gid, kOtherGroup) << part;
    EXPECT_EQ(object("video").st_mode & 07777, 0640U) << "the group reads the ring, it never writes it";
    EXPECT_EQ(read_as_other(kOtherGroup), 0);
    EXPECT_EQ(read_as_other(kOtherGroup + 1), 13);
}

TEST_F(Sharing, with_everybody_or_nobody) {
    {
        Producer producer(shared(0644, ""));
        producer.write_video(frame(0));
        EXPECT_EQ(read_as_other(kOtherGroup), 0);
        producer.end();
    }
    Producer producer(shared(0600, ""));
    EXPECT_EQ(object("board").st_mode & 07777, 0600U);
    EXPECT_EQ(read_as_other(0), 13);
}

TEST_F(Sharing, of_a_bus_that_is_taken_over_is_as_the_new_producer_says) {
    Child dead([this](const auto& ready) {
        Producer first(shared(0644, std::to_string(kOtherGroup)));
        ready(1);
        sleep_for_ever();
    });
    ASSERT_EQ(dead.wait_ready(), 1);
    dead.kill();
    Producer producer(shared(0600, ""));
    for (const char* part : {"bus", "video", "board", "video.live"}) {
        EXPECT_EQ(object(part).st_mode & 07777, 0600U) << part;
        EXPECT_EQ(object(part).st_gid, ::getegid()) << part;
    }
}

TEST_F(Sharing, refuses_unknown_groups_and_modes_that_would_open_the_ring) {
    for (const std::uint32_t mode : {0777U, 0040U, 01640U, 0645U}) {
        EXPECT_THROW(Producer(shared(mode, "")), Error) << std::oct << mode;
    }
    try {
        Producer producer(shared(0640, "no-such-group"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("'no-such-group'"), std::string::npos);
    }
    EXPECT_TRUE(shm_files(bus_).empty());
}

TEST_F(Sharing, a_bus_of_another_user_is_neither_taken_over_nor_cleaned_by_accident) {
    Child other([&](const auto& ready) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(kOtherGroup) != 0 || ::setuid(kNobody) != 0) ::_exit(90);
        Producer producer(shared(0644, ""));
        ready(1);
        sleep_for_ever();
    });
    ASSERT_EQ(other.wait_ready(), 1);
    try {
        Producer rival(video_only());
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::permission);
        EXPECT_NE(std::string(error.what()).find("uid 65534"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(inspect_bus(bus_).alive);
}

}  // namespace
