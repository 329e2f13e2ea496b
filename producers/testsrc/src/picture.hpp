// SPDX-License-Identifier: Apache-2.0
/// The test picture: the strip of marks, and below it a scene with a clock that moves enough to make an encoder work.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "canvas.hpp"
#include "scenery.hpp"

namespace ringcast::producers {

class Dial;

class Picture {
public:
    /// `label` is one line of text shown in the picture. Throws Error(invalid_argument) below 32x18, where the marks
    /// have no room.
    Picture(const VideoFormat& format, const std::string& label);
    ~Picture();
    /// Draws every pixel of the frame.
    void draw(std::uint64_t frame, std::span<std::byte> pixels);

private:
    struct Ball {
        Tile sprite;
        double across_per_second;
        double bounces_per_second;
        double phase;
    };
    void draw_strip(std::uint64_t frame, Canvas& canvas) const;
    void draw_ball(const Ball& ball, double seconds, Canvas& canvas) const;

    VideoFormat format_;
    layout::Caps caps_;
    Scenery scenery_;
    std::unique_ptr<Dial> dial_;
    std::vector<Ball> balls_;
    Tile shadow_;
    Tile label_;
};

}  // namespace ringcast::producers
