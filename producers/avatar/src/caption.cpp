// SPDX-License-Identifier: Apache-2.0
#include "caption.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "words.hpp"

namespace ringcast::producers {
namespace {

constexpr std::size_t kLinesPerPage = 2;

double text_width(cairo_t* cr, const std::string& text) {
    cairo_text_extents_t extents;
    cairo_text_extents(cr, text.c_str(), &extents);
    return extents.x_advance;
}

/// Marks that must not begin a line.
bool clings(char32_t code) {
    return code == 0x3002 || code == 0xFF0C || code == 0x3001 || code == 0xFF01 || code == 0xFF1F || code == 0xFF1B ||
           code == 0xFF1A || code == 0x201D || code == 0x2019 || code == 0x300D || code == 0xFF09;
}

/// Pieces a line may be broken between: words with the space after them, and single ideographs.
std::vector<std::string> breakable_pieces(const std::string& text) {
    bool ok = true;
    std::vector<std::string> pieces;
    bool may_break = true;
    for (const char32_t code : decode_utf8(text, ok)) {
        if (pieces.empty() || ((may_break || is_chinese(code)) && !clings(code) && code != ' ')) pieces.emplace_back();
        pieces.back() += encode_utf8(code);
        may_break = code == ' ' || is_chinese(code) || clings(code);
    }
    return pieces;
}

std::string trimmed(std::string text) {
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

void rounded_plate(cairo_t* cr, double width, double height, double radius) {
    const double turn = std::numbers::pi / 2;
    cairo_new_path(cr);
    cairo_arc(cr, width - radius, radius, radius, -turn, 0);
    cairo_arc(cr, width - radius, height - radius, radius, 0, turn);
    cairo_arc(cr, radius, height - radius, radius, turn, 2 * turn);
    cairo_arc(cr, radius, radius, radius, 2 * turn, 3 * turn);
    cairo_close_path(cr);
}

}  // namespace

Caption::Caption(int width, int height, const std::vector<Speech::Sentence>& sentences)
    : width_(width), height_(height), size_(std::max(6.0, std::min(height * 0.042, width * 0.045))) {
    chinese_ = std::any_of(sentences.begin(), sentences.end(), [](const auto& s) { return has_chinese(s.text); });
    const SurfacePtr probe(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
    const ContextPtr context(cairo_create(probe.get()));
    select_font(context.get());
    for (const auto& sentence : sentences)
        add_pages(context.get(), sentence);
}

void Caption::select_font(cairo_t* cr) const {
    // cairo's simple text takes one font for a whole text; the CJK one has Latin letters too.
    cairo_select_font_face(cr, chinese_ ? "Noto Sans CJK SC" : "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, size_);
}

std::vector<std::string> Caption::wrap(cairo_t* cr, const std::string& text) const {
    const double room = width_ * 0.8;
    std::vector<std::string> lines(1);
    for (const auto& piece : breakable_pieces(text)) {
        if (!lines.back().empty() && text_width(cr, trimmed(lines.back() + piece)) > room) {
            lines.back() = trimmed(lines.back());
            lines.emplace_back();
        }
        lines.back() += piece;
    }
    lines.back() = trimmed(lines.back());
    return lines;
}

void Caption::add_pages(cairo_t* cr, const Speech::Sentence& sentence) {
    const auto lines = wrap(cr, sentence.text);
    std::size_t letters = 0;
    for (const auto& line : lines)
        letters += line.size();
    std::size_t done = 0;
    const auto moment = [&] {
        const double share = static_cast<double>(done) / static_cast<double>(std::max<std::size_t>(letters, 1));
        return sentence.first + static_cast<std::uint64_t>(share * static_cast<double>(sentence.end - sentence.first));
    };
    for (std::size_t i = 0; i < lines.size(); i += kLinesPerPage) {
        Page page;
        page.first = moment();
        for (std::size_t k = i; k < std::min(i + kLinesPerPage, lines.size()); ++k) {
            page.lines.push_back(lines[k]);
            done += lines[k].size();
        }
        page.end = moment();
        pages_.push_back(std::move(page));
    }
}

void Caption::render(const Page& page) {
    const double line_height = size_ * 1.45;
    const double margin = size_ * 0.8;
    double widest = 0;
    {
        const SurfacePtr probe(cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1));
        const ContextPtr context(cairo_create(probe.get()));
        select_font(context.get());
        for (const auto& line : page.lines)
            widest = std::max(widest, text_width(context.get(), line));
    }
    plate_width_ = static_cast<int>(std::min(widest + 2 * margin, static_cast<double>(width_)));
    plate_height_ = static_cast<int>(line_height * static_cast<double>(page.lines.size()) + margin * 0.8);
    plate_.reset(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, plate_width_, plate_height_));
    const ContextPtr context(cairo_create(plate_.get()));
    cairo_t* cr = context.get();
    rounded_plate(cr, plate_width_, plate_height_, size_ * 0.6);
    cairo_set_source_rgba(cr, 0.06, 0.10, 0.17, 0.74);
    cairo_fill(cr);
    select_font(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    double baseline = margin * 0.4 + line_height * 0.72;
    for (const auto& line : page.lines) {
        cairo_move_to(cr, (plate_width_ - text_width(cr, line)) / 2, baseline);
        cairo_show_text(cr, line.c_str());
        baseline += line_height;
    }
}

void Caption::draw(cairo_t* cr, std::uint64_t sample) {
    const auto page = std::find_if(pages_.begin(), pages_.end(),
                                   [sample](const Page& p) { return p.first <= sample && sample < p.end; });
    if (page == pages_.end()) return;
    const auto number = static_cast<std::size_t>(page - pages_.begin());
    if (shown_ != number) {
        render(*page);
        shown_ = number;
    }
    const double y = height_ * 0.955 - plate_height_;
    cairo_set_source_surface(cr, plate_.get(), std::floor((width_ - plate_width_) / 2.0), std::floor(y));
    cairo_paint(cr);
}

}  // namespace ringcast::producers
