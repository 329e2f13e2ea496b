// SPDX-License-Identifier: Apache-2.0
#include "runtime/encoder_open.hpp"

#include <array>
#include <utility>
#include <vector>

#include "runtime/av_log.hpp"
#include "runtime/hardware.hpp"

extern "C" {
#include <libavutil/opt.h>
}

namespace ringcast::runtime {

namespace {

constexpr std::array<std::pair<AVCodecID, Codec>, 4> kCodecs{{{AV_CODEC_ID_H264, Codec::h264},
                                                              {AV_CODEC_ID_HEVC, Codec::h265},
                                                              {AV_CODEC_ID_AAC, Codec::aac},
                                                              {AV_CODEC_ID_OPUS, Codec::opus}}};

AVMediaType media_of(const EncoderRole& role) {
    return role.prefix == kVideoRole.prefix ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
}

std::optional<Codec> codec_of(AVCodecID id) {
    for (const auto& [known, codec] : kCodecs)
        if (known == id) return codec;
    return std::nullopt;
}

/// Encoders that libavcodec here knows and that fit the role.
std::vector<std::string_view> encoders_for(const EncoderRole& role) {
    std::vector<std::string_view> names;
    void* position = nullptr;
    while (const AVCodec* codec = av_codec_iterate(&position))
        if (av_codec_is_encoder(codec) != 0 && codec->type == media_of(role) && codec_of(codec->id))
            names.emplace_back(codec->name);
    return names;
}

void collect_option_names(const void* object, std::vector<std::string_view>& names) {
    const AVOption* option = nullptr;
    while ((option = av_opt_next(object, option)) != nullptr)
        if (option->type != AV_OPT_TYPE_CONST && (option->flags & AV_OPT_FLAG_ENCODING_PARAM) != 0)
            names.emplace_back(option->name);
}

std::string unknown_setting_text(const EncoderRole& role, const AVCodecContext& context,
                                 const AVDictionaryEntry& entry) {
    std::vector<std::string_view> names;
    collect_option_names(&context, names);
    if (context.priv_data != nullptr) collect_option_names(context.priv_data, names);
    const std::string_view name = entry.key;
    const std::string word = std::string(role.prefix) + ".encoder=" + context.codec->name;
    std::string text(role.prefix);
    // A named option of ours that this encoder lacks, or one the user passed through.
    for (const std::string_view ours : {"preset", "tune", "profile", "level", "crf"}) {
        if (name != ours) continue;
        text.append(".").append(name).append("=").append(entry.value).append(": ").append(word);
        text.append(" has no such setting: leave it away or use ").append(role.prefix).append(".encoder=");
        return text.append(role.sure);
    }
    text.append(".options: ").append(word).append(" has no option ").append(name);
    const std::string_view near = nearest_name(name, names);
    return near.empty() ? text : text.append(": did you mean ").append(near).append("?");
}

/// The encoder of the same codec that is always there.
std::string_view sure_encoder(const EncoderRole& role, AVCodecID id) {
    return id == AV_CODEC_ID_HEVC ? "libx265" : id == AV_CODEC_ID_OPUS ? "libopus" : role.sure;
}

std::string without_full_stop(std::string text) {
    while (!text.empty() && text.back() == '.')
        text.pop_back();
    return text;
}

/// The wrappers of x264 and x265 only warn of a wrong word in x264-params or x265-params, and go on without it.
bool is_about_a_parameter(const std::string& log) {
    for (const char* start : {"Unknown option: ", "Invalid value for ", "Error parsing option "})
        if (log.starts_with(start)) return true;
    return false;
}

CannotOpen refused(const EncoderRole& role, const AVCodec& encoder, int code, const std::string& log) {
    std::string reason = missing_hardware(encoder.name, log);
    if (reason.empty()) reason = log.empty() ? av_error_text(code) : log;
    return cannot_open(role, encoder, without_full_stop(reason));
}

}  // namespace

void EncoderSettings::set(std::string_view name, std::string_view value) {
    AVDictionary* raw = dictionary_.release();
    const int code = av_dict_set(&raw, std::string(name).c_str(), std::string(value).c_str(), 0);
    dictionary_.reset(raw);
    if (code < 0) throw std::bad_alloc();
}

void EncoderSettings::set_all(const Pairs& pairs) {
    for (const auto& [name, value] : pairs) {
        std::string all = name.ends_with("-params") ? value_of(name) : "";
        all.append(all.empty() ? "" : ":").append(value);
        set(name, all);
    }
}

std::string EncoderSettings::value_of(std::string_view name) const {
    const AVDictionaryEntry* entry =
        av_dict_get(dictionary_.get(), std::string(name).c_str(), nullptr, AV_DICT_MATCH_CASE);
    return entry == nullptr ? "" : entry->value;
}

std::optional<Codec> codec_of(const AVCodecContext& context) {
    return codec_of(context.codec->id);
}

AVCodecContextPtr make_encoder(const EncoderRole& role, const std::string& name, std::string_view option) {
    const AVCodec* codec = avcodec_find_encoder_by_name(name.c_str());
    const std::string key = std::string(role.prefix) + "." + std::string(option) + "=";
    const std::string word = key + name;
    const std::string use = "use " + key + std::string(role.sure);
    if (codec == nullptr) {
        const auto names = encoders_for(role);
        const std::string_view near = nearest_name(name, names);
        throw Error(ErrorCode::invalid_argument, word + ": libavcodec here has no such encoder: " +
                                                     (near.empty() ? use : "did you mean " + std::string(near) + "?"));
    }
    if (codec->type != media_of(role) || !codec_of(codec->id))
        throw Error(ErrorCode::invalid_argument, word + " makes " + avcodec_get_name(codec->id) +
                                                     ", which no sink carries as " + std::string(role.prefix) + ": " +
                                                     use);
    return av_owned<AVCodecContextPtr>(avcodec_alloc_context3(codec));
}

bool encoder_has_option(const AVCodecContext& context, const char* name) {
    return context.priv_data != nullptr && av_opt_find(context.priv_data, name, nullptr, 0, 0) != nullptr;
}

std::vector<std::string_view> names_of_option(const AVCodecContext& context, const char* name) {
    std::vector<std::string_view> names;
    if (context.priv_data == nullptr) return names;
    const AVOption* option = av_opt_find(context.priv_data, name, nullptr, 0, 0);
    if (option == nullptr || option->unit == nullptr) return names;
    const AVOption* constant = nullptr;
    while ((constant = av_opt_next(context.priv_data, constant)) != nullptr)
        if (constant->type == AV_OPT_TYPE_CONST && constant->unit != nullptr &&
            std::string_view(constant->unit) == option->unit)
            names.emplace_back(constant->name);
    return names;
}

CannotOpen cannot_open(const EncoderRole& role, const AVCodec& encoder, const std::string& reason) {
    const std::string prefix(role.prefix);
    const std::string sure(sure_encoder(role, encoder.id));
    std::string text = prefix + ".encoder=" + encoder.name + " cannot open: " + reason + ": ";
    if (encoder.name == sure)
        text += "check " + prefix + ".options and the other " + prefix + " options";
    else if (media_of(role) == AVMEDIA_TYPE_VIDEO)
        text += "use video.encoder=" + sure + " or add video.fallback=" + sure;
    else
        text += "use " + prefix + ".encoder=" + sure;
    return {text, reason};
}

AVCodecContextPtr open_encoder(const EncoderRole& role, AVCodecContextPtr context, EncoderSettings& settings) {
    AVDictionary* raw = settings.dictionary_.release();
    AvLogCapture log;
    const AVCodec& encoder = *context->codec;  // a context that failed to open forgets it
    const int code = avcodec_open2(context.get(), &encoder, &raw);
    settings.dictionary_.reset(raw);  // what nobody took
    if (code < 0) throw refused(role, encoder, code, log.text());
    if (is_about_a_parameter(log.text()))
        throw Error(ErrorCode::invalid_argument,
                    std::string(role.prefix) + ".options: " + encoder.name + ": " + without_full_stop(log.text()));
    if (const AVDictionaryEntry* left = av_dict_get(raw, "", nullptr, AV_DICT_IGNORE_SUFFIX))
        throw Error(ErrorCode::invalid_argument, unknown_setting_text(role, *context, *left));
    return context;
}

AVPacketPtr next_packet(const EncoderRole& role, AVCodecContext& context) {
    AVPacketPtr packet = av_owned<AVPacketPtr>(av_packet_alloc());
    const int code = avcodec_receive_packet(&context, packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return nullptr;
    if (code < 0)
        throw Error(ErrorCode::system,
                    std::string(role.prefix) + " encoder " + context.codec->name + " failed: " + av_error_text(code));
    return packet;
}

}  // namespace ringcast::runtime
