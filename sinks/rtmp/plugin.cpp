// SPDX-License-Identifier: Apache-2.0
#include <ringcast/sink.h>

#include <cstdint>

#include "mux/packet_sink.hpp"
#include "rtmp/rtmp_sink.hpp"

namespace {

using Calls = ringcast::sink::PacketSinkCalls<ringcast::sink::RtmpSink>;

constexpr ringcast_sink_option kUrl{
    "url", nullptr, "server and app, rtmp://HOST[:PORT]/APP or rtmps://...; a key in it as env:NAME or file:PATH only",
    nullptr};
constexpr ringcast_sink_option kKey{
    "key", nullptr, "stream key, sent byte for byte: env:NAME or file:PATH, e.g. key=env:BILIBILI_KEY", nullptr};
constexpr ringcast_sink_option kTlsCa{
    "tls_ca", nullptr, "rtmps: trust only the authorities in this PEM file, e.g. tls_ca=/etc/ssl/my-ca.pem", nullptr};
constexpr ringcast_sink_option kTlsVerify{
    "tls_verify", "yes", "rtmps: no accepts any certificate, so that anybody on the way can read the key", "yes|no"};
constexpr const ringcast_sink_option* kOptions[] = {&kUrl, &kKey, &kTlsCa, &kTlsVerify, nullptr};

constexpr const char* kSecrets[] = {"key", nullptr};
constexpr const char* kSecretUrls[] = {"url", nullptr};

constexpr std::uint32_t kCodecs[] = {RINGCAST_SINK_H264, RINGCAST_SINK_AAC, 0};

// Platforms expect 44.1 kHz; every frame the encoder holds back is a frame of delay.
constexpr const char* kDefaults[] = {"on_stall=fill",          "on_end=hold",      "queue=2s",
                                     "video.tune=zerolatency", "audio.rate=44100", nullptr};

constexpr ringcast_sink_plugin_v1 describe() {
    ringcast_sink_plugin_v1 plugin = Calls::describe();
    plugin.name = "rtmp";
    plugin.summary = "live to a platform or server over RTMP or RTMPS (H.264 and AAC)";
    plugin.main_option = "url";
    plugin.options = kOptions;
    plugin.defaults = kDefaults;
    plugin.secrets = kSecrets;
    plugin.secret_urls = kSecretUrls;
    plugin.codecs = kCodecs;
    plugin.other_codecs = "the sinks srt, hls and file take H.265, file (.mp4, .mkv) takes Opus";
    return plugin;
}

}  // namespace

extern "C" RINGCAST_SINK_EXPORT constexpr ringcast_sink_plugin_v1 ringcast_sink_plugin = describe();
