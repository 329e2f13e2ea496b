// SPDX-License-Identifier: Apache-2.0
#include "producer_checks.hpp"

#include <cstdlib>
#include <string>

#include "names.hpp"
#include "ringcast/caps.hpp"
#include "ringcast/error.hpp"

namespace ringcast {
namespace {

constexpr std::size_t kMostEventBytes = 64 * 1024;
constexpr std::int64_t kPtsLimitNs = std::int64_t{1} << 60;  // 36 years: sums and differences of pts stay in 64 bits

}  // namespace

void check_pts(const std::optional<std::int64_t>& pts_ns) {
    if (pts_ns && (*pts_ns > kPtsLimitNs || *pts_ns < -kPtsLimitNs)) {
        throw Error(ErrorCode::invalid_argument, "pts " + std::to_string(*pts_ns) + " ns is outside 36 years around 0");
    }
}

void check_formats(const ProducerOptions& options) {
    check_bus_name(options.bus);
    if (!options.video && !options.audio && !options.packets && !options.events) {
        throw Error(ErrorCode::invalid_argument,
                    "bus '" + options.bus + "': neither a video nor an audio format given, nor packets, nor events");
    }
    if (options.video) static_cast<void>(make_caps(*options.video));
    if (options.audio) static_cast<void>(make_caps(*options.audio));
}

void check_frame_size(std::size_t bytes, const layout::Caps& caps) {
    if (bytes != frame_bytes(caps)) {
        throw Error(ErrorCode::invalid_argument, "write_video: got " + std::to_string(bytes) + " bytes, a " +
                                                     std::to_string(caps.width) + "x" + std::to_string(caps.height) +
                                                     " " + std::string(name_of(static_cast<PixelFormat>(caps.format))) +
                                                     " frame has " + std::to_string(frame_bytes(caps)));
    }
}

void check_planes(const FrameView& frame, const layout::Caps& caps) {
    for (std::uint32_t plane = 0; plane < caps.plane_count; ++plane) {
        const std::ptrdiff_t stride = frame.strides[plane];
        if (frame.planes[plane] != nullptr && (stride == 0 || std::abs(stride) >= caps.stride[plane])) continue;
        throw Error(ErrorCode::invalid_argument, "write_video: plane " + std::to_string(plane) +
                                                     " is missing or its stride of " + std::to_string(stride) +
                                                     " bytes is shorter than a line of " +
                                                     std::to_string(caps.stride[plane]));
    }
}

void check_whole_samples(std::size_t bytes, std::uint32_t sample_bytes) {
    if (bytes % sample_bytes != 0) {
        throw Error(ErrorCode::invalid_argument, "write_audio: " + std::to_string(bytes) +
                                                     " bytes is not a whole number of " + std::to_string(sample_bytes) +
                                                     "-byte samples");
    }
}

void check_event_size(std::size_t bytes) {
    if (bytes == 0 || bytes > kMostEventBytes) {
        throw Error(ErrorCode::invalid_argument, "write_event: " + std::to_string(bytes) + " bytes; an event is 1 to " +
                                                     std::to_string(kMostEventBytes) + " bytes of JSON");
    }
}

}  // namespace ringcast
