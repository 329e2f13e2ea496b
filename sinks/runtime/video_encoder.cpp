// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_encoder.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <utility>

#include "ringcast/error.hpp"
#include "runtime/encoder_open.hpp"
#include "runtime/h264_avcc.hpp"

namespace ringcast::runtime {

namespace {

constexpr EncoderRole kRole{"video", AV_CODEC_ID_H264, "H.264", "libx264"};
constexpr std::uint32_t kMostDefaultThreads = 4;

bool is_x264(const AVCodecContext& context) {
    return std::string_view(context.codec->name) == "libx264";
}

AVRational to_av(Rational value) {
    return {static_cast<int>(value.num), static_cast<int>(value.den)};
}

std::string number_text(double value) {
    std::string text = std::to_string(value);
    return text.substr(0, text.find_last_not_of('0') + 1);
}

void require_yuv420p(const AVCodecContext& context) {
    const AVPixelFormat* format = context.codec->pix_fmts;
    for (; format != nullptr && *format != AV_PIX_FMT_NONE; ++format)
        if (*format == AV_PIX_FMT_YUV420P) return;
    throw Error(ErrorCode::unsupported, std::string("video.encoder=") + context.codec->name +
                                            " does not take yuv420p pictures: use video.encoder=libx264");
}

void set_picture(AVCodecContext& context, Size size, Rational fps) {
    context.width = static_cast<int>(size.width);
    context.height = static_cast<int>(size.height);
    context.pix_fmt = AV_PIX_FMT_YUV420P;
    context.sample_aspect_ratio = {1, 1};
    context.time_base = {static_cast<int>(fps.den), static_cast<int>(fps.num)};
    context.framerate = to_av(fps);
    context.color_range = AVCOL_RANGE_MPEG;
    context.colorspace = AVCOL_SPC_BT709;
    context.color_primaries = AVCOL_PRI_BT709;
    context.color_trc = AVCOL_TRC_BT709;
}

/// Bitrate, ceiling and its buffer. Returns what the stream is announced with (0: unknown).
std::uint64_t set_rate(AVCodecContext& context, EncoderSettings& settings, const VideoOptions& options, Size size,
                       Rational fps) {
    std::optional<std::uint64_t> ceiling = options.maxrate;
    if (options.rate_control == RateControl::crf) {
        settings.set("crf", number_text(options.crf));
    } else {
        std::uint64_t bitrate = options.bitrate.value_or(default_bitrate(size, fps));
        if (options.maxrate && !options.bitrate) bitrate = std::min(bitrate, *options.maxrate);
        context.bit_rate = static_cast<std::int64_t>(bitrate);
        if (!ceiling || options.rate_control == RateControl::cbr) ceiling = bitrate;
    }
    if (!ceiling) return 0;
    context.rc_max_rate = static_cast<std::int64_t>(*ceiling);
    context.rc_buffer_size = static_cast<int>(std::min<std::uint64_t>(options.bufsize.value_or(*ceiling), INT32_MAX));
    if (options.rate_control == RateControl::cbr) {
        context.rc_min_rate = context.rc_max_rate;
        // Without it x264 sends less when the picture is still, and a platform's monitor calls the stream unstable.
        if (encoder_has_option(context, "nal-hrd")) settings.set("nal-hrd", "cbr");
    }
    return *ceiling;
}

/// A keyframe where we say and nowhere else: HLS segments and hand-overs cut there.
void set_gop(AVCodecContext& context, EncoderSettings& settings, std::uint32_t gop_frames) {
    context.gop_size = static_cast<int>(gop_frames);
    context.keyint_min = context.gop_size;
    context.max_b_frames = 0;
    context.flags |= AV_CODEC_FLAG_CLOSED_GOP | AV_CODEC_FLAG_GLOBAL_HEADER;
    if (encoder_has_option(context, "sc_threshold")) settings.set("sc_threshold", "0");
    if (encoder_has_option(context, "no-scenecut")) settings.set("no-scenecut", "1");
    if (encoder_has_option(context, "forced-idr")) settings.set("forced-idr", "1");
}

void set_threads(AVCodecContext& context, const VideoOptions& options) {
    // Frame threads only: sliced threads cost quality. Each frame thread holds one picture back, so zero latency is
    // one.
    const std::uint32_t most = options.tune == "zerolatency" ? 1 : kMostDefaultThreads;
    const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
    context.thread_count = static_cast<int>(options.threads.value_or(std::min(most, cores)));
    context.thread_type = FF_THREAD_FRAME;
}

/// x264 prints its own line about a wrong name and does not say which are right.
void require_name(std::string_view key, std::string_view value, std::span<const std::string_view> names) {
    if (value.empty() || std::find(names.begin(), names.end(), value) != names.end()) return;
    std::string text(key);
    text.append("=").append(value).append(": libx264 has ");
    for (const std::string_view name : names)
        text.append(name == names.front() ? "" : ", ").append(name);
    const std::string_view near = nearest_name(value, names);
    if (!near.empty()) text.append(" (did you mean ").append(near).append("?)");
    throw Error(ErrorCode::invalid_argument, text);
}

void require_x264_names(const VideoOptions& options) {
    static constexpr std::array<std::string_view, 10> kPresets{
        "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"};
    static constexpr std::array<std::string_view, 8> kTunes{"film", "animation", "grain",      "stillimage",
                                                            "psnr", "ssim",      "fastdecode", "zerolatency"};
    // What 8-bit 4:2:0 pictures can be.
    static constexpr std::array<std::string_view, 3> kProfiles{"baseline", "main", "high"};
    require_name("video.preset", options.preset, kPresets);
    require_name("video.tune", options.tune, kTunes);
    require_name("video.profile", options.profile, kProfiles);
}

void set_tuning(const AVCodecContext& context, EncoderSettings& settings, const VideoOptions& options, Rational fps) {
    if (is_x264(context)) require_x264_names(options);
    const std::string preset = options.preset.empty() && is_x264(context) ? "veryfast" : options.preset;
    if (!preset.empty()) settings.set("preset", preset);
    if (!options.tune.empty()) settings.set("tune", options.tune);
    if (!options.profile.empty()) settings.set("profile", options.profile);
    if (!options.level.empty()) settings.set("level", options.level);
    if (!options.lookahead) return;
    if (!is_x264(context))
        throw Error(ErrorCode::invalid_argument, std::string("video.lookahead works with video.encoder=libx264 only: "
                                                             "set it with video.options for ") +
                                                     context.codec->name);
    settings.set("rc-lookahead", std::to_string(options.lookahead->in_frames(fps)));
    // The macroblock tree wants a long view; the look-ahead thread, and x264 waiting for the next picture's time to
    // know this one's duration, each hold further pictures back.
    settings.set("mbtree", "0");
    settings.set("x264-params", "sync-lookahead=0:force-cfr=1");
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
    stream_.codec = Codec::h264;
    stream_.timebase = {fps.den, fps.num};
    stream_.width = size.width;
    stream_.height = size.height;
    stream_.fps = fps;
    open(options);
}

void VideoEncoder::open(const VideoOptions& options) {
    AVCodecContextPtr context = make_encoder(kRole, options.encoder);
    require_yuv420p(*context);
    EncoderSettings settings;
    set_picture(*context, {stream_.width, stream_.height}, stream_.fps);
    stream_.bitrate_bps = set_rate(*context, settings, options, {stream_.width, stream_.height}, stream_.fps);
    set_gop(*context, settings, gop_frames_);
    set_threads(*context, options);
    set_tuning(*context, settings, options, stream_.fps);
    settings.set_all(options.options);
    codec_ = open_encoder(kRole, std::move(context), settings);
    const std::span<const std::uint8_t> headers(codec_->extradata, static_cast<std::size_t>(codec_->extradata_size));
    annex_b_ = headers.empty() || headers[0] == 0;
    stream_.extradata = h264::make_avcc(headers);
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
    if (av_frame_ref(input_.get(), &picture) < 0) throw std::bad_alloc();
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
    while (true) {
        AVPacketPtr raw = av_owned<AVPacketPtr>(av_packet_alloc());
        const int code = avcodec_receive_packet(codec_.get(), raw.get());
        if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
        if (code < 0)
            throw Error(ErrorCode::system,
                        std::string("video encoder ") + codec_->codec->name + " failed: " + av_error_text(code));
        handler(finish_packet(std::move(raw)));
    }
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
