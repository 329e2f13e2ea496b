// SPDX-License-Identifier: Apache-2.0
#include "picture.hpp"

#include <gtest/gtest.h>

#include "attach.hpp"
#include "command.hpp"
#include "ringcast/caps.hpp"

namespace ringcast::tools {
namespace {

TEST(Picture, the_format_follows_the_suffix_in_any_case) {
    EXPECT_EQ(picture_format_of("a.png"), PictureFormat::png);
    EXPECT_EQ(picture_format_of("dir.png/a.JPG"), PictureFormat::jpg);
    EXPECT_EQ(picture_format_of("a.jpeg"), PictureFormat::jpg);
    EXPECT_EQ(picture_format_of("a.bmp"), std::nullopt);
    EXPECT_EQ(picture_format_of("png"), std::nullopt);
}

TEST(Picture, every_pixel_format_of_odd_size_is_encoded) {
    for (const PixelFormat format : {PixelFormat::rgb24, PixelFormat::bgr24, PixelFormat::rgba, PixelFormat::bgra,
                                     PixelFormat::i420, PixelFormat::nv12}) {
        const layout::Caps caps = make_caps(VideoFormat{format, 35, 17, {25, 1}});
        const std::vector<std::byte> bytes(frame_bytes(caps) + CopiedRecord::kSlack, std::byte{100});
        const std::span payload(bytes.data(), frame_bytes(caps));
        const auto png = encode_picture(caps, payload, PictureFormat::png);
        ASSERT_GT(png.size(), 24U);
        EXPECT_EQ(png[1], 'P');
        EXPECT_EQ(png[19], 35);  // width and height of IHDR, big-endian
        EXPECT_EQ(png[23], 17);
        const auto jpg = encode_picture(caps, payload, PictureFormat::jpg);
        EXPECT_EQ(jpg.at(0), 0xff);
        EXPECT_EQ(jpg.at(1), 0xd8);
    }
}

TEST(Picture, caps_that_do_not_fit_the_bytes_are_refused) {
    const layout::Caps caps = make_caps(VideoFormat{PixelFormat::rgb24, 64, 64, {25, 1}});
    const std::vector<std::byte> bytes(100 + CopiedRecord::kSlack);
    EXPECT_THROW(encode_picture(caps, std::span(bytes.data(), 100), PictureFormat::png), VerbError);
    layout::Caps far = caps;
    far.plane_offset[0] = UINT64_MAX - 5;
    EXPECT_THROW(encode_picture(far, std::span(bytes.data(), 100), PictureFormat::png), VerbError);
}

}  // namespace
}  // namespace ringcast::tools
