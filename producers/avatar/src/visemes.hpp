// SPDX-License-Identifier: Apache-2.0
/// Mouth shapes from sound. The whole speech is known in advance, so smoothing looks both ways and the lips are neither
/// early nor late.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ringcast::producers {

/// Each 0..1.
struct MouthShape {
    float open = 0;   ///< jaw
    float wide = 0;   ///< corners out: "ee"
    float round = 0;  ///< corners in: "oo"
    float teeth = 0;  ///< "s", "f"
    float voice = 0;  ///< how much is said here; slower than the rest, for gestures
};

class VisemeTrack {
public:
    VisemeTrack() = default;
    VisemeTrack(std::span<const float> samples, std::uint32_t rate);
    /// The shape at a time from the first sample on; closed outside of the speech.
    [[nodiscard]] MouthShape at(double seconds) const;

private:
    std::vector<MouthShape> shapes_;  ///< one per hop
};

}  // namespace ringcast::producers
