// SPDX-License-Identifier: Apache-2.0
#include "scenery.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace ringcast::producers {
namespace {

struct Colour {
    double r, g, b;  // 0..1
};

Colour mix(const Colour& a, const Colour& b, double t) {
    return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}

std::uint32_t pack(const Colour& c) {
    const auto byte = [](double v) { return static_cast<std::uint32_t>(std::lrint(std::clamp(v, 0.0, 1.0) * 255)); };
    return 0xFF000000U | byte(c.r) << 16 | byte(c.g) << 8 | byte(c.b);
}

double smooth(double edge0, double edge1, double x) {
    const double t = std::clamp((x - edge0) / (edge1 - edge0), 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

double lattice(std::uint32_t x, std::uint32_t y) {
    std::uint32_t h = x * 0x9E3779B1U ^ y * 0x85EBCA77U;
    h = (h ^ h >> 15) * 0xC2B2AE3DU;
    return static_cast<double>((h ^ h >> 13) & 0xFFFF) / 65535.0;
}

/// Value noise that repeats after `period` cells in x.
double noise(double x, double y, std::uint32_t period) {
    const auto cell_x = static_cast<std::uint32_t>(x);
    const auto cell_y = static_cast<std::uint32_t>(y);
    const double tx = smooth(0, 1, x - cell_x);
    const double ty = smooth(0, 1, y - cell_y);
    const auto value = [&](std::uint32_t dx, std::uint32_t dy) { return lattice((cell_x + dx) % period, cell_y + dy); };
    return std::lerp(std::lerp(value(0, 0), value(1, 0), tx), std::lerp(value(0, 1), value(1, 1), tx), ty);
}

double clouds(double x, double y) {
    double sum = 0;
    double weight = 0.5;
    std::uint32_t cells = 6;
    for (int octave = 0; octave < 5; ++octave, cells *= 2, weight /= 2) {
        sum += weight * noise(x * cells, y * cells * 1.6, cells);
    }
    return sum;
}

constexpr Colour kZenith{0.07, 0.09, 0.25};
constexpr Colour kDusk{0.45, 0.27, 0.50};
constexpr Colour kGlow{0.99, 0.66, 0.42};
constexpr Colour kCloud{0.98, 0.78, 0.72};
constexpr Colour kHaze{0.55, 0.38, 0.47};
constexpr Colour kTileDark{0.09, 0.12, 0.24};
constexpr Colour kTileLight{0.30, 0.52, 0.60};

}  // namespace

Scenery::Scenery(const VideoFormat& format)
    : width_((format.width + 1) & ~1U),
      height_(format.height),
      horizon_(format.height * 62 / 100 & ~1U),
      bars_((format.height - format.height / 16) & ~1U) {
    VideoFormat even = format;
    even.width = width_;
    wide_ = make_caps(even);
    wide_.width *= 2;
    for (std::uint32_t plane = 0; plane < wide_.plane_count; ++plane) {
        wide_.stride[plane] *= 2;
        wide_.plane_offset[plane] *= 2;
    }
    bytes_.resize(frame_bytes(make_caps(even)) * 2);
    plan_lines();
    paint();
}

void Scenery::plan_lines() {
    lines_.resize((height_ + 1) / 2);
    for (std::uint32_t pair = 0; pair < lines_.size(); ++pair) {
        LinePair& line = lines_[pair];
        const std::uint32_t y = pair * 2;
        if (y < horizon_) {
            line = {std::max(1.0, width_ / 900.0), width_};
        } else if (y < bars_) {
            // A tile's side grows with the distance below the horizon; so does its speed.
            const double side = width_ * 0.02 + (y - horizon_) * 0.9;
            line.period = std::clamp(static_cast<std::uint32_t>(side) * 2, 2U, width_);
            line.pixels_per_frame = line.period / 40.0;
        }
    }
}

std::uint32_t Scenery::sky_at(std::uint32_t x, std::uint32_t y) const {
    const double down = static_cast<double>(y) / std::max(1U, horizon_);
    Colour colour = down < 0.55 ? mix(kZenith, kDusk, down / 0.55) : mix(kDusk, kGlow, smooth(0.55, 1.05, down));
    const double across = static_cast<double>(x % width_) / width_;
    const double cloud = smooth(0.48, 0.78, clouds(across, down * 0.9));
    colour = mix(colour, kCloud, cloud * (0.25 + 0.5 * down));
    return pack(colour);
}

std::uint32_t Scenery::floor_at(std::uint32_t x, std::uint32_t y) const {
    const LinePair& line = lines_[y / 2];
    // Depth grows as 1/distance below the horizon; rows of tiles follow depth, columns the line's own period.
    const double depth = static_cast<double>(height_) / (y - horizon_ + height_ * 0.03);
    const bool odd_row = static_cast<int>(depth * 2.2) % 2 == 1;
    const bool odd_column = x % line.period >= line.period / 2;
    const double far = smooth(4, 16, depth);
    const double grain = 0.05 * (lattice(x % line.period, y) - 0.5);
    const Colour tile = odd_row == odd_column ? kTileDark : kTileLight;
    const Colour lit{tile.r + grain, tile.g + grain, tile.b + grain};
    return pack(mix(lit, kHaze, far));
}

std::uint32_t Scenery::bars_at(std::uint32_t x) const {
    // 75 % bars: white, yellow, cyan, green, magenta, red, blue, and black.
    constexpr std::uint32_t kBars[] = {0xFFBFBFBF, 0xFFBFBF00, 0xFF00BFBF, 0xFF00BF00,
                                       0xFFBF00BF, 0xFFBF0000, 0xFF0000BF, 0xFF101010};
    return kBars[std::min<std::uint64_t>(std::uint64_t{x % width_} * 8 / width_, 7)];
}

std::uint32_t Scenery::colour_at(std::uint32_t x, std::uint32_t y) const {
    if (y >= bars_) return bars_at(x);
    return y < horizon_ ? sky_at(x, y) : floor_at(x, y);
}

void Scenery::paint() {
    Canvas canvas(wide_, bytes_);
    Tile pair(static_cast<int>(width_ * 2), 2);
    for (std::uint32_t y = 0; y < height_; y += 2) {
        for (std::uint32_t row = 0; row < 2; ++row) {
            std::uint32_t* out = pair.pixels.data() + std::size_t{row} * width_ * 2;
            const std::uint32_t line = std::min(y + row, height_ - 1);
            for (std::uint32_t x = 0; x < width_; ++x)
                out[x] = colour_at(x, line);
            // The second half continues the line's own period, which need not divide the width.
            const std::uint32_t period = lines_[line / 2].period;
            for (std::uint32_t x = width_; x < width_ * 2; ++x) {
                out[x] = line >= horizon_ && line < bars_ ? out[x - period] : out[x - width_];
            }
        }
        canvas.blend(pair, 0, static_cast<int>(y));
    }
}

void Scenery::draw(std::uint64_t frame, Canvas& canvas, std::uint32_t begin) const {
    const Canvas source(wide_, {const_cast<std::byte*>(bytes_.data()), bytes_.size()});
    for (std::uint32_t y = begin & ~1U; y < height_; y += 2) {
        const LinePair& line = lines_[y / 2];
        // Each line starts so that all of them meet in one vanishing point, at the middle of the frame.
        const double centre = line.period - std::fmod(width_ / 2.0, line.period);
        const double shift = std::fmod(centre + static_cast<double>(frame) * line.pixels_per_frame, line.period);
        canvas.copy_line_pair(source, y, static_cast<std::uint32_t>(shift) & ~1U);
    }
}

}  // namespace ringcast::producers
