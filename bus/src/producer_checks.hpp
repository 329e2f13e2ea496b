// SPDX-License-Identifier: Apache-2.0
/// What a producer may be asked for and given; all throw Error(invalid_argument), before anything has changed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ringcast/producer.hpp"

namespace ringcast {

void check_formats(const ProducerOptions& options);
void check_pts(const std::optional<std::int64_t>& pts_ns);
void check_frame_size(std::size_t bytes, const layout::Caps& caps);
void check_planes(const FrameView& frame, const layout::Caps& caps);
void check_whole_samples(std::size_t bytes, std::uint32_t sample_bytes);
void check_event_size(std::size_t bytes);

}  // namespace ringcast
