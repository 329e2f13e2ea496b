// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_encoder.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "ringcast/error.hpp"
#include "runtime/encoder_open.hpp"
#include "runtime/h265_hvcc.hpp"
#include "runtime/video_encoder_settings.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace ringcast::runtime {

namespace {

/// How the pixels of this format are coded, for the codec's header record.
h264::SampleShape shape_of(AVPixelFormat format) {
    const AVPixFmtDescriptor& d = *av_pix_fmt_desc_get(format);
    const bool full = d.log2_chroma_w == 0;
    const bool full_lines = d.log2_chroma_h == 0;
    if (d.nb_components == 1) return {0, static_cast<std::uint8_t>(d.comp[0].depth)};
    return {static_cast<std::uint8_t>(full ? 3 : full_lines ? 2 : 1), static_cast<std::uint8_t>(d.comp[0].depth)};
}

/// The render node of video.options=device=...; it is for the device, not for the encoder.
std::string take_device(Pairs& options) {
    std::string device;
    for (const auto& [name, value] : options)
        if (name == "device") device = value;
    std::erase_if(options, [](const auto& pair) { return pair.first == "device"; });
    return device;
}

/// True when every unit stands behind a 4-byte start code, so that lengths fit over the codes.
bool fits_in_place(std::span<const std::uint8_t> bytes, std::span<const std::span<const std::uint8_t>> units) {
    const std::uint8_t* expected = bytes.data();
    for (const auto unit : units) {
        if (unit.data() != expected + 4) return false;
        expected = unit.data() + unit.size();
    }
    return expected == bytes.data() + bytes.size();
}

}  // namespace

VideoEncoder::VideoEncoder(const VideoOptions& options, Size size, Rational fps, std::uint32_t stream_index)
    : input_(av_owned<AVFramePtr>(av_frame_alloc())), stream_index_(stream_index) {
    gop_frames_ = options.gop.in_frames(fps);
    stream_.media = Media::video;
    stream_.timebase = {fps.den, fps.num};
    stream_.width = size.width;
    stream_.height = size.height;
    stream_.fps = fps;
    // Now, not on the day when it is needed.
    if (!options.fallback.empty()) make_encoder(kVideoRole, options.fallback, "fallback");
    try {
        open(options);
    } catch (const CannotOpen& error) {
        if (options.fallback.empty() || options.fallback == options.encoder_name()) throw;
        open(fallback_options(options));
        note_ = options.fallback + " instead of " + options.encoder_name() + ": " + error.reason();
    }
}

void VideoEncoder::open(const VideoOptions& options) {
    AVCodecContextPtr context = make_encoder(kVideoRole, options.encoder_name());
    EncoderSettings settings;
    pixel_format_ = context->pix_fmt = choose_pixel_format(*context, options.pix_fmt);
    const VideoTarget target{{stream_.width, stream_.height}, stream_.fps, gop_frames_};
    VideoOptions own = options;
    std::string device;
    if (needs_upload(*context)) device = take_device(own.options);
    stream_.bitrate_bps = apply_video_options(*context, settings, own, target);
    upload_.reset();
    if (needs_upload(*context)) upload_.emplace(*context, pixel_format_, device);
    codec_ = open_encoder(kVideoRole, std::move(context), settings);
    stream_.codec = *codec_of(*codec_);
    const std::span<const std::uint8_t> headers(codec_->extradata, static_cast<std::size_t>(codec_->extradata_size));
    annex_b_ = headers.empty() || headers[0] == 0;
    const h264::SampleShape shape = shape_of(pixel_format_);
    stream_.extradata =
        stream_.codec == Codec::h265 ? h265::make_hvcc(headers, shape) : h264::make_avcc(headers, shape);
}

bool VideoEncoder::begins_gop(std::int64_t tick) {
    // Not `tick % gop == 0`: the picture of the boundary itself may have been dropped.
    const std::int64_t gop = tick / static_cast<std::int64_t>(gop_frames_);
    const bool begins = gop != last_gop_;
    last_gop_ = gop;
    return keyframe_requested_.exchange(false, std::memory_order_relaxed) || begins;
}

void VideoEncoder::encode(const AVFrame& picture, std::int64_t tick, std::int64_t capture_time_ns,
                          const PacketHandler& handler) {
    if (drained_) throw Error(ErrorCode::ended, "a picture came after the end of the video encoder");
    AVFramePtr uploaded;
    if (upload_) uploaded = upload_->upload(picture);
    if (av_frame_ref(input_.get(), uploaded ? uploaded.get() : &picture) < 0) throw std::bad_alloc();
    input_->pts = tick;
    input_->pict_type = begins_gop(tick) ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    capture_times_.push_back({tick, capture_time_ns});
    const int code = avcodec_send_frame(codec_.get(), input_.get());
    av_frame_unref(input_.get());
    if (code < 0)
        throw Error(ErrorCode::system,
                    std::string("video encoder ") + codec_->codec->name + " refused a picture: " + av_error_text(code));
    receive_all(handler);
}

void VideoEncoder::drain(const PacketHandler& handler) {
    if (std::exchange(drained_, true)) return;
    avcodec_send_frame(codec_.get(), nullptr);
    receive_all(handler);
}

void VideoEncoder::receive_all(const PacketHandler& handler) {
    while (AVPacketPtr raw = next_packet(kVideoRole, *codec_))
        handler(finish_packet(std::move(raw)));
}

Packet VideoEncoder::finish_packet(AVPacketPtr raw) {
    Packet packet;
    packet.stream = stream_index_;
    packet.pts = raw->pts;
    packet.dts = raw->dts;
    packet.duration = 1;
    packet.key = (raw->flags & AV_PKT_FLAG_KEY) != 0;
    packet.capture_time_ns = take_capture_time(raw->pts);
    packet.payload = std::move(raw);
    if (!annex_b_) return packet;

    if (av_packet_make_writable(packet.payload.get()) < 0) throw std::bad_alloc();
    const auto units = h264::split_annex_b(packet.data());
    if (units.empty()) throw Error(ErrorCode::system, "the video encoder made a packet without a NAL unit");
    if (fits_in_place(packet.data(), units)) {
        h264::write_length_prefixed(units, packet.payload->data);
        return packet;
    }
    AVPacketPtr rewritten = av_owned<AVPacketPtr>(av_packet_alloc());
    if (av_new_packet(rewritten.get(), static_cast<int>(h264::length_prefixed_size(units))) < 0) throw std::bad_alloc();
    h264::write_length_prefixed(units, rewritten->data);
    packet.payload = std::move(rewritten);
    return packet;
}

std::int64_t VideoEncoder::take_capture_time(std::int64_t tick) {
    const auto found = std::find_if(capture_times_.begin(), capture_times_.end(),
                                    [&](const CaptureTime& entry) { return entry.tick == tick; });
    if (found == capture_times_.end()) return 0;
    const std::int64_t ns = found->ns;
    capture_times_.erase(found);
    return ns;
}

}  // namespace ringcast::runtime
