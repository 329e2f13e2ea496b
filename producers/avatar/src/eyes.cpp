// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "face.hpp"

namespace ringcast::producers {

using namespace palette;

namespace {

constexpr double kEyeX = 66;
constexpr double kEyeY = -62;
constexpr double kHalfWidth = 38;

/// Heights of the lids' curves; a closed eye has both on the lower line.
struct Lids {
    double upper;
    double lower;
};

Lids lids_of(const Pose& pose) {
    const double open = 1 - pose.eyes_shut;
    // Lids follow the gaze, and cheeks push the lower one up a little in a wide mouth.
    const double upper = -33 - 3 * pose.brows + 5 * std::max(0.0, pose.gaze_y);
    const double lower = 18 - 2.5 * pose.mouth.wide;
    const double shut_line = 10;
    return {shut_line + (upper - shut_line) * open, shut_line + (lower - shut_line) * (0.55 + 0.45 * open)};
}

void opening(cairo_t* cr, double side, const Lids& lids) {
    // The outer corner sits a little higher than the inner one.
    const Point inner{-side * kHalfWidth, 4};
    const Point outer{side * kHalfWidth, -2};
    cairo_new_path(cr);
    cairo_move_to(cr, inner.x, inner.y);
    cairo_curve_to(cr, -side * 20, lids.upper, side * 20, lids.upper - 2, outer.x, outer.y);
    cairo_curve_to(cr, side * 22, lids.lower, -side * 18, lids.lower + 1, inner.x, inner.y);
    cairo_close_path(cr);
}

void draw_iris(cairo_t* cr, const Pose& pose) {
    const double x = 10 * pose.gaze_x + parallax(pose, 3);
    const double y = -5 + 6 * pose.gaze_y;
    ellipse(cr, {x, y}, 19.5, 19.5);
    set_radial(cr, {x, y + 5}, 2, 20, {{0, kIrisLight}, {0.65, kIris}, {0.88, kIris}, {1, kInk}});
    cairo_fill(cr);
    ellipse(cr, {x, y}, 8.6, 8.6);
    fill(cr, {0.05, 0.03, 0.03});
    ellipse(cr, {x - 6.5, y - 7}, 5, 5.6);
    fill(cr, {1, 1, 1, 0.95});
    ellipse(cr, {x + 6.5, y + 7}, 2.6, 2.6);
    fill(cr, {1, 1, 1, 0.55});
}

void draw_lashes(cairo_t* cr, double side, const Lids& lids) {
    // The upper line thickens to the outside and ends in a flick.
    cairo_new_path(cr);
    cairo_move_to(cr, -side * (kHalfWidth + 1), 5);
    cairo_curve_to(cr, -side * 20, lids.upper - 3, side * 20, lids.upper - 6, side * (kHalfWidth + 8), -9);
    cairo_curve_to(cr, side * (kHalfWidth + 2), -4, side * kHalfWidth, -2, side * kHalfWidth, -1);
    cairo_curve_to(cr, side * 20, lids.upper + 1.5, -side * 20, lids.upper + 1, -side * (kHalfWidth + 1), 5);
    cairo_close_path(cr);
    fill(cr, kInk);
    brush(cr, {side * 34, 2}, {side * 22, lids.lower + 1}, {-side * 10, lids.lower + 2}, {-side * 24, 9}, 2.2,
          with_alpha(kSkinDeep, 0.8));
}

void draw_eye(cairo_t* cr, double side, const Pose& pose) {
    const Saved saved(cr);
    cairo_translate(cr, side * kEyeX + parallax(pose, 12), kEyeY + 2 * pose.nod);
    const Lids lids = lids_of(pose);
    glow(cr, {0, -4}, 58, 40, with_alpha(kSkinDeep, 0.22));
    {
        const Saved clipped(cr);
        opening(cr, side, lids);
        set_linear(cr, {0, -20}, {0, 16},
                   {{0, {0.86, 0.84, 0.86}}, {0.4, {0.99, 0.985, 0.98}}, {1, {0.96, 0.94, 0.94}}});
        cairo_fill_preserve(cr);
        cairo_clip(cr);
        draw_iris(cr, pose);
        // The upper lid shades the ball.
        glow(cr, {0, std::min(lids.upper * 0.75, 4.0)}, 44, 12, {0.15, 0.08, 0.08, 0.30});
    }
    if (pose.eyes_shut < 0.7) {
        const double crease = lids.upper * 0.95 - 9;
        brush(cr, {-side * 30, -8}, {-side * 16, crease - 3}, {side * 18, crease - 4}, {side * 38, -12}, 3,
              with_alpha(kSkinDeep, 0.7));
    }
    draw_lashes(cr, side, lids);
}

}  // namespace

void draw_eyes(cairo_t* cr, const Pose& pose) {
    for (const double side : {-1.0, 1.0})
        draw_eye(cr, side, pose);
}

void draw_brows(cairo_t* cr, const Pose& pose) {
    const double up = -9 * pose.brows + 2 * pose.nod + 1.5 * pose.eyes_shut;
    for (const double side : {-1.0, 1.0}) {
        const double x = side * kEyeX + parallax(pose, 11);
        cairo_new_path(cr);
        cairo_move_to(cr, x - side * 36, -107 + up);
        cairo_curve_to(cr, x - side * 14, -122 + up, x + side * 18, -127 + up, x + side * 46, -103 + up * 0.6);
        cairo_curve_to(cr, x + side * 18, -117 + up, x - side * 10, -112 + up, x - side * 34, -99 + up);
        cairo_curve_to(cr, x - side * 38, -98 + up, x - side * 40, -104 + up, x - side * 36, -107 + up);
        cairo_close_path(cr);
        fill(cr, with_alpha(kHair, 0.92));
    }
}

}  // namespace ringcast::producers
