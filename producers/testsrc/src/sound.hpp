// SPDX-License-Identifier: Apache-2.0
/// The sound of the test source: quiet speech-like noise that never pauses, and a beep each second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast::producers {

/// The same samples for the same positions whatever the block lengths; all channels alike.
class Sound {
public:
    Sound(const AudioFormat& format, Rational fps);
    /// Samples [first, first + count), interleaved, in the flow's format; valid until the next call.
    std::span<const std::byte> block(std::uint64_t first, std::uint64_t count);

private:
    void mix_beeps(std::uint64_t first, std::uint64_t count);
    void store(std::uint64_t count);

    AudioFormat format_;
    Rational fps_;
    std::vector<float> noise_;  ///< a loop without a seam
    std::vector<float> beep_;
    std::vector<float> mixed_;
    std::vector<std::byte> bytes_;
};

}  // namespace ringcast::producers
