// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "face.hpp"

namespace ringcast::producers {

using namespace palette;

namespace {

/// Measures of one mouth; y grows downwards from the line where the lips meet.
struct Lips {
    double half;      ///< from the middle to a corner
    double corner;    ///< height of the corners; negative: a smile
    double gap_up;    ///< inner edge of the upper lip
    double gap_down;  ///< inner edge of the lower lip
    double upper;     ///< thickness
    double lower;
};

Lips lips_of(const MouthShape& mouth) {
    const double open = mouth.open;
    const double round = mouth.round;
    Lips lips{};
    lips.half = 53 + 10 * mouth.wide - 17 * round - 4 * open * (1 - mouth.wide);
    lips.corner = -12 * (1 - 0.7 * open) * (1 - round) - 2 * mouth.wide;
    lips.gap_up = -7 * open - 3.5 * mouth.teeth - 3 * round * open;
    lips.gap_down = 46 * open + 5 * mouth.teeth + 4 * round * open;
    lips.upper = 13 + 3 * round - 2.5 * mouth.wide;
    lips.lower = 16 + 4 * round - 2 * mouth.wide;
    return lips;
}

void outer_path(cairo_t* cr, const Lips& l) {
    const double top = l.gap_up - l.upper;
    const double bottom = l.gap_down + l.lower;
    cairo_new_path(cr);
    cairo_move_to(cr, -l.half, l.corner);
    cairo_curve_to(cr, -l.half * 0.62, l.corner + (top - l.corner) * 0.55, -l.half * 0.42, top - 1, -l.half * 0.22,
                   top - 1);
    cairo_curve_to(cr, -l.half * 0.12, top - 1, -l.half * 0.08, top + 4, 0, top + 4);
    cairo_curve_to(cr, l.half * 0.08, top + 4, l.half * 0.12, top - 1, l.half * 0.22, top - 1);
    cairo_curve_to(cr, l.half * 0.42, top - 1, l.half * 0.62, l.corner + (top - l.corner) * 0.55, l.half, l.corner);
    cairo_curve_to(cr, l.half * 0.78, l.corner + (bottom - l.corner) * 0.72, l.half * 0.42, bottom, 0, bottom);
    cairo_curve_to(cr, -l.half * 0.42, bottom, -l.half * 0.78, l.corner + (bottom - l.corner) * 0.72, -l.half,
                   l.corner);
    cairo_close_path(cr);
}

void inner_path(cairo_t* cr, const Lips& l) {
    const double half = l.half - 7;
    const double up = l.gap_up * 1.15;
    const double down = l.gap_down * 1.12;
    cairo_new_path(cr);
    cairo_move_to(cr, -half, l.corner + 1);
    cairo_curve_to(cr, -half * 0.55, up + 1, -half * 0.25, up, 0, up + 1.5);
    cairo_curve_to(cr, half * 0.25, up, half * 0.55, up + 1, half, l.corner + 1);
    cairo_curve_to(cr, half * 0.72, down * 0.92, half * 0.36, down + 1, 0, down + 1);
    cairo_curve_to(cr, -half * 0.36, down + 1, -half * 0.72, down * 0.92, -half, l.corner + 1);
    cairo_close_path(cr);
}

void draw_inside(cairo_t* cr, const Lips& l, const MouthShape& mouth) {
    const Saved saved(cr);
    inner_path(cr, l);
    set_linear(cr, {0, l.gap_up}, {0, l.gap_down + 1}, {{0, {0.20, 0.03, 0.05}}, {1, kMouthInside}});
    cairo_fill_preserve(cr);
    cairo_clip(cr);
    if (mouth.open > 0.12) {
        const double y = l.gap_down + 12 - 14 * mouth.open;
        ellipse(cr, {0, y}, l.half * 0.55, 8 + 12 * mouth.open);
        fill(cr, kTongue);
        glow(cr, {0, y - 3}, l.half * 0.34, 7, {1, 0.75, 0.72, 0.5});
    }
    // Upper teeth hang a little below the lip; for "s" the lower ones meet them.
    const double edge = l.gap_up + 4 + 6 * std::min(1.0F, mouth.open * 2) + 6 * mouth.teeth;
    const double half = l.half * 0.68;
    cairo_new_path(cr);
    cairo_move_to(cr, -half, l.gap_up - 12);
    cairo_line_to(cr, half, l.gap_up - 12);
    cairo_curve_to(cr, half, edge - 2, half * 0.6, edge + 1, 0, edge + 1);
    cairo_curve_to(cr, -half * 0.6, edge + 1, -half, edge - 2, -half, l.gap_up - 12);
    fill(cr, kTeeth);
    if (mouth.teeth > 0.35) {
        ellipse(cr, {0, l.gap_down + 4}, half * 0.85, 5 + 4 * mouth.teeth);
        fill(cr, with_alpha(kTeeth, 0.9));
    }
    glow(cr, {0, l.gap_up}, l.half, 7, {0.25, 0.03, 0.05, 0.45});  // the upper lip's shadow
}

}  // namespace

void draw_mouth(cairo_t* cr, const Pose& pose) {
    const Saved saved(cr);
    cairo_translate(cr, parallax(pose, 15), 64 + 2 * pose.nod);
    const Lips lips = lips_of(pose.mouth);
    glow(cr, {0, lips.gap_down + lips.lower + 9}, 40, 10, with_alpha(kSkinDeep, 0.42));
    outer_path(cr, lips);
    set_linear(cr, {0, lips.gap_up - lips.upper}, {0, lips.gap_down + lips.lower},
               {{0, kLip}, {0.45, {0.72, 0.28, 0.30}}, {0.6, kLip}, {0.85, kLipLight}, {1, kLip}});
    cairo_fill(cr);
    glow(cr, {-6, lips.gap_down + lips.lower * 0.52}, lips.half * 0.42, 4, {1, 0.86, 0.84, 0.55});
    if (lips.gap_down - lips.gap_up > 1.2) draw_inside(cr, lips, pose.mouth);
    // Where closed lips meet, and the corners' dimples.
    const double shut = 1 - std::min(1.0F, (pose.mouth.open + pose.mouth.teeth) * 4);
    if (shut > 0) {
        const double half = lips.half - 2;
        brush(cr, {-half, lips.corner}, {-half * 0.4, 4}, {half * 0.4, 4}, {half, lips.corner}, 4,
              {0.45, 0.13, 0.15, 0.85 * shut});
    }
    for (const double side : {-1.0, 1.0}) {
        glow(cr, {side * (lips.half + 3), lips.corner + 1}, 8, 8, with_alpha(kSkinDeep, 0.5));
    }
}

}  // namespace ringcast::producers
