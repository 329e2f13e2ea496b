// SPDX-License-Identifier: Apache-2.0
/// The clock of the test picture: time, frame number and a hand that goes round once a second.
#pragma once

#include <cstdint>
#include <string>

#include "canvas.hpp"
#include "ringcast/producers/cairo_handles.hpp"

namespace ringcast::producers {

class Dial {
public:
    Dial(int size, Rational fps);
    /// The tile stays the dial's and is redrawn by the next call.
    const Tile& draw(std::uint64_t frame);

private:
    Tile make_face() const;

    int size_;
    Rational fps_;
    Tile face_;
    Tile tile_;
    SurfacePtr surface_;
    ContextPtr context_;
};

/// One line of white text on a dark rounded plate.
Tile make_label(const std::string& text, int height);
/// A lit ball, and the shadow it throws.
Tile make_ball(int size, double red, double green, double blue);
Tile make_shadow(int width, int height);

}  // namespace ringcast::producers
