// SPDX-License-Identifier: Apache-2.0
#include "motion.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ringcast::producers {
namespace {

constexpr double kMinBlinkInterval = 0.9;
constexpr double kGlanceSeconds = 0.09;

double wave(double seconds, double period, double phase) {
    return std::sin(2 * std::numbers::pi * (seconds / period + phase));
}

double ease(double t) {
    t = std::clamp(t, 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

}  // namespace

Motion::Motion(std::uint32_t seed) : random_(seed), blink_begin_(1.4), next_glance_(0.8) {}

double Motion::blink(double seconds) {
    if (seconds > blink_begin_ + kBlinkSeconds) {
        // Poisson, as people do; now and then two in a row.
        std::exponential_distribution<double> interval(1 / (kMeanBlinkInterval - kMinBlinkInterval));
        std::uniform_real_distribution<double> chance(0, 1);
        blinks_twice_ = !blinks_twice_ && chance(random_) < 0.1;
        const double pause = blinks_twice_ ? 0.08 : kMinBlinkInterval + interval(random_);
        blink_begin_ = std::max(blink_begin_ + kBlinkSeconds + pause, seconds);
    }
    const double t = (seconds - blink_begin_) / kBlinkSeconds;
    if (t <= 0 || t >= 1) return 0;
    // Lids fall twice as fast as they rise.
    return t < 0.35 ? ease(t / 0.35) : t < 0.45 ? 1 : ease((1 - t) / 0.55);
}

void Motion::glance(double seconds, bool speaks) {
    if (seconds < next_glance_) return;
    std::uniform_real_distribution<double> side(-1, 1);
    std::uniform_real_distribution<double> chance(0, 1);
    from_x_ = to_x_;
    from_y_ = to_y_;
    // A speaker mostly looks at the viewer; a listener lets the eyes wander.
    const bool at_viewer = chance(random_) < (speaks ? 0.75 : 0.5);
    to_x_ = side(random_) * (at_viewer ? 0.08 : 0.75);
    to_y_ = side(random_) * (at_viewer ? 0.06 : 0.35);
    glance_begin_ = seconds;
    next_glance_ = seconds + (at_viewer ? 1.2 : 0.5) + 1.6 * chance(random_);
}

Pose Motion::at(double seconds, const MouthShape& mouth) {
    const double step = std::clamp(seconds - last_, 0.0, 0.5);
    last_ = seconds;
    liveliness_ += (mouth.voice - liveliness_) * (1 - std::exp(-step / 0.8));
    const double lively = 0.45 + 0.55 * liveliness_;
    glance(seconds, liveliness_ > 0.2);

    Pose pose;
    pose.mouth = mouth;
    pose.shift_x = lively * (7 * wave(seconds, 7.3, 0) + 3 * wave(seconds, 3.1, 0.3));
    pose.shift_y = lively * 3 * wave(seconds, 5.1, 0.1);
    pose.tilt = lively * (0.020 * wave(seconds, 6.1, 0.2) + 0.012 * wave(seconds, 2.7, 0.6));
    pose.turn = lively * (0.40 * wave(seconds, 8.7, 0.4) + 0.22 * wave(seconds, 3.9, 0.1)) +
                0.15 * to_x_ * ease((seconds - glance_begin_) / 0.5);
    // Heads and brows follow the loudness of phrases, not of syllables.
    const double stress = mouth.voice * (0.6 + 0.4 * wave(seconds, 1.9, 0));
    pose.nod = 0.5 * stress * wave(seconds, 1.3, 0.2) + 0.15 * wave(seconds, 6.7, 0.5);
    pose.brows = std::clamp(0.7 * mouth.voice * std::max(0.0, wave(seconds, 4.3, 0.15)) + 0.1 * wave(seconds, 9.1, 0),
                            -1.0, 1.0);
    pose.breath = 0.5 + 0.5 * wave(seconds, 4.0, 0);
    pose.eyes_shut = blink(seconds);
    const double t = ease((seconds - glance_begin_) / kGlanceSeconds);
    pose.gaze_x = std::lerp(from_x_, to_x_, t) - 0.3 * pose.turn;  // eyes stay on the viewer when the head turns
    pose.gaze_y = std::lerp(from_y_, to_y_, t) - 0.2 * pose.nod;
    return pose;
}

}  // namespace ringcast::producers
