// SPDX-License-Identifier: Apache-2.0
#include "face.hpp"

namespace ringcast::producers {

using namespace palette;

void head_transform(cairo_t* cr, const Pose& pose) {
    // The head turns about the top of the neck.
    constexpr double kPivot = 120;
    cairo_translate(cr, pose.shift_x, pose.shift_y + 4 * pose.nod + kPivot);
    cairo_rotate(cr, pose.tilt);
    cairo_translate(cr, 0, -kPivot);
}

namespace {

void draw_ear(cairo_t* cr, double side, const Pose& pose) {
    const double x = side * 143 - parallax(pose, 7);
    ellipse(cr, {x, -42}, 19, 36);
    fill(cr, kSkinShade);
    ellipse(cr, {x + side * 2, -43}, 15, 30);
    fill(cr, kSkin);
    brush(cr, {x + side * 5, -64}, {x + side * 14, -54}, {x + side * 6, -36}, {x, -24}, 5, with_alpha(kSkinDeep, 0.45));
    ellipse(cr, {x + side * 3, -8}, 4.2, 4.2);  // an earring
    fill(cr, {0.96, 0.93, 0.86});
}

void face_path(cairo_t* cr, double jaw) {
    mirrored(cr, 0, {0, -262},
             {{96, -262},
              {146, -196},
              {146, -104},
              {146, -44},
              {138, 12},
              {112, 62 + 0.4 * jaw},
              {84, 112 + 0.8 * jaw},
              {42, 138 + jaw},
              {0, 138 + jaw}});
}

void draw_skin(cairo_t* cr, const Pose& pose) {
    const double jaw = 16 * pose.mouth.open;
    face_path(cr, jaw);
    set_radial(cr, {-26 + parallax(pose, 20), -96}, 20, 300,
               {{0, kSkinLight}, {0.45, kSkin}, {0.80, kSkin}, {1, kSkinShade}});
    cairo_fill_preserve(cr);
    {
        const Saved saved(cr);
        cairo_clip(cr);
        glow(cr, {0, 150 + jaw}, 120, 44, with_alpha(kSkinDeep, 0.30));  // under the lip, to the chin's edge
        glow(cr, {152 - parallax(pose, 6), 20}, 60, 150, with_alpha(kSkinDeep, 0.32));
        glow(cr, {-158 - parallax(pose, 6), 20}, 46, 150, with_alpha(kSkinDeep, 0.20));
        glow(cr, {0, -235}, 170, 90, with_alpha(kSkinDeep, 0.42));  // what the fringe throws
        const double cheek = 1 + 0.1 * pose.mouth.wide;
        glow(cr, {-84 + parallax(pose, 12), 18}, 48 * cheek, 34, with_alpha(kBlush, 0.30));
        glow(cr, {84 + parallax(pose, 12), 18}, 48 * cheek, 34, with_alpha(kBlush, 0.30));
        glow(cr, {parallax(pose, 16), 112 + jaw}, 30, 18, with_alpha(kSkinLight, 0.55));
    }
}

void draw_nose(cairo_t* cr, const Pose& pose) {
    const double x = parallax(pose, 20);
    glow(cr, {x, 6}, 30, 15, with_alpha(kSkinDeep, 0.34));
    glow(cr, {x - 2, -10}, 15, 24, with_alpha({1, 0.93, 0.87}, 0.75));
    brush(cr, {x - 19, -4}, {x - 26, 8}, {x - 18, 13}, {x - 10, 9}, 4, with_alpha(kSkinDeep, 0.65));
    brush(cr, {x + 19, -4}, {x + 26, 8}, {x + 18, 13}, {x + 10, 9}, 4, with_alpha(kSkinDeep, 0.65));
    brush(cr, {x - 11, 9}, {x - 5, 15}, {x + 5, 15}, {x + 11, 9}, 4.5, with_alpha(kSkinDeep, 0.75));
    brush(cr, {x + 14, -66}, {x + 10, -46}, {x + 12, -28}, {x + 15, -12}, 7, with_alpha(kSkinShade, 0.35));
}

/// A lock of hair as light as `colour`, inside the current clip.
void strand(cairo_t* cr, Point from, Point c1, Point c2, Point to, double width, const Colour& colour) {
    brush(cr, from, c1, c2, to, width, colour);
}

void draw_fringe(cairo_t* cr, const Pose& pose) {
    const Saved saved(cr);
    cairo_translate(cr, parallax(pose, 5), 0);
    // One shape: over the crown, down both temples, with a side parting swept across the forehead.
    cairo_new_path(cr);
    cairo_move_to(cr, -170, 36);
    cairo_curve_to(cr, -190, -90, -186, -206, -112, -276);
    cairo_curve_to(cr, -50, -328, 66, -326, 122, -270);
    cairo_curve_to(cr, 186, -206, 190, -90, 170, 36);
    cairo_curve_to(cr, 164, 0, 154, -40, 144, -92);
    cairo_curve_to(cr, 130, -150, 92, -196, 44, -214);
    cairo_curve_to(cr, 10, -168, -70, -150, -112, -140);
    cairo_curve_to(cr, -138, -120, -150, -60, -170, 36);
    cairo_close_path(cr);
    set_linear(cr, {-120, -310}, {120, 20},
               {{0, kHairLight}, {0.22, kHair}, {0.45, kHairDark}, {0.62, kHair}, {1, kHairDark}});
    cairo_fill_preserve(cr);
    cairo_clip(cr);
    strand(cr, {40, -222}, {-20, -190}, {-90, -170}, {-160, -60}, 16, with_alpha(kHairLight, 0.35));
    strand(cr, {30, -240}, {-40, -226}, {-130, -190}, {-172, -40}, 12, with_alpha(kHairLight, 0.30));
    strand(cr, {20, -270}, {-70, -268}, {-160, -200}, {-184, -40}, 12, with_alpha(kHairDark, 0.5));
    strand(cr, {50, -232}, {110, -214}, {150, -150}, {170, -10}, 14, with_alpha(kHairLight, 0.30));
    strand(cr, {60, -262}, {130, -240}, {180, -150}, {184, -20}, 12, with_alpha(kHairDark, 0.5));
    strand(cr, {-90, -286}, {-40, -312}, {50, -312}, {100, -282}, 20, with_alpha(kHairLight, 0.30));
    strand(cr, {44, -216}, {40, -240}, {34, -262}, {24, -292}, 3, with_alpha(kHairDark, 0.8));
}

}  // namespace

void draw_hair_behind(cairo_t* cr, const Pose& pose) {
    const Saved saved(cr);
    head_transform(cr, pose);
    cairo_translate(cr, -parallax(pose, 6), 0);
    // A bob that ends above the shoulders and swings less than the head.
    const double lag = -40 * pose.tilt;
    cairo_new_path(cr);
    cairo_move_to(cr, 0, -312);
    cairo_curve_to(cr, 130, -312, 190, -220, 190, -100);
    cairo_curve_to(cr, 190, 0, 206, 80, 190 + lag, 168);
    cairo_curve_to(cr, 182 + lag, 196, 120 + lag, 202, 92 + lag, 190);
    cairo_line_to(cr, -92 + lag, 190);
    cairo_curve_to(cr, -120 + lag, 202, -182 + lag, 196, -190 + lag, 168);
    cairo_curve_to(cr, -206, 80, -190, 0, -190, -100);
    cairo_curve_to(cr, -190, -220, -130, -312, 0, -312);
    cairo_close_path(cr);
    set_linear(cr, {0, -300}, {0, 200}, {{0, kHair}, {0.6, kHairDark}, {1, kHair}});
    cairo_fill_preserve(cr);
    cairo_clip(cr);
    for (const double side : {-1.0, 1.0}) {
        strand(cr, {side * 168, -120}, {side * 186, -10}, {side * 186, 80}, {side * 166 + lag, 190}, 18,
               with_alpha(kHairLight, 0.28));
        strand(cr, {side * 150, -60}, {side * 162, 20}, {side * 160, 90}, {side * 138 + lag, 192}, 12,
               with_alpha(kHairLight, 0.20));
    }
}

void draw_head(cairo_t* cr, const Pose& pose) {
    const Saved saved(cr);
    head_transform(cr, pose);
    for (const double side : {-1.0, 1.0})
        draw_ear(cr, side, pose);
    draw_skin(cr, pose);
    draw_mouth(cr, pose);
    draw_nose(cr, pose);
    draw_eyes(cr, pose);
    draw_fringe(cr, pose);
    draw_brows(cr, pose);
}

}  // namespace ringcast::producers
