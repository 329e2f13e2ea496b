// SPDX-License-Identifier: Apache-2.0
#include "runtime/video_encoder_settings.hpp"

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

extern "C" {
#include <libavutil/pixdesc.h>
}

namespace ringcast::runtime {

namespace {

constexpr std::uint32_t kMostDefaultThreads = 4;

enum class Family { x264, x265, nvenc, vaapi, qsv, other };

Family family_of(const AVCodecContext& context) {
    const std::string_view name = context.codec->name;
    if (name == "libx264" || name == "libx264rgb") return Family::x264;
    if (name == "libx265") return Family::x265;
    if (name.ends_with("_nvenc")) return Family::nvenc;
    if (name.ends_with("_vaapi")) return Family::vaapi;
    if (name.ends_with("_qsv")) return Family::qsv;
    return Family::other;
}

std::string number_text(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text;
}

/// Of the encoder, without formats that live in a device's memory and the full-range twins (yuvj...) of others.
std::vector<AVPixelFormat> software_formats(const AVCodecContext& context) {
    std::vector<AVPixelFormat> formats;
    for (const AVPixelFormat* f = context.codec->pix_fmts; f != nullptr && *f != AV_PIX_FMT_NONE; ++f) {
        const bool hardware = (av_pix_fmt_desc_get(*f)->flags & AV_PIX_FMT_FLAG_HWACCEL) != 0;
        if (!hardware && !std::string_view(av_get_pix_fmt_name(*f)).starts_with("yuvj")) formats.push_back(*f);
    }
    if (needs_upload(context)) formats = {AV_PIX_FMT_NV12, AV_PIX_FMT_P010LE};
    if (formats.empty()) formats = {AV_PIX_FMT_YUV420P};  // an encoder that does not say
    return formats;
}

bool has(const std::vector<AVPixelFormat>& formats, AVPixelFormat format) {
    return std::find(formats.begin(), formats.end(), format) != formats.end();
}

std::string list_of(std::span<const std::string_view> names) {
    std::string text;
    for (const std::string_view name : names)
        text.append(text.empty() ? "" : ", ").append(name);
    return text;
}

[[noreturn]] void refuse_name(const AVCodecContext& context, std::string_view key, std::string_view value,
                              std::span<const std::string_view> names) {
    std::string text = std::string(key) + "=" + std::string(value) + ": " + context.codec->name + " has ";
    text += list_of(names);
    if (key == "video.profile") text.append(" for ").append(av_get_pix_fmt_name(context.pix_fmt));
    const std::string_view near = nearest_name(value, names);
    if (!near.empty()) text.append(" (did you mean ").append(near).append("?)");
    throw Error(ErrorCode::invalid_argument, text);
}

/// What pictures of this format can be.
std::vector<std::string_view> x264_profiles(const AVCodecContext& context) {
    const AVPixFmtDescriptor& d = *av_pix_fmt_desc_get(context.pix_fmt);
    if (d.log2_chroma_w == 0 && d.nb_components > 1) return {"high444"};
    if (d.log2_chroma_w == 1 && d.log2_chroma_h == 0) return {"high422", "high444"};
    if (d.comp[0].depth > 8) return {"high10", "high422", "high444"};
    if (d.nb_components == 1) return {"high"};
    return {"baseline", "main", "high"};
}

std::vector<std::string_view> x265_profiles(const AVCodecContext& context) {
    const AVPixFmtDescriptor& d = *av_pix_fmt_desc_get(context.pix_fmt);
    const bool deep = d.comp[0].depth > 8;
    if (d.comp[0].depth > 10 || d.nb_components != 3) return {};  // free text; x265 itself says what is wrong
    if (d.log2_chroma_w == 0) {
        if (deep) return {"main444-10", "main444-10-intra"};
        return {"main444-8", "main444-intra", "main444-stillpicture"};
    }
    if (d.log2_chroma_h == 0) return {"main422-10", "main422-10-intra"};
    if (deep) return {"main10", "main10-intra"};
    return {"main", "main-intra", "mainstillpicture", "main10", "main10-intra"};
}

/// x264 and x265 take their names as free text, say only themselves what is wrong, and not which are right.
std::vector<std::string_view> names_of(const AVCodecContext& context, std::string_view setting) {
    const Family family = family_of(context);
    if (family != Family::x264 && family != Family::x265) return names_of_option(context, std::string(setting).c_str());
    if (setting == "preset")
        return {"ultrafast", "superfast", "veryfast", "faster",   "fast",
                "medium",    "slow",      "slower",   "veryslow", "placebo"};
    if (setting == "profile") return family == Family::x265 ? x265_profiles(context) : x264_profiles(context);
    if (setting != "tune") return {};
    if (family == Family::x265) return {"psnr", "ssim", "grain", "zerolatency", "fastdecode", "animation"};
    return {"film", "animation", "grain", "stillimage", "psnr", "ssim", "fastdecode", "zerolatency"};
}

bool is_name_of(const AVCodecContext& context, std::string_view setting, std::string_view value) {
    const auto names = names_of(context, setting);
    return names.empty() || parse_number(value) || std::find(names.begin(), names.end(), value) != names.end();
}

void set_name(const AVCodecContext& context, EncoderSettings& settings, std::string_view setting,
              const std::string& value) {
    if (value.empty()) return;
    if (!is_name_of(context, setting, value))
        refuse_name(context, "video." + std::string(setting), value, names_of(context, setting));
    settings.set(setting, value);
}

/// Of each codec the same whatever the encoder; most encoders say nothing useful about a wrong one.
void require_level(const AVCodecContext& context, const std::string& level) {
    static constexpr std::array<std::string_view, 20> kOfH264{"1",   "1b",  "1.1", "1.2", "1.3", "2",   "2.1",
                                                              "2.2", "3",   "3.1", "3.2", "4",   "4.1", "4.2",
                                                              "5",   "5.1", "5.2", "6",   "6.1", "6.2"};
    static constexpr std::array<std::string_view, 13> kOfH265{"1", "2",   "2.1", "3", "3.1", "4",  "4.1",
                                                              "5", "5.1", "5.2", "6", "6.1", "6.2"};
    if (level.empty()) return;
    const bool hevc = context.codec->id == AV_CODEC_ID_HEVC;
    const std::span<const std::string_view> known = hevc ? std::span<const std::string_view>(kOfH265) : kOfH264;
    const auto own = names_of_option(context, "level");
    auto number = parse_number(level);
    if (number && *number >= 10) number = *number / 10;  // "41" is 4.1
    const std::string name = number ? number_text(*number) : level;
    for (const auto names : {known, std::span<const std::string_view>(own)})
        for (const std::string_view each : names)
            if (each == name || each == level) return;
    throw Error(ErrorCode::invalid_argument,
                "video.level=" + level + ": " + avcodec_get_name(context.codec->id) + " has " + list_of(known));
}

void set_picture(AVCodecContext& context, const VideoTarget& target) {
    context.width = static_cast<int>(target.size.width);
    context.height = static_cast<int>(target.size.height);
    context.sample_aspect_ratio = {1, 1};
    context.time_base = {static_cast<int>(target.fps.den), static_cast<int>(target.fps.num)};
    context.framerate = {context.time_base.den, context.time_base.num};
    const bool rgb = (av_pix_fmt_desc_get(context.pix_fmt)->flags & AV_PIX_FMT_FLAG_RGB) != 0;
    context.color_range = rgb ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
    context.colorspace = rgb ? AVCOL_SPC_RGB : AVCOL_SPC_BT709;
    context.color_primaries = AVCOL_PRI_BT709;
    context.color_trc = AVCOL_TRC_BT709;
}

/// The quality that is held. False: this encoder can only hold a bitrate.
bool set_quality(AVCodecContext& context, EncoderSettings& settings, double crf) {
    switch (family_of(context)) {
        case Family::nvenc:
            settings.set("rc", "vbr");
            settings.set("cq", number_text(crf));
            return true;
        case Family::vaapi:
            settings.set("rc_mode", "CQP");
            settings.set("qp", std::to_string(std::max(1, static_cast<int>(crf))));
            return true;
        case Family::qsv:
            context.global_quality = std::max(1, static_cast<int>(crf));
            return true;
        default:
            if (!encoder_has_option(context, "crf")) return false;
            settings.set("crf", number_text(crf));
            return true;
    }
}

/// What else an encoder wants to hear so that it holds the bitrate, or stays below it.
void set_rate_mode(const AVCodecContext& context, EncoderSettings& settings, bool constant) {
    switch (family_of(context)) {
        case Family::x264:
            // Without it x264 sends less when the picture is still, and a platform's monitor calls the stream unstable.
            if (constant) settings.set("nal-hrd", "cbr");
            break;
        case Family::nvenc:
            settings.set("rc", constant ? "cbr" : "vbr");
            break;
        case Family::vaapi:
            settings.set("rc_mode", constant ? "CBR" : "VBR");
            break;
        default:
            break;
    }
}

std::uint64_t set_rate(AVCodecContext& context, EncoderSettings& settings, const VideoOptions& options,
                       const VideoTarget& target) {
    const RateControl unsaid = family_of(context) == Family::nvenc ? RateControl::cbr : RateControl::vbr;
    RateControl control = options.rate_control.value_or(unsaid);
    // A sink may prefer a quality by default; an encoder without such a mode still records.
    if (control == RateControl::crf && !set_quality(context, settings, options.crf)) control = RateControl::vbr;
    context.bit_rate = 0;  // some encoders come with one
    std::optional<std::uint64_t> ceiling = options.maxrate;
    if (control != RateControl::crf) {
        std::uint64_t bitrate = options.bitrate.value_or(default_bitrate(target.size, target.fps));
        if (options.maxrate && !options.bitrate) bitrate = std::min(bitrate, *options.maxrate);
        context.bit_rate = static_cast<std::int64_t>(bitrate);
        if (!ceiling || control == RateControl::cbr) ceiling = bitrate;
        set_rate_mode(context, settings, control == RateControl::cbr);
    }
    if (!ceiling) return 0;
    context.rc_max_rate = static_cast<std::int64_t>(*ceiling);
    context.rc_buffer_size = static_cast<int>(std::min<std::uint64_t>(options.bufsize.value_or(*ceiling), INT32_MAX));
    if (control == RateControl::cbr) context.rc_min_rate = context.rc_max_rate;
    return *ceiling;
}

/// A keyframe where we say and nowhere else: HLS segments and hand-overs cut there.
void set_gop(AVCodecContext& context, EncoderSettings& settings, std::uint32_t gop_frames) {
    context.gop_size = static_cast<int>(gop_frames);
    context.keyint_min = context.gop_size;
    context.max_b_frames = 0;
    context.flags |= AV_CODEC_FLAG_CLOSED_GOP | AV_CODEC_FLAG_GLOBAL_HEADER;
    if (encoder_has_option(context, "sc_threshold")) settings.set("sc_threshold", "0");
    for (const char* on : {"no-scenecut", "forced-idr", "forced_idr"})
        if (encoder_has_option(context, on)) settings.set(on, "1");
}

std::uint32_t threads_of(const VideoOptions& options) {
    // Each frame thread holds one picture back, so zero latency is one.
    const std::uint32_t most = options.tune == "zerolatency" ? 1 : kMostDefaultThreads;
    return options.threads.value_or(std::min(most, std::max(1U, std::thread::hardware_concurrency())));
}

void set_x264(AVCodecContext& context, EncoderSettings& settings, const VideoOptions& options, Rational fps) {
    context.thread_count = static_cast<int>(threads_of(options));
    context.thread_type = FF_THREAD_FRAME;  // sliced threads cost quality
    if (!options.level.empty()) settings.set("level", options.level);
    if (!options.lookahead) return;
    settings.set("rc-lookahead", std::to_string(options.lookahead->in_frames(fps)));
    // The macroblock tree wants a long view; the look-ahead thread, and x264 waiting for the next picture's time to
    // know this one's duration, each hold further pictures back.
    settings.set("mbtree", "0");
    settings.set("x264-params", "sync-lookahead=0:force-cfr=1");
}

void set_x265(EncoderSettings& settings, const VideoOptions& options, Rational fps) {
    // x265 prints to stderr by itself, takes no thread count from libavcodec, and may open GOPs and see scene cuts.
    std::string parameters = "log-level=error:scenecut=0:open-gop=0:pools=" + std::to_string(threads_of(options));
    if (options.tune == "zerolatency") parameters += ":frame-threads=1";
    if (options.rate_control == RateControl::cbr) parameters += ":strict-cbr=1";
    if (!options.level.empty()) parameters += ":level-idc=" + options.level;
    if (options.lookahead)
        parameters += ":cutree=0:rc-lookahead=" + std::to_string(std::max(1U, options.lookahead->in_frames(fps)));
    settings.set("x265-params", parameters);
}

/// A live sink's preset is in the words of libx264; nobody asked another encoder for it.
std::string tune_for(const AVCodecContext& context, const VideoOptions& options) {
    const bool known = encoder_has_option(context, "tune") && is_name_of(context, "tune", options.tune);
    return options.tune_is_preset && !known ? std::string() : options.tune;
}

void set_nvenc(EncoderSettings& settings, const VideoOptions& options, const std::string& tune) {
    if (options.preset.empty()) settings.set("preset", "p4");
    if (tune.empty()) settings.set("tune", "ll");
    // libavcodec would hold back as many pictures as the encoder has surfaces.
    settings.set("delay", "0");
    settings.set("zerolatency", "1");
    if (!options.level.empty()) settings.set("level", options.level);
}

void set_other(AVCodecContext& context, EncoderSettings& settings, const VideoOptions& options) {
    context.thread_count = static_cast<int>(threads_of(options));
    if (options.level.empty()) return;
    const auto level = parse_number(options.level);
    // Without an option of its own an encoder takes ten times the level from libavcodec's.
    if (!encoder_has_option(context, "level") && level)
        context.level = static_cast<int>(*level < 10 ? *level * 10 + 0.5 : *level);
    else
        settings.set("level", options.level);
}

}  // namespace

bool needs_upload(const AVCodecContext& context) {
    const AVPixelFormat* formats = context.codec->pix_fmts;
    return formats != nullptr && formats[0] == AV_PIX_FMT_VAAPI && formats[1] == AV_PIX_FMT_NONE;
}

AVPixelFormat choose_pixel_format(const AVCodecContext& context, const std::string& wanted) {
    const std::vector<AVPixelFormat> formats = software_formats(context);
    if (!wanted.empty()) {
        const AVPixelFormat format = av_get_pix_fmt(wanted.c_str());
        if (has(formats, format)) return format;
        std::vector<std::string_view> names;
        names.reserve(formats.size());
        for (const AVPixelFormat each : formats)
            names.emplace_back(av_get_pix_fmt_name(each));
        refuse_name(context, "video.pix_fmt", wanted, names);
    }
    for (const AVPixelFormat preferred : {AV_PIX_FMT_YUV420P, AV_PIX_FMT_NV12})
        if (has(formats, preferred)) return preferred;
    return formats.front();
}

std::uint64_t apply_video_options(AVCodecContext& context, EncoderSettings& settings, const VideoOptions& options,
                                  const VideoTarget& target) {
    const Family family = family_of(context);
    set_picture(context, target);
    require_level(context, options.level);
    const std::uint64_t announced = set_rate(context, settings, options, target);
    set_gop(context, settings, target.gop_frames);
    const bool software = family == Family::x264 || family == Family::x265;
    set_name(context, settings, "preset", options.preset.empty() && software ? "veryfast" : options.preset);
    const std::string tune = tune_for(context, options);
    set_name(context, settings, "tune", tune);
    set_name(context, settings, "profile", options.profile);
    if (family == Family::x264)
        set_x264(context, settings, options, target.fps);
    else if (family == Family::x265)
        set_x265(settings, options, target.fps);
    else if (family == Family::nvenc)
        set_nvenc(settings, options, tune);
    else
        set_other(context, settings, options);
    settings.set_all(options.options);
    return announced;
}

VideoOptions fallback_options(const VideoOptions& options) {
    VideoOptions fallback = options;
    fallback.encoder = options.fallback;
    fallback.fallback.clear();
    fallback.options.clear();
    const AVCodecContextPtr context = make_encoder(kVideoRole, fallback.encoder);
    const auto formats = software_formats(*context);
    if (!options.pix_fmt.empty() && !has(formats, av_get_pix_fmt(options.pix_fmt.c_str()))) fallback.pix_fmt.clear();
    context->pix_fmt = choose_pixel_format(*context, fallback.pix_fmt);
    const auto keep = [&](std::string& value, const char* setting) {
        if (!encoder_has_option(*context, setting) || !is_name_of(*context, setting, value)) value.clear();
    };
    keep(fallback.preset, "preset");
    keep(fallback.tune, "tune");
    keep(fallback.profile, "profile");
    return fallback;
}

}  // namespace ringcast::runtime
