// SPDX-License-Identifier: Apache-2.0
#include "doctor_checks.hpp"

#include <gtest/gtest.h>

namespace ringcast::tools {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20;

ShmFacts good() {
    return {.present = true,
            .writable = true,
            .read_only_mount = false,
            .total_bytes = 1024 * kMiB,
            .free_bytes = 1000 * kMiB,
            .in_container = false};
}

Finding only(const ShmFacts& facts) {
    const Findings findings = check_shm(facts);
    EXPECT_EQ(findings.size(), 1U);
    return findings.at(0);
}

TEST(CheckShm, enough_memory_is_fine_and_needs_no_fix) {
    EXPECT_EQ(only(good()).level, Level::ok);
    EXPECT_EQ(only(good()).fix, "");
}

TEST(CheckShm, the_default_of_docker_is_a_warning_with_the_flag_that_mends_it) {
    ShmFacts facts = good();
    facts.total_bytes = facts.free_bytes = 64 * kMiB;
    facts.in_container = true;
    EXPECT_EQ(only(facts).level, Level::warning);
    EXPECT_NE(only(facts).fix.find("docker run --shm-size=1g"), std::string::npos);
    facts.in_container = false;
    EXPECT_NE(only(facts).fix.find("mount -o remount,size=1g /dev/shm"), std::string::npos);
}

TEST(CheckShm, a_full_one_is_an_error_that_names_clean) {
    ShmFacts facts = good();
    facts.free_bytes = 15 * kMiB;
    EXPECT_EQ(only(facts).level, Level::error);
    EXPECT_NE(only(facts).fix.find("ringcast clean"), std::string::npos);
}

TEST(CheckShm, missing_read_only_and_forbidden_are_errors_each_with_its_fix) {
    ShmFacts facts = good();
    facts.writable = false;
    EXPECT_NE(only(facts).fix.find("chmod 1777"), std::string::npos);
    facts.read_only_mount = true;
    EXPECT_NE(only(facts).fix.find("remount,rw"), std::string::npos);
    EXPECT_EQ(only(ShmFacts{}).level, Level::error);
    EXPECT_NE(only(ShmFacts{}).fix.find("mount -t tmpfs"), std::string::npos);
}

}  // namespace
}  // namespace ringcast::tools
