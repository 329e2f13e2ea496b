// SPDX-License-Identifier: Apache-2.0
/// What the tests of the video encoder share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "decode_support.hpp"
#include "ringcast/error.hpp"
#include "runtime/video_converter.hpp"
#include "runtime/video_encoder.hpp"

namespace ringcast::runtime::testing {

inline constexpr Size kSize{192, 108};
inline constexpr Rational kFps{25, 1};

inline SinkOptions options_of(const std::vector<std::string>& words) {
    SinkOptions options;
    apply_sink_options(options, words);
    return options;
}

/// What the encoder says when it is opened with these words.
inline std::string error_of(const std::vector<std::string>& words) {
    try {
        const VideoEncoder encoder(options_of(words).video, kSize, kFps);
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}

struct Encoded {
    StreamInfo stream;
    AVPixelFormat pixel_format = AV_PIX_FMT_NONE;
    std::vector<Packet> packets;
};

/// The picture of a tick, from the converter that makes what the encoder takes.
using DrawPicture = std::function<AVFramePtr(VideoConverter&, std::int64_t tick)>;

/// The pictures of `ticks` through an encoder of stream 3; `before` each one it may be asked for something.
inline Encoded encode_pictures(const std::vector<std::string>& words, const std::vector<std::int64_t>& ticks,
                               const DrawPicture& draw,
                               const std::function<void(VideoEncoder&, std::int64_t)>& before = {}) {
    VideoEncoder encoder(options_of(words).video, kSize, kFps, 3);
    VideoConverter converter(kSize, Scale::fit, encoder.pixel_format());
    Encoded encoded{encoder.stream(), encoder.pixel_format(), {}};
    const auto keep = [&](Packet&& packet) { encoded.packets.push_back(std::move(packet)); };
    for (const std::int64_t tick : ticks) {
        if (before) before(encoder, tick);
        encoder.encode(*draw(converter, tick), tick, 1000 + tick, keep);
    }
    encoder.drain(keep);
    return encoded;
}

inline std::vector<std::int64_t> range(std::int64_t count) {
    std::vector<std::int64_t> ticks;
    for (std::int64_t i = 0; i < count; ++i)
        ticks.push_back(i);
    return ticks;
}

inline std::vector<std::int64_t> keys_of(const Encoded& encoded) {
    std::vector<std::int64_t> keys;
    for (const Packet& packet : encoded.packets)
        if (packet.key) keys.push_back(packet.pts);
    return keys;
}

inline std::vector<AVFramePtr> decoded(const Encoded& encoded) {
    Decoder decoder(encoded.stream);
    for (const Packet& packet : encoded.packets)
        decoder.decode(packet);
    decoder.drain();
    return std::move(decoder.frames);
}

}  // namespace ringcast::runtime::testing
