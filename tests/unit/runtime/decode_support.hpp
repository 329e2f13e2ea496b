// SPDX-License-Identifier: Apache-2.0
/// Decodes with libavcodec what the encoders made, from the same bytes and extradata a plugin gets.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "runtime/packet.hpp"

namespace ringcast::runtime::testing {

class Decoder {
public:
    explicit Decoder(const StreamInfo& stream) {
        constexpr std::array<AVCodecID, 5> kIds{AV_CODEC_ID_NONE, AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AAC,
                                                AV_CODEC_ID_OPUS};
        const AVCodecID id = kIds.at(static_cast<std::size_t>(stream.codec));
        const AVCodec* codec = avcodec_find_decoder(id);
        context_.reset(avcodec_alloc_context3(codec));
        context_->extradata_size = static_cast<int>(stream.extradata.size());
        context_->extradata =
            static_cast<std::uint8_t*>(av_mallocz(stream.extradata.size() + AV_INPUT_BUFFER_PADDING_SIZE));
        std::memcpy(context_->extradata, stream.extradata.data(), stream.extradata.size());
        context_->pkt_timebase = {static_cast<int>(stream.timebase.num), static_cast<int>(stream.timebase.den)};
        context_->thread_count = 1;
        EXPECT_GE(avcodec_open2(context_.get(), codec, nullptr), 0);
    }

    void decode(const Packet& packet) {
        AVPacketPtr copy(av_packet_alloc());
        const auto bytes = packet.data();
        ASSERT_GE(av_new_packet(copy.get(), static_cast<int>(bytes.size())), 0);
        std::memcpy(copy->data, bytes.data(), bytes.size());
        copy->pts = packet.pts;
        copy->dts = packet.dts;
        copy->duration = packet.duration;
        ASSERT_GE(avcodec_send_packet(context_.get(), copy.get()), 0);
        receive();
    }
    void drain() {
        avcodec_send_packet(context_.get(), nullptr);
        receive();
    }
    std::vector<AVFramePtr> frames;
    [[nodiscard]] const AVCodecContext& context() const { return *context_; }

private:
    void receive() {
        while (true) {
            AVFramePtr frame(av_frame_alloc());
            const int code = avcodec_receive_frame(context_.get(), frame.get());
            if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
            ASSERT_GE(code, 0) << av_error_text(code);
            frames.push_back(std::move(frame));
        }
    }
    AVCodecContextPtr context_;
};

}  // namespace ringcast::runtime::testing
