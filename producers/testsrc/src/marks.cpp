// SPDX-License-Identifier: Apache-2.0
#include "marks.hpp"

#include "ringcast/producers/timing.hpp"

namespace ringcast::producers::marks {

std::uint32_t cells_of(std::uint64_t frame, Rational fps) {
    const auto index = static_cast<std::uint32_t>(frame % 65536);
    const std::uint32_t check = (index * 37 + 11) % 256;
    std::uint32_t cells = (index << kCheckBits | check) << (kCells - kIndexBits - kCheckBits);
    if (is_flash(frame, fps)) cells |= (1U << (kCells - kFirstFlashCell)) - 1;
    return cells;
}

std::uint64_t flash_frame(std::uint64_t second, Rational fps) {
    return (second * fps.num + fps.den - 1) / fps.den;
}

bool is_flash(std::uint64_t frame, Rational fps) {
    const auto begins_second = [&](std::uint64_t candidate) {
        return flash_frame(candidate * fps.den / fps.num, fps) == candidate;
    };
    return begins_second(frame) || (frame > 0 && begins_second(frame - 1));
}

std::uint64_t beep_begin(std::uint64_t second, Rational fps, std::uint32_t rate) {
    return samples_before(flash_frame(second, fps), fps, rate);
}

}  // namespace ringcast::producers::marks
