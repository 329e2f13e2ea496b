// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_converter.hpp"

#include <gtest/gtest.h>
#include <libyuv.h>

#include <array>
#include <cstdlib>
#include <random>
#include <set>
#include <tuple>
#include <utility>

#include "ringcast/error.hpp"

namespace ringcast::runtime {
namespace {

struct Colour {
    std::uint8_t r, g, b;
};
struct Yuv {
    int y, u, v;
};

constexpr std::array<Colour, 8> kColours{{{255, 0, 0},
                                          {0, 255, 0},
                                          {0, 0, 255},
                                          {128, 128, 128},
                                          {0, 0, 0},
                                          {255, 255, 255},
                                          {200, 30, 120},
                                          {17, 99, 230}}};
constexpr std::array<PixelFormat, 4> kRgbFormats{PixelFormat::rgb24, PixelFormat::bgr24, PixelFormat::rgba,
                                                 PixelFormat::bgra};

int pixel_bytes(PixelFormat format) {
    return format == PixelFormat::rgba || format == PixelFormat::bgra ? 4 : 3;
}

/// A picture as a producer writes it, with lines of any stride.
struct Picture {
    layout::Caps caps;
    std::vector<std::uint8_t> bytes;
    [[nodiscard]] std::span<const std::byte> payload() const { return std::as_bytes(std::span(bytes)); }
};

Picture blank(PixelFormat format, std::uint32_t width, std::uint32_t height, std::uint32_t extra_stride = 0) {
    Picture picture;
    picture.caps = make_caps(VideoFormat{format, width, height, {25, 1}});
    if (extra_stride != 0) {
        std::uint64_t offset = 0;
        for (std::uint32_t i = 0; i < picture.caps.plane_count; ++i) {
            picture.caps.stride[i] += extra_stride;
            picture.caps.plane_offset[i] = offset;
            offset += std::uint64_t{picture.caps.stride[i]} * (i == 0 ? height : (height + 1) / 2);
        }
    }
    picture.bytes.assign(frame_bytes(picture.caps), 0xEE);
    return picture;
}

void set_rgb(Picture& picture, std::uint32_t x, std::uint32_t y, Colour c) {
    const auto format = static_cast<PixelFormat>(picture.caps.format);
    std::uint8_t* at = picture.bytes.data() + std::size_t{y} * picture.caps.stride[0] +
                       std::size_t{x} * static_cast<std::size_t>(pixel_bytes(format));
    const bool red_first = format == PixelFormat::rgb24 || format == PixelFormat::rgba;
    at[0] = red_first ? c.r : c.b;
    at[1] = c.g;
    at[2] = red_first ? c.b : c.r;
    if (pixel_bytes(format) == 4) at[3] = 0x5A;
}

Picture flat(PixelFormat format, std::uint32_t width, std::uint32_t height, Colour c, std::uint32_t extra = 0) {
    Picture picture = blank(format, width, height, extra);
    for (std::uint32_t y = 0; y < height; ++y)
        for (std::uint32_t x = 0; x < width; ++x)
            set_rgb(picture, x, y, c);
    return picture;
}

Yuv at(const AVFrame& frame, int x, int y) {
    return {frame.data[0][y * frame.linesize[0] + x], frame.data[1][y / 2 * frame.linesize[1] + x / 2],
            frame.data[2][y / 2 * frame.linesize[2] + x / 2]};
}

/// swscale told to make BT.709 limited range: the reference.
AVFramePtr by_swscale(const Picture& picture) {
    const int width = static_cast<int>(picture.caps.width);
    const int height = static_cast<int>(picture.caps.height);
    SwsContextPtr sws(sws_getContext(width, height, AV_PIX_FMT_BGR24, width, height, AV_PIX_FMT_YUV420P,
                                     SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_AREA, nullptr, nullptr, nullptr));
    const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);
    EXPECT_GE(sws_setColorspaceDetails(sws.get(), bt709, 1, bt709, 0, 0, 1 << 16, 1 << 16), 0);
    AVFramePtr frame(av_frame_alloc());
    frame->width = width;
    frame->height = height;
    frame->format = AV_PIX_FMT_YUV420P;
    EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
    const std::array<const std::uint8_t*, 1> source{picture.bytes.data()};
    const std::array<int, 1> stride{static_cast<int>(picture.caps.stride[0])};
    sws_scale(sws.get(), source.data(), stride.data(), 0, height, frame->data, frame->linesize);
    return frame;
}

void expect_near(const Yuv& a, const Yuv& b, int tolerance, const std::string& what) {
    EXPECT_LE(std::abs(a.y - b.y), tolerance) << what << " Y " << a.y << " wanted " << b.y;
    EXPECT_LE(std::abs(a.u - b.u), tolerance) << what << " U " << a.u << " wanted " << b.u;
    EXPECT_LE(std::abs(a.v - b.v), tolerance) << what << " V " << a.v << " wanted " << b.v;
}

Yuv exact_bt709(Colour c) {
    const double y = (0.2126 * c.r + 0.7152 * c.g + 0.0722 * c.b) / 255;
    return {static_cast<int>(std::lround(16 + 219 * y)),
            static_cast<int>(std::lround(128 + 224 * (c.b / 255.0 - y) / 1.8556)),
            static_cast<int>(std::lround(128 + 224 * (c.r / 255.0 - y) / 1.5748))};
}

TEST(VideoConverter, flat_colours_are_bt709_as_swscale_makes_them) {
    for (const Colour c : kColours) {
        const AVFramePtr reference = by_swscale(flat(PixelFormat::bgr24, 64, 32, c));
        for (const PixelFormat format : kRgbFormats) {
            VideoConverter converter({64, 32}, Scale::fit);
            const Picture picture = flat(format, 64, 32, c, 7);
            const AVFramePtr frame = converter.convert(picture.caps, picture.payload());
            ASSERT_TRUE(frame);
            const std::string what = std::string(name_of(format)) + " of " + std::to_string(c.r) + "," +
                                     std::to_string(c.g) + "," + std::to_string(c.b);
            for (const auto& [x, y] : {std::pair{0, 0}, {31, 15}, {63, 31}}) {
                expect_near(at(*frame, x, y), at(*reference, x, y), 2, what + " against swscale");
                expect_near(at(*frame, x, y), exact_bt709(c), 1, what + " against the formula");
            }
        }
    }
}

TEST(VideoConverter, every_pixel_of_a_noisy_picture_is_near_swscales) {
    Picture picture = blank(PixelFormat::bgr24, 130, 66, 5);
    std::minstd_rand random(1);
    for (std::uint32_t y = 0; y < 66; ++y)
        for (std::uint32_t x = 0; x < 130; ++x)
            set_rgb(picture, x, y,
                    {static_cast<std::uint8_t>(random()), static_cast<std::uint8_t>(random() >> 3U),
                     static_cast<std::uint8_t>(random() >> 5U)});
    VideoConverter converter({130, 66}, Scale::fit);
    const AVFramePtr frame = converter.convert(picture.caps, picture.payload());
    const AVFramePtr reference = by_swscale(picture);
    for (int y = 0; y < 66; ++y)
        for (int x = 0; x < 130; ++x)
            ASSERT_LE(std::abs(at(*frame, x, y).y - at(*reference, x, y).y), 2) << x << "," << y;
}

TEST(VideoConverter, frames_are_tagged_bt709_limited) {
    VideoConverter converter({32, 32}, Scale::fit);
    const AVFramePtr frame = converter.black();
    EXPECT_EQ(frame->colorspace, AVCOL_SPC_BT709);
    EXPECT_EQ(frame->color_range, AVCOL_RANGE_MPEG);
    expect_near(at(*frame, 31, 31), {16, 128, 128}, 0, "black");
}

TEST(VideoConverter, odd_sizes_are_padded_and_no_pixel_is_lost) {
    for (const PixelFormat format : kRgbFormats) {
        Picture picture = flat(format, 33, 17, {0, 0, 0}, 3);
        for (std::uint32_t y = 0; y < 17; ++y)
            set_rgb(picture, 32, y, {255, 255, 255});
        for (std::uint32_t x = 0; x < 33; ++x)
            set_rgb(picture, x, 16, {255, 255, 255});
        VideoConverter converter(VideoConverter::even_size({33, 17}), Scale::fit);
        ASSERT_EQ(converter.output(), (Size{34, 18}));
        const AVFramePtr frame = converter.convert(picture.caps, picture.payload());
        ASSERT_TRUE(frame);
        EXPECT_EQ(at(*frame, 31, 15).y, 16);
        for (const auto& [x, y] : {std::pair{32, 3}, {33, 3}, {3, 16}, {3, 17}, {33, 17}})
            EXPECT_EQ(at(*frame, x, y).y, 235) << name_of(format) << " at " << x << "," << y;
    }
}

TEST(VideoConverter, planar_inputs_pass_bit_exact) {
    std::minstd_rand random(7);
    for (const auto& [width, height] : {std::pair{64U, 48U}, {63U, 47U}, {1U, 1U}}) {
        Picture i420 = blank(PixelFormat::i420, width, height, 9);
        for (auto& byte : i420.bytes)
            byte = static_cast<std::uint8_t>(random());
        Picture nv12 = blank(PixelFormat::nv12, width, height, 2);
        const std::uint32_t half_width = (width + 1) / 2;
        const auto byte_at = [&](std::uint32_t plane, std::uint32_t x, std::uint32_t y) {
            return i420.bytes[i420.caps.plane_offset[plane] + std::size_t{y} * i420.caps.stride[plane] + x];
        };
        for (std::uint32_t y = 0; y < height; ++y)
            for (std::uint32_t x = 0; x < width; ++x)
                nv12.bytes[std::size_t{y} * nv12.caps.stride[0] + x] = byte_at(0, x, y);
        for (std::uint32_t y = 0; y < (height + 1) / 2; ++y)
            for (std::uint32_t x = 0; x < 2 * half_width; ++x)
                nv12.bytes[nv12.caps.plane_offset[1] + std::size_t{y} * nv12.caps.stride[1] + x] =
                    byte_at(1 + x % 2, x / 2, y);
        VideoConverter converter(VideoConverter::even_size({width, height}), Scale::fit);
        for (const Picture* picture : {&i420, &nv12}) {
            const AVFramePtr frame = converter.convert(picture->caps, picture->payload());
            ASSERT_TRUE(frame);
            for (std::uint32_t y = 0; y < converter.output().height; ++y)
                for (std::uint32_t x = 0; x < converter.output().width; ++x) {
                    const Yuv got = at(*frame, static_cast<int>(x), static_cast<int>(y));
                    ASSERT_EQ(got.y, byte_at(0, std::min(x, width - 1), std::min(y, height - 1))) << x << "," << y;
                    ASSERT_EQ(got.u, byte_at(1, x / 2, y / 2));
                    ASSERT_EQ(got.v, byte_at(2, x / 2, y / 2));
                }
        }
    }
}

TEST(VideoConverter, fit_puts_black_bars_around) {
    VideoConverter wide({640, 360}, Scale::fit);
    const Picture square = flat(PixelFormat::rgb24, 100, 100, {255, 255, 255});
    const AVFramePtr frame = wide.convert(square.caps, square.payload());
    for (const int x : {0, 100, 138, 501, 639})
        expect_near(at(*frame, x, 180), {16, 128, 128}, 0, "bar at " + std::to_string(x));
    for (const int x : {140, 320, 499})
        expect_near(at(*frame, x, 180), {235, 128, 128}, 1, "picture at " + std::to_string(x));

    VideoConverter tall({100, 200}, Scale::fit);
    const AVFramePtr portrait = tall.convert(square.caps, square.payload());
    expect_near(at(*portrait, 50, 47), {16, 128, 128}, 0, "above");
    expect_near(at(*portrait, 50, 50), {235, 128, 128}, 1, "inside");
    expect_near(at(*portrait, 50, 152), {16, 128, 128}, 0, "below");
}

TEST(VideoConverter, fill_cuts_the_sides_and_stretch_keeps_them) {
    Picture picture = flat(PixelFormat::bgra, 400, 100, {0, 0, 0});
    for (std::uint32_t y = 0; y < 100; ++y)
        for (std::uint32_t x = 0; x < 100; ++x)
            set_rgb(picture, x, y, {255, 255, 255});
    VideoConverter fill({100, 100}, Scale::fill);
    EXPECT_EQ(at(*fill.convert(picture.caps, picture.payload()), 1, 50).y, 16) << "the white quarter is cut";
    VideoConverter stretch({100, 100}, Scale::stretch);
    const AVFramePtr frame = stretch.convert(picture.caps, picture.payload());
    EXPECT_EQ(at(*frame, 5, 50).y, 235);
    EXPECT_EQ(at(*frame, 40, 50).y, 16);
}

TEST(VideoConverter, an_input_that_fits_without_scaling_is_copied_between_bars) {
    VideoConverter converter({64, 32}, Scale::fit);
    const Picture picture = flat(PixelFormat::rgba, 32, 32, {255, 0, 0});
    const AVFramePtr frame = converter.convert(picture.caps, picture.payload());
    expect_near(at(*frame, 15, 16), {16, 128, 128}, 0, "bar");
    expect_near(at(*frame, 16, 16), exact_bt709({255, 0, 0}), 1, "first column");
    expect_near(at(*frame, 47, 31), exact_bt709({255, 0, 0}), 1, "last column");
}

TEST(VideoConverter, stripes_give_what_the_whole_picture_gives) {
    struct Case {
        std::uint32_t width, height;
        Size output;
    };
    // 4:3, 3:2, 5:4, 8:3 and no short ratio at all.
    for (const Case& c : {Case{640, 480, {480, 360}}, Case{480, 270, {320, 180}}, Case{640, 360, {512, 288}},
                          Case{640, 480, {240, 180}}, Case{640, 362, {300, 170}}}) {
        Picture picture = blank(PixelFormat::i420, c.width, c.height);
        std::minstd_rand random(3);
        for (std::uint8_t& byte : picture.bytes)
            byte = static_cast<std::uint8_t>(random() >> 9);
        VideoConverter converter(c.output, Scale::stretch);
        const AVFramePtr got = converter.convert(picture.caps, picture.payload());
        AVFramePtr wanted(av_frame_alloc());
        wanted->width = static_cast<int>(c.output.width);
        wanted->height = static_cast<int>(c.output.height);
        wanted->format = AV_PIX_FMT_YUV420P;
        ASSERT_GE(av_frame_get_buffer(wanted.get(), 0), 0);
        const auto plane = [&](std::size_t i) { return picture.bytes.data() + picture.caps.plane_offset[i]; };
        const auto stride = [&](std::size_t i) { return static_cast<int>(picture.caps.stride[i]); };
        libyuv::I420Scale(plane(0), stride(0), plane(1), stride(1), plane(2), stride(2), static_cast<int>(c.width),
                          static_cast<int>(c.height), wanted->data[0], wanted->linesize[0], wanted->data[1],
                          wanted->linesize[1], wanted->data[2], wanted->linesize[2], wanted->width, wanted->height,
                          libyuv::kFilterBox);
        int farthest = 0;
        for (int y = 0; y < wanted->height; ++y)
            for (int x = 0; x < wanted->width; ++x) {
                const Yuv a = at(*got, x, y);
                const Yuv b = at(*wanted, x, y);
                farthest = std::max({farthest, std::abs(a.y - b.y), std::abs(a.u - b.u), std::abs(a.v - b.v)});
            }
        // A step that is no whole fraction of 1/65536 adds up to one level over the whole height.
        EXPECT_LE(farthest, 2) << c.width << "x" << c.height << " to " << c.output.width << "x" << c.output.height;
    }
}

TEST(VideoConverter, every_size_and_scale_stays_in_bounds) {
    // Under ASan this is the proof; without it, that nothing throws.
    for (const Scale scale : {Scale::fit, Scale::fill, Scale::stretch})
        for (const auto& [width, height] :
             {std::pair{1U, 1U}, {1U, 500U}, {500U, 1U}, {3U, 2U}, {2U, 3U}, {97U, 53U}, {641U, 361U}, {16U, 16U}})
            for (const Size output : {Size{16, 16}, Size{2, 2}, Size{96, 54}, Size{642, 362}})
                for (const PixelFormat format :
                     {PixelFormat::rgb24, PixelFormat::rgba, PixelFormat::i420, PixelFormat::nv12}) {
                    VideoConverter converter(output, scale);
                    const Picture picture = blank(format, width, height);
                    EXPECT_TRUE(converter.convert(picture.caps, picture.payload()));
                }
}

TEST(VideoConverter, caps_that_do_not_fit_the_payload_give_nothing) {
    VideoConverter converter({64, 32}, Scale::fit);
    Picture picture = flat(PixelFormat::rgb24, 64, 32, {1, 2, 3});
    EXPECT_FALSE(converter.convert(picture.caps, picture.payload().first(picture.bytes.size() - 1)));
    picture.caps.stride[0] = 0xFFFFFFFF;
    EXPECT_FALSE(converter.convert(picture.caps, picture.payload()));
    picture.caps = {};
    EXPECT_FALSE(converter.convert(picture.caps, picture.payload()));
}

TEST(VideoConverter, a_picture_takes_the_memory_of_its_format) {
    for (const auto& [format, half_bytes] : {std::pair{AV_PIX_FMT_YUV420P, 3}, std::pair{AV_PIX_FMT_YUV420P10LE, 6},
                                             std::pair{AV_PIX_FMT_YUV444P, 6}, std::pair{AV_PIX_FMT_YUV444P10LE, 12}}) {
        const std::size_t pixels = std::size_t{1280} * 720 * static_cast<std::size_t>(half_bytes) / 2;
        const VideoConverter converter({1280, 720}, Scale::fit, format);
        EXPECT_GE(converter.picture_bytes(), pixels);
        EXPECT_LE(converter.picture_bytes(), pixels + 4096);
    }
}

TEST(VideoConverter, an_odd_output_is_refused) {
    EXPECT_THROW(VideoConverter({63, 32}, Scale::fit), Error);
    EXPECT_THROW(VideoConverter({0, 0}, Scale::fit), Error);
}

TEST(VideoConverter, pixel_memory_is_recycled_and_outlives_the_converter) {
    const Picture picture = flat(PixelFormat::rgb24, 64, 32, {255, 255, 255});
    AVFramePtr survivor;
    {
        VideoConverter converter({64, 32}, Scale::fit);
        std::set<const std::uint8_t*> places;
        for (int i = 0; i < 50; ++i)
            places.insert(converter.convert(picture.caps, picture.payload())->data[0]);
        EXPECT_EQ(places.size(), 1U);
        survivor = converter.convert(picture.caps, picture.payload());
    }
    EXPECT_EQ(at(*survivor, 63, 31).y, 235);
}

}  // namespace
}  // namespace ringcast::runtime
