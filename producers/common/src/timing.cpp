// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producers/timing.hpp"

namespace ringcast::producers {

std::uint64_t samples_before(std::uint64_t frame, Rational fps, std::uint32_t rate) {
    // 64 bits hold years: 10^9 frames · 192 kHz · 2 · 1001 is 4 · 10^17.
    return (2 * frame * rate * fps.den + fps.num) / (2 * std::uint64_t{fps.num});
}

}  // namespace ringcast::producers
