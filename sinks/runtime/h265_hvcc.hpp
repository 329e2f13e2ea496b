// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/h264_avcc.hpp"

namespace ringcast::runtime::h265 {

/// hvcC (ISO/IEC 14496-15) from extradata with VPS, SPS and PPS in Annex B; returned as it is when it already is an
/// hvcC record. Throws Error(unsupported) when a parameter set is missing.
std::vector<std::uint8_t> make_hvcc(std::span<const std::uint8_t> extradata, h264::SampleShape samples = {});

}  // namespace ringcast::runtime::h265
