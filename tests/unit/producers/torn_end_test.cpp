// SPDX-License-Identifier: Apache-2.0
/// MPEG-TS that breaks off anywhere: each picture comes whole or not at all.
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <vector>

#include "demuxer.hpp"
#include "ts_tail.hpp"

namespace ringcast::ingest {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kTsPacket = 188;
constexpr std::size_t kMessage = 7 * kTsPacket;

/// A picture only by its frame: a delimiter, and a slice that nobody decodes.
Bytes picture(std::size_t number) {
    Bytes bytes{0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x65, 0x88};
    bytes.resize(bytes.size() + 300 + 97 * number, static_cast<std::uint8_t>(0x40 + number));
    return bytes;
}

Bytes stream_of(std::size_t pictures) {
    AVFormatContext* muxer = nullptr;
    EXPECT_GE(avformat_alloc_output_context2(&muxer, nullptr, "mpegts", nullptr), 0);
    AVStream* stream = avformat_new_stream(muxer, nullptr);
    stream->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
    stream->codecpar->codec_id = AV_CODEC_ID_H264;
    EXPECT_GE(avio_open_dyn_buf(&muxer->pb), 0);
    EXPECT_GE(avformat_write_header(muxer, nullptr), 0);
    for (std::size_t number = 0; number < pictures; ++number) {
        Bytes bytes = picture(number);
        AVPacket packet{};
        packet.data = bytes.data();
        packet.size = static_cast<int>(bytes.size());
        packet.pts = packet.dts = static_cast<std::int64_t>(number) * 3600;
        packet.flags = AV_PKT_FLAG_KEY;
        EXPECT_GE(av_write_frame(muxer, &packet), 0);
    }
    EXPECT_GE(av_write_trailer(muxer), 0);
    std::uint8_t* data = nullptr;
    const int size = avio_close_dyn_buf(muxer->pb, &data);
    Bytes all(data, data + size);
    av_free(data);
    avformat_free_context(muxer);
    return all;
}

/// The sizes of the pictures that come out.
std::vector<std::size_t> read(std::span<const std::uint8_t> bytes) {
    TsTail tail;
    std::size_t at = 0;
    Demuxer demuxer(
        "mpegts",
        [&](std::span<std::uint8_t> into) {
            const auto message = bytes.subspan(at, std::min({kMessage, into.size(), bytes.size() - at}));
            std::copy(message.begin(), message.end(), into.begin());
            tail.feed(message);
            at += message.size();
            return message.size();
        },
        [&](int pid) { return tail.is_open(pid); });
    std::vector<std::size_t> sizes;
    while (const auto packet = demuxer.read())
        sizes.push_back(static_cast<std::size_t>(packet->size));
    return sizes;
}

TEST(TornEnd, a_picture_comes_whole_or_not_at_all_wherever_the_stream_breaks_off) {
    constexpr std::size_t kPictures = 12;
    const Bytes all = stream_of(kPictures);
    std::vector<std::size_t> wanted;
    for (std::size_t number = 0; number < kPictures; ++number)
        wanted.push_back(picture(number).size());
    ASSERT_EQ(read(all), wanted) << "what ends with its last picture loses nothing";
    std::size_t most = 0;
    for (std::size_t end = kTsPacket; end <= all.size(); end += kTsPacket) {
        const auto sizes = read(std::span(all).first(end));
        ASSERT_LE(sizes.size(), kPictures);
        EXPECT_TRUE(std::equal(sizes.begin(), sizes.end(), wanted.begin())) << "cut off after " << end << " bytes";
        EXPECT_GE(sizes.size(), most) << "no picture that was there before is lost by more bytes";
        most = std::max(most, sizes.size());
    }
    EXPECT_EQ(most, kPictures);
}

}  // namespace
}  // namespace ringcast::ingest
