// SPDX-License-Identifier: Apache-2.0
#include "picture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "dial.hpp"
#include "marks.hpp"
#include "ringcast/error.hpp"

namespace ringcast::producers {
namespace {

int portion(const VideoFormat& format, double of_short_side) {
    return std::max(2, static_cast<int>(std::min(format.width, format.height) * of_short_side));
}

const VideoFormat& checked(const VideoFormat& format) {
    if (format.width >= marks::kCells && marks::strip_lines(format.height) >= 1) return format;
    throw Error(ErrorCode::invalid_argument, "size " + std::to_string(format.width) + "x" +
                                                 std::to_string(format.height) +
                                                 ": the sync marks need at least 32x18 pixels");
}

/// 0..1..0 with period 2.
double there_and_back(double t) {
    return std::abs(std::remainder(t, 2.0));
}

}  // namespace

Picture::Picture(const VideoFormat& format, const std::string& label)
    : format_(checked(format)),
      caps_(make_caps(format)),
      scenery_(format),
      dial_(std::make_unique<Dial>(portion(format, 0.5), format.fps)),
      shadow_(make_shadow(portion(format, 0.16), portion(format, 0.035))),
      label_(make_label(label, portion(format, 0.05))) {
    const int size = portion(format, 0.14);
    balls_.push_back({make_ball(size, 0.95, 0.30, 0.25), 0.23, 0.9, 0.1});
    balls_.push_back({make_ball(size, 0.25, 0.75, 0.45), 0.31, 1.1, 0.8});
    balls_.push_back({make_ball(size, 0.30, 0.50, 0.98), 0.17, 0.7, 1.5});
}

Picture::~Picture() = default;

void Picture::draw(std::uint64_t frame, std::span<std::byte> pixels) {
    Canvas canvas(caps_, pixels);
    const std::uint32_t strip = marks::strip_lines(format_.height);
    scenery_.draw(frame, canvas, strip);
    const Tile& dial = dial_->draw(frame);
    const int width = static_cast<int>(format_.width);
    const int top = static_cast<int>(strip);
    canvas.blend(dial, (width - dial.width) / 2, (static_cast<int>(scenery_.horizon()) + top - dial.height) / 2);
    canvas.blend(label_, (width - label_.width) / 2, static_cast<int>(format_.height * 0.86));
    const double seconds = static_cast<double>(count_to_ns(frame, format_.fps)) / 1e9;
    for (const Ball& ball : balls_)
        draw_ball(ball, seconds, canvas);
    // Last: whatever else reaches up here, the marks stay pure.
    draw_strip(frame, canvas);
}

void Picture::draw_strip(std::uint64_t frame, Canvas& canvas) const {
    const std::uint32_t cells = marks::cells_of(frame, format_.fps);
    const std::uint32_t lines = marks::strip_lines(format_.height);
    for (unsigned cell = 0; cell < marks::kCells; ++cell) {
        const std::uint32_t begin = marks::cell_begin(cell, format_.width);
        const std::uint32_t end = marks::cell_begin(cell + 1, format_.width);
        canvas.fill(begin, 0, end - begin, lines, (cells >> (marks::kCells - 1 - cell) & 1) != 0);
    }
}

void Picture::draw_ball(const Ball& ball, double seconds, Canvas& canvas) const {
    const double room = static_cast<double>(format_.width) - ball.sprite.width;
    const double x = room * there_and_back(ball.phase + seconds * ball.across_per_second);
    const double ground = format_.height * (0.80 + 0.06 * ball.phase);
    const double height =
        format_.height * 0.45 * std::abs(std::sin(std::numbers::pi * (seconds * ball.bounces_per_second + ball.phase)));
    canvas.blend(shadow_, static_cast<int>(x) + (ball.sprite.width - shadow_.width) / 2,
                 static_cast<int>(ground) - shadow_.height / 2);
    canvas.blend(ball.sprite, static_cast<int>(x), static_cast<int>(ground - height) - ball.sprite.height);
}

}  // namespace ringcast::producers
