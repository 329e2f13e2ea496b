// SPDX-License-Identifier: Apache-2.0
#include "flow_plan.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "board.hpp"
#include "ringcast/error.hpp"

namespace ringcast {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kDefaultVideoDepth{1'000'000'000};
constexpr nanoseconds kDefaultAudioDepth{30'000'000'000};
constexpr nanoseconds kLeastAudioDepth{1'000'000'000};
constexpr std::uint64_t kLeastFrames = 4;
constexpr std::uint64_t kShortestBlocksPerSecond = 100;  // 10 ms pushes still reach the full depth
constexpr std::uint64_t kPage = 4096;

/// Bus object, board and page rounding.
constexpr std::uint64_t kOverhead = kBoardSize + 64 * 1024;

FlowPlan plan_video(const layout::Caps& caps, std::uint64_t frames, std::int64_t wanted_ns) {
    FlowPlan plan;
    plan.kind = FlowKind::video;
    plan.caps = caps;
    // One more than the depth: the frame being written is not readable.
    plan.slot_count = std::bit_ceil(frames + 1);
    plan.arena_size = align_up((frames + 1) * align_up(frame_bytes(caps), layout::kArenaAlignment), kPage);
    plan.depth_ns = static_cast<std::uint64_t>(count_to_ns(frames, {caps.fps_num, caps.fps_den}));
    plan.depth_wanted_ns = static_cast<std::uint64_t>(wanted_ns);
    return plan;
}

FlowPlan plan_audio(const layout::Caps& caps, nanoseconds depth, nanoseconds wanted) {
    FlowPlan plan;
    plan.kind = FlowKind::audio;
    plan.caps = caps;
    const std::uint64_t samples = ns_to_count(depth.count(), {caps.sample_rate, 1}) + caps.sample_rate / 10;
    const std::uint64_t blocks = ns_to_count(depth.count(), {kShortestBlocksPerSecond, 1}) + 10;
    plan.slot_count = std::bit_ceil(std::max<std::uint64_t>(blocks, 16));
    plan.arena_size = align_up(samples * sample_bytes(caps) + plan.slot_count * layout::kArenaAlignment, kPage);
    plan.depth_ns = static_cast<std::uint64_t>(depth.count());
    plan.depth_wanted_ns = static_cast<std::uint64_t>(wanted.count());
    return plan;
}

FlowPlan plan_bytes(FlowKind kind, std::uint64_t slots, std::uint64_t arena) {
    FlowPlan plan;
    plan.kind = kind;
    plan.slot_count = slots;
    plan.arena_size = arena;
    return plan;
}

/// 10 s of video at 60 fps with its sound, and of 10 Mb/s.
FlowPlan plan_packets() {
    return plan_bytes(FlowKind::packets, 2048, 16U << 20U);
}
FlowPlan plan_events() {
    return plan_bytes(FlowKind::events, 1024, 1U << 20U);
}

std::string megabytes(std::uint64_t bytes) {
    return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MB";
}

[[noreturn]] void refuse(const std::string& bus, std::uint64_t needed, std::uint64_t free, const char* fix) {
    throw Error(ErrorCode::no_space, "bus '" + bus + "' needs " + megabytes(needed) +
                                         " of shared memory, /dev/shm has " + megabytes(free) + " free: " + fix +
                                         " (docker: --shm-size=" + std::to_string(((2 * needed) >> 20) + 1) + "m)");
}

std::uint64_t frames_in(nanoseconds depth, Rational fps) {
    return std::max<std::uint64_t>(kLeastFrames, ns_to_count(depth.count(), fps));
}

}  // namespace

FlowPlans plan_flows(const ProducerOptions& options) {
    return plan_flows(options, free_shm_bytes());
}

std::optional<FlowPlan> plan_into(const ProducerOptions& options, const FlowGeometry& geometry) {
    const auto fits = [&](const FlowPlan& plan) {
        return plan.slot_count <= geometry.slot_count && plan.arena_size <= geometry.arena_size;
    };
    if (options.video && !options.video_depth) {
        const layout::Caps caps = make_caps(*options.video);
        for (std::uint64_t frames = frames_in(kDefaultVideoDepth, options.video->fps); frames >= kLeastFrames;
             --frames) {
            const FlowPlan plan = plan_video(caps, frames, kDefaultVideoDepth.count());
            if (fits(plan)) return plan;
        }
    }
    if (options.audio && !options.audio_depth) {
        const layout::Caps caps = make_caps(*options.audio);
        for (nanoseconds depth = kDefaultAudioDepth; depth >= kLeastAudioDepth; depth /= 2) {
            const FlowPlan plan = plan_audio(caps, depth, kDefaultAudioDepth);
            if (fits(plan)) return plan;
        }
    }
    return std::nullopt;
}

FlowPlans plan_flows(const ProducerOptions& options, std::uint64_t free_bytes) {
    if (options.video_depth.value_or(nanoseconds{1}).count() <= 0 ||
        options.audio_depth.value_or(nanoseconds{1}).count() <= 0) {
        throw Error(ErrorCode::invalid_argument, "bus '" + options.bus + "': depth must be longer than 0");
    }
    const auto room = [&](std::uint64_t taken) {
        return free_bytes > taken + kOverhead ? free_bytes - taken - kOverhead : 0;
    };
    FlowPlans plans;
    if (options.packets) plans.flows.push_back(plan_packets());
    if (options.events) plans.flows.push_back(plan_events());
    std::uint64_t fixed = 0;
    for (const FlowPlan& plan : plans.flows)
        fixed += plan.bytes();
    if (fixed > 0 && fixed > room(0)) refuse(options.bus, fixed + kOverhead, free_bytes, "enlarge it");
    std::uint64_t taken = fixed;
    std::uint64_t wanted_bytes = kOverhead + fixed;
    std::uint64_t frames = 0;
    layout::Caps video_caps{};
    const nanoseconds video_wanted = options.video_depth.value_or(kDefaultVideoDepth);
    if (options.video) {
        video_caps = make_caps(*options.video);
        frames = frames_in(video_wanted, options.video->fps);
        wanted_bytes += plan_video(video_caps, frames, video_wanted.count()).bytes();
        // Video keeps at least four frames whatever the sound takes.
        taken += plan_video(video_caps, options.video_depth ? frames : kLeastFrames, 0).bytes();
        if (taken > room(0)) {
            refuse(options.bus, taken + kOverhead, free_bytes,
                   options.video_depth ? "ask for less video_depth or enlarge it" : "enlarge it");
        }
    }
    if (options.audio) {
        const layout::Caps caps = make_caps(*options.audio);
        const nanoseconds wanted = options.audio_depth.value_or(kDefaultAudioDepth);
        nanoseconds depth = wanted;
        wanted_bytes += plan_audio(caps, wanted, wanted).bytes();
        while (plan_audio(caps, depth, wanted).bytes() > room(taken) && !options.audio_depth &&
               depth > kLeastAudioDepth) {
            depth = std::max(depth / 2, kLeastAudioDepth);
        }
        const FlowPlan plan = plan_audio(caps, depth, wanted);
        if (plan.bytes() > room(taken)) {
            refuse(options.bus, taken + plan.bytes() + kOverhead, free_bytes,
                   options.audio_depth ? "ask for less audio_depth or enlarge it" : "enlarge it");
        }
        taken = fixed + plan.bytes();
        plans.flows.push_back(plan);
    } else {
        taken = fixed;
    }
    if (options.video) {
        while (plan_video(video_caps, frames, video_wanted.count()).bytes() > room(taken))
            --frames;
        plans.flows.insert(plans.flows.begin(), plan_video(video_caps, frames, video_wanted.count()));
    }
    std::uint64_t got_bytes = kOverhead;
    for (const FlowPlan& plan : plans.flows)
        got_bytes += plan.bytes();
    if (got_bytes < wanted_bytes) {
        plans.warning =
            "bus '" + options.bus + "': /dev/shm has only " + megabytes(free_bytes) +
            " free, the ring was shrunk from " + megabytes(wanted_bytes) + " to " + megabytes(got_bytes) +
            "; for the full depth enlarge it (docker: --shm-size=" + std::to_string(((2 * wanted_bytes) >> 20) + 1) +
            "m)";
    }
    return plans;
}

bool is_large_enough(const FlowGeometry& geometry, const FlowPlan& plan) {
    return geometry.slot_count >= plan.slot_count && geometry.arena_size >= plan.arena_size;
}

bool holds(const FlowGeometry& geometry, const FlowPlan& plan) {
    return is_large_enough(geometry, plan) && geometry.arena_size / 4 <= plan.arena_size;
}

bool same(const layout::Caps& a, const layout::Caps& b) {
    return std::memcmp(&a, &b, sizeof(a)) == 0;
}

}  // namespace ringcast
