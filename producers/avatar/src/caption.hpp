// SPDX-License-Identifier: Apache-2.0
/// The sentence being said, at the foot of the picture.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ringcast/producers/avatar.hpp"
#include "ringcast/producers/cairo_handles.hpp"

namespace ringcast::producers {

class Caption {
public:
    /// Long sentences are shown in pages of two lines, each for its share of the time.
    Caption(int width, int height, const std::vector<Speech::Sentence>& sentences);
    /// Draws what belongs to this sample of the speech; `cr` has pixel coordinates.
    void draw(cairo_t* cr, std::uint64_t sample);

private:
    struct Page {
        std::uint64_t first = 0;
        std::uint64_t end = 0;
        std::vector<std::string> lines;
    };
    void add_pages(cairo_t* cr, const Speech::Sentence& sentence);
    [[nodiscard]] std::vector<std::string> wrap(cairo_t* cr, const std::string& text) const;
    void render(const Page& page);
    void select_font(cairo_t* cr) const;

    int width_;
    int height_;
    double size_;
    bool chinese_ = false;
    std::vector<Page> pages_;
    std::optional<std::size_t> shown_;
    SurfacePtr plate_;
    int plate_width_ = 0;
    int plate_height_ = 0;
};

}  // namespace ringcast::producers
