// SPDX-License-Identifier: Apache-2.0
#include "dial.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <numbers>

namespace ringcast::producers {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

void circle(cairo_t* cr, double x, double y, double radius) {
    cairo_new_path(cr);
    cairo_arc(cr, x, y, radius, 0, kTurn);
}

void centred_text(cairo_t* cr, const char* text, double x, double y, double size) {
    cairo_set_font_size(cr, size);
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text, &extents);
    cairo_move_to(cr, x - extents.x_advance / 2, y);
    cairo_show_text(cr, text);
}

void digits_font(cairo_t* cr) {
    cairo_select_font_face(cr, "DejaVu Sans Mono", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
}

}  // namespace

Dial::Dial(int size, Rational fps)
    : size_(size),
      fps_(fps),
      face_(make_face()),
      tile_(size, size),
      surface_(surface_over(tile_.bytes(), size, size)),
      context_(cairo_create(surface_.get())) {
    digits_font(context_.get());
}

Tile Dial::make_face() const {
    Tile tile(size_, size_);
    const auto surface = surface_over(tile.bytes(), size_, size_);
    const ContextPtr context(cairo_create(surface.get()));
    cairo_t* cr = context.get();
    const double c = size_ / 2.0;
    const double r = c - 1;
    circle(cr, c, c, r);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.92);
    cairo_fill(cr);
    const PatternPtr shade(cairo_pattern_create_radial(c, c * 0.7, r * 0.1, c, c, r));
    cairo_pattern_add_color_stop_rgb(shade.get(), 0, 0.16, 0.19, 0.36);
    cairo_pattern_add_color_stop_rgb(shade.get(), 1, 0.06, 0.07, 0.16);
    circle(cr, c, c, r * 0.965);
    cairo_set_source(cr, shade.get());
    cairo_fill(cr);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.85);
    for (int tick = 0; tick < 60; ++tick) {
        const double angle = kTurn * tick / 60;
        const bool is_long = tick % 5 == 0;
        const double from = r * (is_long ? 0.82 : 0.87);
        cairo_set_line_width(cr, r * (is_long ? 0.022 : 0.008));
        cairo_move_to(cr, c + from * std::sin(angle), c - from * std::cos(angle));
        cairo_line_to(cr, c + r * 0.92 * std::sin(angle), c - r * 0.92 * std::cos(angle));
        cairo_stroke(cr);
    }
    return tile;
}

const Tile& Dial::draw(std::uint64_t frame) {
    cairo_t* cr = context_.get();
    cairo_surface_flush(surface_.get());
    std::copy(face_.pixels.begin(), face_.pixels.end(), tile_.pixels.begin());
    cairo_surface_mark_dirty(surface_.get());

    const double c = size_ / 2.0;
    const double r = c - 1;
    const std::int64_t pts = count_to_ns(frame, fps_);
    const auto second = static_cast<unsigned long long>(pts / 1'000'000'000);
    const double angle = kTurn * static_cast<double>(pts % 1'000'000'000) / 1e9 - kTurn / 4;
    // The arc that fills up during the second, and the dot at its end.
    cairo_set_line_width(cr, r * 0.05);
    cairo_set_source_rgb(cr, 0.99, 0.62, 0.36);
    cairo_new_path(cr);
    cairo_arc(cr, c, c, r * 0.74, -kTurn / 4, angle);
    cairo_stroke(cr);
    circle(cr, c + r * 0.74 * std::cos(angle), c + r * 0.74 * std::sin(angle), r * 0.06);
    cairo_set_source_rgb(cr, 1, 0.95, 0.88);
    cairo_fill(cr);

    char text[48];
    std::snprintf(text, sizeof text, "%02llu:%02llu:%02llu", second / 3600, second / 60 % 60, second % 60);
    cairo_set_source_rgb(cr, 1, 1, 1);
    centred_text(cr, text, c, c - r * 0.02, r * 0.25);
    std::snprintf(text, sizeof text, "%llu", static_cast<unsigned long long>(frame));
    cairo_set_source_rgb(cr, 0.99, 0.78, 0.55);
    centred_text(cr, text, c, c + r * 0.34, r * 0.30);
    cairo_surface_flush(surface_.get());
    return tile_;
}

Tile make_label(const std::string& text, int height) {
    const double size = height * 0.6;
    Tile probe(1, 1);
    const auto select = [&](cairo_t* cr) {
        cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
        cairo_set_font_size(cr, size);
    };
    cairo_text_extents_t extents;
    {
        const auto surface = surface_over(probe.bytes(), 1, 1);
        const ContextPtr context(cairo_create(surface.get()));
        select(context.get());
        cairo_text_extents(context.get(), text.c_str(), &extents);
    }
    Tile tile(std::clamp(static_cast<int>(extents.x_advance) + height, 2, 16384), height);
    const auto surface = surface_over(tile.bytes(), tile.width, tile.height);
    const ContextPtr context(cairo_create(surface.get()));
    cairo_t* cr = context.get();
    const double r = height / 2.0;
    cairo_arc(cr, r, r, r, kTurn / 4, 3 * kTurn / 4);
    cairo_arc(cr, tile.width - r, r, r, -kTurn / 4, kTurn / 4);
    cairo_close_path(cr);
    cairo_set_source_rgba(cr, 0.04, 0.05, 0.12, 0.6);
    cairo_fill(cr);
    select(cr);
    cairo_set_source_rgba(cr, 1, 1, 1, 0.95);
    cairo_move_to(cr, r, height * 0.71);
    cairo_show_text(cr, text.c_str());
    cairo_surface_flush(surface.get());
    return tile;
}

Tile make_ball(int size, double red, double green, double blue) {
    Tile tile(size, size);
    const auto surface = surface_over(tile.bytes(), size, size);
    const ContextPtr context(cairo_create(surface.get()));
    const double c = size / 2.0;
    const PatternPtr light(cairo_pattern_create_radial(c * 0.68, c * 0.6, c * 0.05, c, c, c));
    cairo_pattern_add_color_stop_rgb(light.get(), 0, 1, 1, 1);
    cairo_pattern_add_color_stop_rgb(light.get(), 0.28, red, green, blue);
    cairo_pattern_add_color_stop_rgb(light.get(), 1, red * 0.22, green * 0.22, blue * 0.28);
    circle(context.get(), c, c, c - 0.5);
    cairo_set_source(context.get(), light.get());
    cairo_fill(context.get());
    cairo_surface_flush(surface.get());
    return tile;
}

Tile make_shadow(int width, int height) {
    Tile tile(width, height);
    const auto surface = surface_over(tile.bytes(), width, height);
    const ContextPtr context(cairo_create(surface.get()));
    cairo_t* cr = context.get();
    cairo_scale(cr, width / 2.0, height / 2.0);
    const PatternPtr soft(cairo_pattern_create_radial(1, 1, 0, 1, 1, 1));
    cairo_pattern_add_color_stop_rgba(soft.get(), 0, 0, 0, 0.05, 0.6);
    cairo_pattern_add_color_stop_rgba(soft.get(), 1, 0, 0, 0.05, 0);
    cairo_set_source(cr, soft.get());
    cairo_paint(cr);
    cairo_surface_flush(surface.get());
    return tile;
}

}  // namespace ringcast::producers
