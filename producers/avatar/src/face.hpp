// SPDX-License-Identifier: Apache-2.0
/// The presenter's head, drawn anew for each frame. Coordinates as in pen.hpp.
#pragma once

#include "motion.hpp"
#include "pen.hpp"

namespace ringcast::producers {

/// Hair that falls behind neck and shoulders; drawn before the body.
void draw_hair_behind(cairo_t* cr, const Pose& pose);
/// Face, features and the hair in front; drawn after the body.
void draw_head(cairo_t* cr, const Pose& pose);

// The features, each relative to the head (head_transform() is applied by draw_head).
void draw_eyes(cairo_t* cr, const Pose& pose);
void draw_brows(cairo_t* cr, const Pose& pose);
void draw_mouth(cairo_t* cr, const Pose& pose);

/// Moves the context to where the head is.
void head_transform(cairo_t* cr, const Pose& pose);

/// How far a feature shifts when the head turns; the nearer to the viewer, the more.
inline double parallax(const Pose& pose, double depth) {
    return pose.turn * depth;
}

}  // namespace ringcast::producers
