// SPDX-License-Identifier: Apache-2.0
#include <ringcast/sink.h>

#include <cstdint>

#include "mux/packet_sink.hpp"
#include "srt/srt_sink.hpp"

namespace {

using Calls = ringcast::sink::PacketSinkCalls<ringcast::sink::SrtSink>;

// Without defaults: what the URL says about these must not be overruled by one.
constexpr ringcast_sink_option kUrl{
    "url", nullptr,
    "srt://HOST:PORT to send there, srt://:PORT to wait for clients; ?streamid=... as platforms show it", nullptr};
constexpr ringcast_sink_option kMode{"mode", nullptr,
                                     "who connects to whom; without it caller, or listener when url= has no host",
                                     "caller|listener|rendezvous"};
constexpr ringcast_sink_option kLatency{
    "latency", nullptr, "how long the receiver waits for what was lost on the way, e.g. latency=400ms (200ms)",
    nullptr};
constexpr ringcast_sink_option kStreamid{
    "streamid", nullptr,
    "what a server calls the stream: env:NAME or file:PATH; of a listener: only who brings it may in", nullptr};
constexpr ringcast_sink_option kPassphrase{
    "passphrase", nullptr, "encrypts, 10 to 79 characters: env:NAME or file:PATH, e.g. passphrase=file:srt.key",
    nullptr};
constexpr ringcast_sink_option kPbkeylen{"pbkeylen", nullptr,
                                         "bytes of the AES key, with a passphrase (32, which is AES-256)", "16|24|32"};
constexpr ringcast_sink_option kMaxbw{
    "maxbw", nullptr, "most that is sent, retransmissions included, e.g. maxbw=10M (no limit)", nullptr};
constexpr const ringcast_sink_option* kOptions[] = {&kUrl,        &kMode,     &kLatency, &kStreamid,
                                                    &kPassphrase, &kPbkeylen, &kMaxbw,   nullptr};

constexpr const char* kSecrets[] = {"streamid", "passphrase", nullptr};
constexpr const char* kSecretUrls[] = {"url", nullptr};

constexpr std::uint32_t kCodecs[] = {RINGCAST_SINK_H264, RINGCAST_SINK_H265, RINGCAST_SINK_AAC, 0};

// Every frame the encoder holds back is a frame of delay.
constexpr const char* kDefaults[] = {"on_stall=fill",          "on_end=hold",      "queue=2s",
                                     "video.tune=zerolatency", "audio.rate=48000", nullptr};

constexpr ringcast_sink_plugin_v1 describe() {
    ringcast_sink_plugin_v1 plugin = Calls::describe();
    plugin.name = "srt";
    plugin.summary = "MPEG-TS over SRT, to a server or to clients (H.264 or H.265, and AAC)";
    plugin.main_option = "url";
    plugin.options = kOptions;
    plugin.defaults = kDefaults;
    plugin.secrets = kSecrets;
    plugin.secret_urls = kSecretUrls;
    plugin.codecs = kCodecs;
    plugin.other_codecs = "the sink file (.mp4, .mkv) takes Opus";
    return plugin;
}

}  // namespace

extern "C" RINGCAST_SINK_EXPORT constexpr ringcast_sink_plugin_v1 ringcast_sink_plugin = describe();
