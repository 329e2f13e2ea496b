// SPDX-License-Identifier: Apache-2.0
#include "carried_codecs.hpp"

#include <string>
#include <string_view>

#include "plugin_error.hpp"
#include "ringcast/caps.hpp"
#include "ringcast/inspect.hpp"

namespace ringcast::host {
namespace {

constexpr std::size_t kMostHint = 512;

bool carries(const ringcast_sink_plugin_v1& api, Codec codec) {
    if (api.codecs == nullptr) return true;
    for (const std::uint32_t* each = api.codecs; *each != 0; ++each) {
        if (*each == static_cast<std::uint32_t>(codec)) return true;
    }
    return false;
}

void check(const ringcast_sink_plugin_v1& api, std::string_view prefix, Codec codec, const std::string& encoder) {
    if (carries(api, codec)) return;
    const std::string word = encoder.empty() ? ".codec=" + std::string(name_of(codec)) : ".encoder=" + encoder;
    const std::string hint = api.other_codecs == nullptr ? "" : ": " + sanitise(api.other_codecs, kMostHint);
    throw UsageError(std::string(prefix) + word + ": the sink " + sanitise(api.name, kMostHint) + " does not carry " +
                     std::string(name_of(codec)) + hint);
}

}  // namespace

runtime::EncoderProbe probe_carried_encoders(const ringcast_sink_plugin_v1& api, const runtime::SinkOptions& options) {
    // A codec that is named is looked at first: an encoder may not open for a reason that is beside the point then.
    if (options.video.encoder.empty()) check(api, "video", options.video.codec, {});
    if (options.audio.encoder.empty()) check(api, "audio", options.audio.codec, {});
    runtime::EncoderProbe probe = runtime::probe_encoders(options);
    check(api, "video", probe.video, options.video.encoder);
    check(api, "audio", probe.audio, options.audio.encoder);
    return probe;
}

}  // namespace ringcast::host
