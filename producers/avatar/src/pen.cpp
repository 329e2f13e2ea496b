// SPDX-License-Identifier: Apache-2.0
#include "pen.hpp"

#include <cmath>
#include <numbers>
#include <vector>

namespace ringcast::producers {
namespace {

void add_stops(cairo_pattern_t* pattern, std::initializer_list<Stop> stops) {
    for (const auto& [at, colour] : stops) {
        cairo_pattern_add_color_stop_rgba(pattern, at, colour.r, colour.g, colour.b, colour.a);
    }
}

}  // namespace

Colour hex(unsigned rgb, double alpha) {
    return {(rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0, alpha};
}

void set_colour(cairo_t* cr, const Colour& colour) {
    cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, colour.a);
}

void set_linear(cairo_t* cr, Point from, Point to, std::initializer_list<Stop> stops) {
    const PatternPtr pattern(cairo_pattern_create_linear(from.x, from.y, to.x, to.y));
    add_stops(pattern.get(), stops);
    cairo_set_source(cr, pattern.get());
}

void set_radial(cairo_t* cr, Point centre, double inner, double outer, std::initializer_list<Stop> stops) {
    const PatternPtr pattern(cairo_pattern_create_radial(centre.x, centre.y, inner, centre.x, centre.y, outer));
    add_stops(pattern.get(), stops);
    cairo_set_source(cr, pattern.get());
}

void fill(cairo_t* cr, const Colour& colour) {
    set_colour(cr, colour);
    cairo_fill(cr);
}

void ellipse(cairo_t* cr, Point centre, double radius_x, double radius_y) {
    cairo_new_path(cr);
    if (radius_x <= 0 || radius_y <= 0) return;  // a scale of zero would spoil the context
    const Saved saved(cr);
    cairo_translate(cr, centre.x, centre.y);
    cairo_scale(cr, radius_x, radius_y);
    cairo_arc(cr, 0, 0, 1, 0, 2 * std::numbers::pi);
    cairo_close_path(cr);
}

void mirrored(cairo_t* cr, double axis, Point start, std::initializer_list<Point> beziers) {
    std::vector<Point> points{start};
    points.insert(points.end(), beziers.begin(), beziers.end());
    cairo_new_path(cr);
    cairo_move_to(cr, start.x, start.y);
    for (std::size_t i = 1; i + 2 < points.size(); i += 3) {
        cairo_curve_to(cr, points[i].x, points[i].y, points[i + 1].x, points[i + 1].y, points[i + 2].x,
                       points[i + 2].y);
    }
    const auto other = [axis](const Point& p) { return Point{2 * axis - p.x, p.y}; };
    for (std::size_t i = points.size() - 1; i >= 3; i -= 3) {
        const Point a = other(points[i - 1]);
        const Point b = other(points[i - 2]);
        const Point c = other(points[i - 3]);
        cairo_curve_to(cr, a.x, a.y, b.x, b.y, c.x, c.y);
    }
    cairo_close_path(cr);
}

void glow(cairo_t* cr, Point centre, double radius_x, double radius_y, const Colour& colour) {
    const Saved saved(cr);
    cairo_translate(cr, centre.x, centre.y);
    cairo_scale(cr, 1, radius_y / radius_x);
    set_radial(cr, {0, 0}, 0, radius_x,
               {{0, colour}, {0.5, with_alpha(colour, colour.a * 0.5)}, {1, with_alpha(colour, 0)}});
    cairo_arc(cr, 0, 0, radius_x, 0, 2 * std::numbers::pi);
    cairo_fill(cr);
}

void brush(cairo_t* cr, Point from, Point control1, Point control2, Point to, double width, const Colour& colour) {
    // Out along one side, back along the other: across the chord is near enough for shallow curves.
    const double length = std::hypot(to.x - from.x, to.y - from.y);
    if (length <= 0) return;
    const double nx = -(to.y - from.y) / length * width / 2;
    const double ny = (to.x - from.x) / length * width / 2;
    cairo_new_path(cr);
    cairo_move_to(cr, from.x, from.y);
    cairo_curve_to(cr, control1.x - nx, control1.y - ny, control2.x - nx, control2.y - ny, to.x, to.y);
    cairo_curve_to(cr, control2.x + nx, control2.y + ny, control1.x + nx, control1.y + ny, from.x, from.y);
    cairo_close_path(cr);
    fill(cr, colour);
}

}  // namespace ringcast::producers
