// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

#include <algorithm>

namespace ringcast::producers {

using namespace palette;

void draw_room(cairo_t* cr, double aspect) {
    const double half = 560 * aspect;
    set_linear(cr, {-half, -600}, {half, 600}, {{0, hex(0xF4EFE9)}, {0.45, hex(0xDCE6EC)}, {1, hex(0x9DB8C9)}});
    cairo_paint(cr);
    // Lights out of focus: what a fast lens makes of a room at evening.
    struct Spot {
        Point at;
        double radius;
        Colour colour;
    };
    const Spot spots[] = {
        {{-520, -230}, 130, hex(0xFFE3BF, 0.42)}, {{-390, 60}, 84, hex(0xFFFFFF, 0.34)},
        {{-640, 120}, 110, hex(0x9FC4D8, 0.32)},  {{400, -270}, 96, hex(0xFFFFFF, 0.36)},
        {{590, -110}, 140, hex(0xBFE0DC, 0.42)},  {{450, 130}, 76, hex(0xFFD9C2, 0.36)},
        {{-310, -350}, 62, hex(0xBFE0DC, 0.36)},  {{690, 210}, 120, hex(0x8FB3CB, 0.34)},
        {{-760, -380}, 90, hex(0xFFFFFF, 0.30)},
    };
    for (const auto& [at, radius, colour] : spots) {
        ellipse(cr, at, radius, radius);
        set_radial(cr, at, radius * 0.2, radius,
                   {{0, with_alpha(colour, colour.a * 0.7)}, {0.78, colour}, {1, with_alpha(colour, 0)}});
        cairo_fill(cr);
    }
    glow(cr, {0, -80}, std::min(520.0, half), 520, {1, 1, 1, 0.55});
    glow(cr, {0, 620}, half * 1.3, 260, hex(0x4B6D86, 0.45));
}

namespace {

void draw_jacket(cairo_t* cr) {
    mirrored(cr, 0, {0, 214},
             {{60, 214},
              {110, 232},
              {170, 258},
              {270, 296},
              {352, 330},
              {384, 560},
              {388, 600},
              {388, 640},
              {388, 700},
              {260, 700},
              {120, 700},
              {0, 700}});
    set_linear(cr, {-300, 240}, {320, 640}, {{0, kJacketLight}, {0.45, kJacket}, {1, kJacketDark}});
    cairo_fill_preserve(cr);
    const Saved saved(cr);
    cairo_clip(cr);
    glow(cr, {-250, 330}, 150, 60, with_alpha({0.45, 0.62, 0.78}, 0.30));
    brush(cr, {-268, 420}, {-256, 470}, {-262, 520}, {-250, 600}, 10, with_alpha(kJacketDark, 0.8));
    brush(cr, {268, 420}, {256, 470}, {262, 520}, {250, 600}, 10, with_alpha(kJacketDark, 0.9));
}

void draw_shirt(cairo_t* cr) {
    cairo_new_path(cr);
    cairo_move_to(cr, -84, 216);
    cairo_line_to(cr, 84, 216);
    cairo_line_to(cr, 8, 540);
    cairo_line_to(cr, -8, 540);
    cairo_close_path(cr);
    set_linear(cr, {0, 200}, {0, 520}, {{0, {0.84, 0.86, 0.90}}, {0.3, kShirt}, {1, kShirt}});
    cairo_fill(cr);
}

void draw_lapels(cairo_t* cr) {
    for (const double side : {-1.0, 1.0}) {
        cairo_new_path(cr);
        cairo_move_to(cr, side * 92, 214);
        cairo_line_to(cr, side * 160, 288);
        cairo_line_to(cr, side * 128, 336);
        cairo_line_to(cr, side * 146, 366);
        cairo_line_to(cr, side * 2, 560);
        cairo_curve_to(cr, side * 30, 420, side * 62, 310, side * 92, 214);
        cairo_close_path(cr);
        set_linear(cr, {side * 40, 240}, {side * 150, 420}, {{0, kJacketLight}, {1, kJacket}});
        cairo_fill_preserve(cr);
        cairo_set_line_width(cr, 2);
        set_colour(cr, with_alpha(kJacketDark, 0.8));
        cairo_stroke(cr);
        // The shirt's collar lies over the lapel.
        cairo_new_path(cr);
        cairo_move_to(cr, side * 72, 188);
        cairo_curve_to(cr, side * 92, 200, side * 104, 222, side * 112, 250);
        cairo_line_to(cr, side * 62, 316);
        cairo_line_to(cr, 0, 300);
        cairo_curve_to(cr, side * 34, 276, side * 60, 240, side * 72, 188);
        cairo_close_path(cr);
        fill(cr, side < 0 ? Colour{0.99, 0.99, 1.0} : Colour{0.93, 0.94, 0.96});
    }
}

void draw_neck(cairo_t* cr, const Pose& pose) {
    const double lean = 0.5 * pose.shift_x;
    cairo_new_path(cr);
    cairo_move_to(cr, -62 + lean, 60);
    cairo_curve_to(cr, -60, 140, -62, 176, -82, 214);
    cairo_curve_to(cr, -40, 250, -20, 282, 0, 296);
    cairo_curve_to(cr, 20, 282, 40, 250, 82, 214);
    cairo_curve_to(cr, 62, 176, 60, 140, 62 + lean, 60);
    cairo_close_path(cr);
    set_linear(cr, {-70, 0}, {80, 0}, {{0, kSkinShade}, {0.35, kSkin}, {0.7, kSkin}, {1, kSkinShade}});
    cairo_fill_preserve(cr);
    const Saved saved(cr);
    cairo_clip(cr);
    glow(cr, {lean, 138}, 112, 62, with_alpha({0.62, 0.36, 0.30}, 0.80));  // what the chin throws
    brush(cr, {-46, 226}, {-26, 238}, {-14, 250}, {-6, 268}, 4, with_alpha(kSkinDeep, 0.4));
    brush(cr, {46, 226}, {26, 238}, {14, 250}, {6, 268}, 4, with_alpha(kSkinDeep, 0.4));
}

}  // namespace

void draw_body(cairo_t* cr, const Pose& pose) {
    const Saved saved(cr);
    cairo_translate(cr, 0.25 * pose.shift_x, 3.5 * (1 - pose.breath));
    draw_jacket(cr);
    draw_shirt(cr);
    draw_neck(cr, pose);
    draw_lapels(cr);
}

}  // namespace ringcast::producers
