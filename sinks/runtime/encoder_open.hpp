// SPDX-License-Identifier: Apache-2.0
/// Finding and opening a libavcodec encoder, with errors that name the option and the fix. Shared by both encoders.
#pragma once

#include <string>
#include <string_view>

#include "runtime/av_handles.hpp"
#include "runtime/option_values.hpp"

namespace ringcast::runtime {

/// What an encoder is opened for, as messages need it.
struct EncoderRole {
    std::string_view prefix;      ///< "video" or "audio": the room of its options
    AVCodecID codec_id;           ///< what it must make
    std::string_view codec_name;  ///< "H.264"
    std::string_view fallback;    ///< an encoder that is always there
};

/// Options on their way to avcodec_open2().
class EncoderSettings {
public:
    void set(std::string_view name, std::string_view value);
    void set_all(const Pairs& pairs);

private:
    friend AVCodecContextPtr open_encoder(const EncoderRole&, AVCodecContextPtr, EncoderSettings&);
    AVDictionaryPtr dictionary_;
};

/// A context of the encoder of that name, which must make the role's codec. Throws Error(invalid_argument).
AVCodecContextPtr make_encoder(const EncoderRole& role, const std::string& name);

/// True when the encoder itself (not libavcodec in general) knows this option.
bool encoder_has_option(const AVCodecContext& context, const char* name);

/// Opens it. An option nobody took, or an encoder that does not open, is Error(unsupported).
AVCodecContextPtr open_encoder(const EncoderRole& role, AVCodecContextPtr context, EncoderSettings& settings);

}  // namespace ringcast::runtime
