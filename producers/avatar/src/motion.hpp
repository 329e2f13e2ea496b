// SPDX-License-Identifier: Apache-2.0
/// How the avatar holds itself: blinks, glances, sway and small gestures with the speech.
#pragma once

#include <cstdint>
#include <random>

#include "visemes.hpp"

namespace ringcast::producers {

struct Pose {
    MouthShape mouth;
    double shift_x = 0;  ///< of the head, in units of a thousandth of the picture's height
    double shift_y = 0;
    double tilt = 0;       ///< radians, clockwise
    double turn = 0;       ///< -1..1, to the viewer's right
    double nod = 0;        ///< -1..1, down
    double breath = 0;     ///< 0..1
    double brows = 0;      ///< -1..1, up
    double eyes_shut = 0;  ///< 0..1
    double gaze_x = 0;     ///< -1..1
    double gaze_y = 0;     ///< -1..1, down
};

/// Times must not go back. The same times and sounds give the same motion.
class Motion {
public:
    explicit Motion(std::uint32_t seed = 1);
    Pose at(double seconds, const MouthShape& mouth);

private:
    [[nodiscard]] double blink(double seconds);
    void glance(double seconds, bool speaks);

    std::minstd_rand random_;
    double blink_begin_;
    bool blinks_twice_ = false;
    double next_glance_;
    double glance_begin_ = 0;
    double from_x_ = 0, from_y_ = 0, to_x_ = 0, to_y_ = 0;
    double liveliness_ = 0;
    double last_ = 0;
};

inline constexpr double kBlinkSeconds = 0.15;
inline constexpr double kMeanBlinkInterval = 4.0;

}  // namespace ringcast::producers
