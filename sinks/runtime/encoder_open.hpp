// SPDX-License-Identifier: Apache-2.0
/// Finding, opening and emptying a libavcodec encoder, with errors that name the option and the fix. Shared by both
/// encoders.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ringcast/caps.hpp"
#include "ringcast/error.hpp"
#include "runtime/av_handles.hpp"
#include "runtime/option_values.hpp"

namespace ringcast::runtime {

/// What an encoder is opened for, as messages need it.
struct EncoderRole {
    std::string_view prefix;  ///< "video" or "audio": the room of its options
    std::string_view sure;    ///< an encoder that is always there
};
inline constexpr EncoderRole kVideoRole{"video", "libx264"};
inline constexpr EncoderRole kAudioRole{"audio", "aac"};

/// The encoder is there and rightly spelt, but this machine cannot run it: the case for a fallback.
class CannotOpen : public Error {
public:
    CannotOpen(const std::string& message, std::string reason)
        : Error(ErrorCode::unsupported, message), reason_(std::move(reason)) {}
    /// "this machine has no NVENC (...)": without the name of the encoder and the fix.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }

private:
    std::string reason_;
};

/// Options on their way to avcodec_open2().
class EncoderSettings {
public:
    void set(std::string_view name, std::string_view value);
    /// What the user passes wins; lists of an encoder's own parameters (x264-params) are added to ours.
    void set_all(const Pairs& pairs);
    [[nodiscard]] std::string value_of(std::string_view name) const;  ///< empty: not set

private:
    friend AVCodecContextPtr open_encoder(const EncoderRole&, AVCodecContextPtr, EncoderSettings&);
    AVDictionaryPtr dictionary_;
};

/// A context of the encoder of that name, which must make a codec that sinks carry. Throws Error(invalid_argument),
/// which names the option that asked for it.
AVCodecContextPtr make_encoder(const EncoderRole& role, const std::string& name, std::string_view option = "encoder");
/// nullopt: no codec of ours.
std::optional<Codec> codec_of(const AVCodecContext& context);

/// True when the encoder itself (not libavcodec in general) knows this option.
bool encoder_has_option(const AVCodecContext& context, const char* name);
/// The names such an option takes; empty when it takes free text or numbers.
std::vector<std::string_view> names_of_option(const AVCodecContext& context, const char* name);

/// Opens it. Throws Error(invalid_argument) for an option nobody took, CannotOpen when it does not open.
AVCodecContextPtr open_encoder(const EncoderRole& role, AVCodecContextPtr context, EncoderSettings& settings);
/// What to throw when `encoder` cannot run here.
CannotOpen cannot_open(const EncoderRole& role, const AVCodec& encoder, const std::string& reason);

/// What the encoder has finished; nullptr: nothing until it is given more. Throws Error(system) when it failed.
AVPacketPtr next_packet(const EncoderRole& role, AVCodecContext& context);

}  // namespace ringcast::runtime
