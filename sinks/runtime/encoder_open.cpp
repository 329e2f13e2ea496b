// SPDX-License-Identifier: Apache-2.0
#include "runtime/encoder_open.hpp"

#include <dlfcn.h>

#include <vector>

#include "ringcast/error.hpp"
#include "runtime/av_log.hpp"

extern "C" {
#include <libavutil/opt.h>
}

namespace ringcast::runtime {

namespace {

/// Encoders of this codec that libavcodec here knows.
std::vector<std::string_view> encoders_of(AVCodecID codec_id) {
    std::vector<std::string_view> names;
    void* position = nullptr;
    while (const AVCodec* codec = av_codec_iterate(&position))
        if (codec->id == codec_id && av_codec_is_encoder(codec) != 0) names.emplace_back(codec->name);
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
        return text.append(role.fallback);
    }
    text.append(".options: ").append(word).append(" has no option ").append(name);
    const std::string_view near = nearest_name(name, names);
    return near.empty() ? text : text.append(": did you mean ").append(near).append("?");
}

/// Why a hardware encoder cannot open, in words people can act on; empty when it is not about the hardware.
std::string missing_hardware(const std::string& encoder, const std::string& log) {
    if (!encoder.ends_with("_nvenc")) return {};
    void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (driver == nullptr) return "this machine has no NVIDIA driver (libcuda.so.1 not found)";
    dlclose(driver);
    void* nvenc = dlopen("libnvidia-encode.so.1", RTLD_LAZY | RTLD_LOCAL);
    if (nvenc == nullptr) return "the NVIDIA driver here has no encoder library (libnvidia-encode.so.1 not found)";
    dlclose(nvenc);
    // Compute cards (A100, H100, H200) come without the encoder unit.
    const bool no_unit =
        log.find("unsupported device") != std::string::npos || log.find("No capable devices") != std::string::npos;
    return no_unit ? "this GPU has no NVENC" : "";
}

std::string cannot_open_text(const EncoderRole& role, const std::string& encoder, int code, const std::string& log) {
    std::string reason = missing_hardware(encoder, log);
    const std::string prefix(role.prefix);
    if (reason.empty()) {
        reason = log.empty() ? av_error_text(code) : log;
        while (!reason.empty() && reason.back() == '.')
            reason.pop_back();
    }
    std::string text = prefix + ".encoder=" + encoder + " cannot open: " + reason;
    const std::string fix = encoder == role.fallback
                                ? "check " + prefix + ".preset, " + prefix + ".size and " + prefix + ".options"
                                : "use " + prefix + ".encoder=" + std::string(role.fallback);
    return text + ": " + fix;
}

}  // namespace

void EncoderSettings::set(std::string_view name, std::string_view value) {
    AVDictionary* raw = dictionary_.release();
    const int code = av_dict_set(&raw, std::string(name).c_str(), std::string(value).c_str(), 0);
    dictionary_.reset(raw);
    if (code < 0) throw std::bad_alloc();
}

void EncoderSettings::set_all(const Pairs& pairs) {
    for (const auto& [name, value] : pairs)
        set(name, value);
}

AVCodecContextPtr make_encoder(const EncoderRole& role, const std::string& name) {
    const AVCodec* codec = avcodec_find_encoder_by_name(name.c_str());
    const std::string word = std::string(role.prefix) + ".encoder=" + name;
    if (codec == nullptr) {
        const auto names = encoders_of(role.codec_id);
        const std::string_view near = nearest_name(name, names);
        throw Error(ErrorCode::invalid_argument,
                    word + ": libavcodec here has no such encoder: " +
                        (near.empty() ? "use " + std::string(role.prefix) + ".encoder=" + std::string(role.fallback)
                                      : "did you mean " + std::string(near) + "?"));
    }
    if (codec->id != role.codec_id)
        throw Error(ErrorCode::invalid_argument,
                    word + " makes " + avcodec_get_name(codec->id) + ", not " + std::string(role.codec_name) +
                        ": use " + std::string(role.prefix) + ".encoder=" + std::string(role.fallback));
    return av_owned<AVCodecContextPtr>(avcodec_alloc_context3(codec));
}

bool encoder_has_option(const AVCodecContext& context, const char* name) {
    return context.priv_data != nullptr && av_opt_find(context.priv_data, name, nullptr, 0, 0) != nullptr;
}

AVCodecContextPtr open_encoder(const EncoderRole& role, AVCodecContextPtr context, EncoderSettings& settings) {
    const std::string name = context->codec->name;
    AVDictionary* raw = settings.dictionary_.release();
    AvLogCapture log;
    const int code = avcodec_open2(context.get(), context->codec, &raw);
    settings.dictionary_.reset(raw);  // what nobody took
    if (code < 0) throw Error(ErrorCode::unsupported, cannot_open_text(role, name, code, log.text()));
    if (const AVDictionaryEntry* left = av_dict_get(raw, "", nullptr, AV_DICT_IGNORE_SUFFIX))
        throw Error(ErrorCode::invalid_argument, unknown_setting_text(role, *context, *left));
    return context;
}

}  // namespace ringcast::runtime
