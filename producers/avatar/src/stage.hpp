// SPDX-License-Identifier: Apache-2.0
/// What does not move, drawn once, and the presenter's body. Coordinates as in pen.hpp.
#pragma once

#include "motion.hpp"
#include "pen.hpp"

namespace ringcast::producers {

/// The room, for a picture of `aspect` = width / height.
void draw_room(cairo_t* cr, double aspect);
/// Neck, shoulders and clothes.
void draw_body(cairo_t* cr, const Pose& pose);

}  // namespace ringcast::producers
