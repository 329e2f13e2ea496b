// SPDX-License-Identifier: Apache-2.0
#include "runtime/picture_file.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

#include <memory>

#include "ringcast/error.hpp"
#include "runtime/av_handles.hpp"

namespace ringcast::runtime {
namespace {

// avformat_close_input() also frees the context.
struct InputDeleter {
    void operator()(AVFormatContext* input) const noexcept { avformat_close_input(&input); }
};
using InputPtr = std::unique_ptr<AVFormatContext, InputDeleter>;

class Opening {
public:
    explicit Opening(const std::string& path) : path_(path) {}

    void check(int code) const {
        if (code < 0) fail(av_error_text(code));
    }
    [[noreturn]] void fail(const std::string& why) const {
        throw Error(ErrorCode::invalid_argument, "picture " + path_ + ": " + why + " (a PNG or JPEG file is expected)");
    }

private:
    const std::string& path_;
};

AVFramePtr decode_first(const std::string& path) {
    const Opening opening(path);
    AVFormatContext* raw = nullptr;
    opening.check(avformat_open_input(&raw, path.c_str(), nullptr, nullptr));
    const InputPtr input(raw);
    opening.check(avformat_find_stream_info(input.get(), nullptr));
    const AVCodec* codec = nullptr;
    const int stream = av_find_best_stream(input.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &codec, 0);
    opening.check(stream);
    const auto decoder = av_owned<AVCodecContextPtr>(avcodec_alloc_context3(codec));
    opening.check(avcodec_parameters_to_context(decoder.get(), input->streams[stream]->codecpar));
    opening.check(avcodec_open2(decoder.get(), codec, nullptr));
    auto packet = av_owned<AVPacketPtr>(av_packet_alloc());
    auto frame = av_owned<AVFramePtr>(av_frame_alloc());
    while (av_read_frame(input.get(), packet.get()) == 0) {
        if (packet->stream_index == stream) opening.check(avcodec_send_packet(decoder.get(), packet.get()));
        av_packet_unref(packet.get());
        if (avcodec_receive_frame(decoder.get(), frame.get()) == 0) return frame;
    }
    opening.check(avcodec_send_packet(decoder.get(), nullptr));
    opening.check(avcodec_receive_frame(decoder.get(), frame.get()));
    return frame;
}

}  // namespace

PictureFile load_picture(const std::string& path) {
    const AVFramePtr frame = decode_first(path);
    const Opening opening(path);
    const SwsContextPtr scaler(sws_getContext(frame->width, frame->height, static_cast<AVPixelFormat>(frame->format),
                                              frame->width, frame->height, AV_PIX_FMT_BGR24, SWS_BICUBIC, nullptr,
                                              nullptr, nullptr));
    if (!scaler) opening.fail("its pixels cannot be converted");
    PictureFile picture;
    picture.caps = make_caps(VideoFormat{PixelFormat::bgr24,
                                         static_cast<std::uint32_t>(frame->width),
                                         static_cast<std::uint32_t>(frame->height),
                                         {25, 1}});
    picture.pixels.resize(std::size_t{3} * static_cast<std::size_t>(frame->width) *
                          static_cast<std::size_t>(frame->height));
    std::uint8_t* const lines[] = {reinterpret_cast<std::uint8_t*>(picture.pixels.data())};
    const int strides[] = {3 * frame->width};
    sws_scale(scaler.get(), frame->data, frame->linesize, 0, frame->height, lines, strides);
    return picture;
}

}  // namespace ringcast::runtime
