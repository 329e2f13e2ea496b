// SPDX-License-Identifier: Apache-2.0
/// The moving background of the test picture: an evening sky over a tiled floor that recedes to the horizon.
#pragma once

#include <cstdint>
#include <vector>

#include "canvas.hpp"

namespace ringcast::producers {

/// Drawn once, twice as wide as the frame, and copied line by line from an offset that each line has of its own: the
/// floor moves in true perspective for the price of a memcpy.
class Scenery {
public:
    explicit Scenery(const VideoFormat& format);
    /// Fills the frame from line `begin` (rounded down to even) to the bottom.
    void draw(std::uint64_t frame, Canvas& canvas, std::uint32_t begin) const;

    [[nodiscard]] std::uint32_t horizon() const { return horizon_; }

private:
    struct LinePair {
        double pixels_per_frame = 0;
        std::uint32_t period = 2;  ///< even; the line repeats itself after so many pixels
    };
    void plan_lines();
    void paint();
    [[nodiscard]] std::uint32_t colour_at(std::uint32_t x, std::uint32_t y) const;
    [[nodiscard]] std::uint32_t sky_at(std::uint32_t x, std::uint32_t y) const;
    [[nodiscard]] std::uint32_t floor_at(std::uint32_t x, std::uint32_t y) const;
    [[nodiscard]] std::uint32_t bars_at(std::uint32_t x) const;

    std::uint32_t width_;  ///< of the frame, made even
    std::uint32_t height_;
    std::uint32_t horizon_;
    std::uint32_t bars_;  ///< first line of the colour bars
    std::vector<LinePair> lines_;
    layout::Caps wide_{};
    std::vector<std::byte> bytes_;
};

}  // namespace ringcast::producers
