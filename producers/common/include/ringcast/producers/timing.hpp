// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "ringcast/caps.hpp"

namespace ringcast::producers {

/// Samples that belong before frame `frame` on the common timeline, rounded to nearest: exact and without drift.
std::uint64_t samples_before(std::uint64_t frame, Rational fps, std::uint32_t rate);

}  // namespace ringcast::producers
