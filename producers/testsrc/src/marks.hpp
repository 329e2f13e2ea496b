// SPDX-License-Identifier: Apache-2.0
/// The sync marks of DESIGN section 9: which cells are white in which frame, and where the beeps start. Pure numbers.
#pragma once

#include <cstdint>

#include "ringcast/caps.hpp"

namespace ringcast::producers::marks {

inline constexpr unsigned kCells = 32;
inline constexpr unsigned kIndexBits = 16;
inline constexpr unsigned kCheckBits = 8;
inline constexpr unsigned kFirstFlashCell = 26;
inline constexpr double kBeepHz = 1000;
inline constexpr double kBeepLevel = 0.6;    ///< of full scale
inline constexpr double kNoiseLevel = 0.01;  ///< RMS of full scale: -40 dB

/// Lines of the strip at the top of a picture.
constexpr std::uint32_t strip_lines(std::uint32_t height) {
    return height / 18;
}

/// First pixel of a cell; cell kCells gives the end of the last one.
constexpr std::uint32_t cell_begin(unsigned cell, std::uint32_t width) {
    return static_cast<std::uint32_t>(std::uint64_t{cell} * width / kCells);
}

/// Cell 0 is the most significant bit; 1 is white.
std::uint32_t cells_of(std::uint64_t frame, Rational fps);

/// First frame with pts >= `second`.
std::uint64_t flash_frame(std::uint64_t second, Rational fps);

/// Whether the frame is the first with pts >= some whole second, or the one after it.
bool is_flash(std::uint64_t frame, Rational fps);

/// First sample of the beep of `second`: nearest to the pts of its flash frame.
std::uint64_t beep_begin(std::uint64_t second, Rational fps, std::uint32_t rate);
constexpr std::uint64_t beep_samples(std::uint32_t rate) {
    return std::uint64_t{rate} * 80 / 1000;
}

}  // namespace ringcast::producers::marks
