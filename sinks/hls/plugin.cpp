// SPDX-License-Identifier: Apache-2.0
#include <ringcast/sink.h>

#include "hls/hls_sink.hpp"
#include "mux/packet_sink.hpp"

namespace {

using Calls = ringcast::sink::PacketSinkCalls<ringcast::sink::HlsSink>;

constexpr ringcast_sink_option kDir{"dir", "hls", "folder for playlist and segments, one per sink, e.g. dir=/srv/hls",
                                    nullptr};
constexpr ringcast_sink_option kListen{
    "listen", nullptr, "serve folder and player page on [HOST:]PORT, e.g. listen=8080; without: files only", nullptr};
constexpr ringcast_sink_option kMode{
    "mode", "event", "event: viewers can start at the beginning; live: the newest segments only, for hours and days",
    "event|live"};
constexpr ringcast_sink_option kSegment{
    "segment", "2s", "least length of a segment; cuts are at keyframes (video.gop), e.g. segment=4s", nullptr};
constexpr ringcast_sink_option kSegmentType{"segment_type", "ts",
                                            "container of the segments: MPEG-TS or fragmented MP4", "ts|fmp4"};
constexpr ringcast_sink_option kSegmentName{
    "segment_name", "segment-%05d", "file names of the segments, %05d is the number, e.g. segment_name=talk-%06d",
    nullptr};
constexpr ringcast_sink_option kWindow{
    "window", "6", "mode=live: so many segments are listed, at least 3; one more stays on disk, e.g. window=10",
    nullptr};
constexpr const ringcast_sink_option* kOptions[] = {&kDir,         &kListen,      &kMode,   &kSegment,
                                                    &kSegmentType, &kSegmentName, &kWindow, nullptr};

// A short lookahead: the encoder's own would hold the first segment back by more than a second.
constexpr const char* kDefaults[] = {"on_stall=wait",
                                     "on_end=close",
                                     "on_stall=fill if mode=live",
                                     "on_end=hold if mode=live",
                                     "video.lookahead=8frames",
                                     "audio.rate=48000",
                                     nullptr};

constexpr ringcast_sink_plugin_v1 describe() {
    ringcast_sink_plugin_v1 plugin = Calls::describe();
    plugin.name = "hls";
    plugin.summary = "HLS, event or live, in a folder, with web server and player page";
    plugin.main_option = "dir";
    plugin.options = kOptions;
    plugin.defaults = kDefaults;
    return plugin;
}

}  // namespace

extern "C" RINGCAST_SINK_EXPORT constexpr ringcast_sink_plugin_v1 ringcast_sink_plugin = describe();
