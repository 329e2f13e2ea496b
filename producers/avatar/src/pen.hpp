// SPDX-License-Identifier: Apache-2.0
/// Small words over cairo for the drawing of the avatar. Units: a thousandth of the picture's height, (0, 0) between
/// the presenter's eyes and mouth.
#pragma once

#include <initializer_list>

#include "ringcast/producers/cairo_handles.hpp"

namespace ringcast::producers {

struct Colour {
    double r, g, b, a = 1;
};

constexpr Colour with_alpha(Colour colour, double alpha) {
    return {colour.r, colour.g, colour.b, alpha};
}
Colour hex(unsigned rgb, double alpha = 1);

struct Point {
    double x, y;
};
struct Stop {
    double at;
    Colour colour;
};

/// Saves the state of a context and restores it at the end of the scope.
class Saved {
public:
    explicit Saved(cairo_t* cr) : cr_(cr) { cairo_save(cr_); }
    ~Saved() { cairo_restore(cr_); }
    Saved(const Saved&) = delete;
    Saved& operator=(const Saved&) = delete;

private:
    cairo_t* cr_;
};

void set_colour(cairo_t* cr, const Colour& colour);
void set_linear(cairo_t* cr, Point from, Point to, std::initializer_list<Stop> stops);
void set_radial(cairo_t* cr, Point centre, double inner, double outer, std::initializer_list<Stop> stops);
void fill(cairo_t* cr, const Colour& colour);
void ellipse(cairo_t* cr, Point centre, double radius_x, double radius_y);

/// A closed shape that is its own mirror image: the path down the right side, from a point on the axis to another one,
/// in Bezier triples; the left side follows.
void mirrored(cairo_t* cr, double axis, Point start, std::initializer_list<Point> beziers);

/// A soft spot of colour that fades to nothing.
void glow(cairo_t* cr, Point centre, double radius_x, double radius_y, const Colour& colour);

/// A stroke along a Bezier that is thick in the middle and thin at both ends.
void brush(cairo_t* cr, Point from, Point control1, Point control2, Point to, double width, const Colour& colour);

namespace palette {
inline constexpr Colour kSkin{0.965, 0.800, 0.690};
inline constexpr Colour kSkinLight{0.992, 0.870, 0.780};
inline constexpr Colour kSkinShade{0.870, 0.640, 0.530};
inline constexpr Colour kSkinDeep{0.760, 0.500, 0.410};
inline constexpr Colour kBlush{0.930, 0.480, 0.440};
inline constexpr Colour kHair{0.225, 0.150, 0.130};
inline constexpr Colour kHairLight{0.480, 0.330, 0.260};
inline constexpr Colour kHairDark{0.130, 0.085, 0.080};
inline constexpr Colour kLip{0.800, 0.345, 0.350};
inline constexpr Colour kLipLight{0.900, 0.500, 0.480};
inline constexpr Colour kMouthInside{0.300, 0.060, 0.080};
inline constexpr Colour kTongue{0.830, 0.400, 0.410};
inline constexpr Colour kTeeth{0.985, 0.975, 0.955};
inline constexpr Colour kIris{0.360, 0.235, 0.150};
inline constexpr Colour kIrisLight{0.640, 0.430, 0.240};
inline constexpr Colour kInk{0.150, 0.095, 0.090};
inline constexpr Colour kJacket{0.115, 0.215, 0.340};
inline constexpr Colour kJacketLight{0.185, 0.315, 0.465};
inline constexpr Colour kJacketDark{0.065, 0.135, 0.230};
inline constexpr Colour kShirt{0.975, 0.975, 0.985};
}  // namespace palette

}  // namespace ringcast::producers
