// SPDX-License-Identifier: Apache-2.0
#include <ringcast/sink.h>

#include "file/file_sink.hpp"
#include "mux/packet_sink.hpp"

namespace {

using Calls = ringcast::sink::PacketSinkCalls<ringcast::sink::FileSink>;

constexpr ringcast_sink_option kPath{
    "path", nullptr, "file to record to: .mp4, .mkv, .ts or .flv; with the date: path=rec-%Y%m%d-%H%M%S.mp4", nullptr};
constexpr ringcast_sink_option kOverwrite{
    "overwrite", "no", "when the file exists: no refuses, yes replaces it, number goes on beside it in show-2.mp4",
    "no|yes|number"};
constexpr ringcast_sink_option kSplit{
    "split", nullptr,
    "go on in a new file, at a keyframe, after so much time or so many bytes, e.g. split=10m or 500MB", nullptr};
constexpr ringcast_sink_option kMinFree{
    "min_free", "500MB",
    "stop, with the file whole, when less than this is free on its disk, e.g. min_free=2GB; 0: never", nullptr};
constexpr ringcast_sink_option kFastStart{
    "fast_start", "yes",
    "write a finished .mp4 anew with its index first, in the background; a copy of it, min_free and 64 MB must be free",
    "no|yes"};
constexpr const ringcast_sink_option* kOptions[] = {&kPath, &kOverwrite, &kSplit, &kMinFree, &kFastStart, nullptr};

constexpr const char* kDefaults[] = {"on_stall=wait", "on_end=close",     "video.rate_control=crf",
                                     "video.crf=20",  "audio.rate=48000", nullptr};

constexpr ringcast_sink_plugin_v1 describe() {
    ringcast_sink_plugin_v1 plugin = Calls::describe();
    plugin.name = "file";
    plugin.summary = "records to files that play after a crash (.mp4, .mkv, .ts, .flv)";
    plugin.main_option = "path";
    plugin.options = kOptions;
    plugin.defaults = kDefaults;
    return plugin;
}

}  // namespace

extern "C" RINGCAST_SINK_EXPORT constexpr ringcast_sink_plugin_v1 ringcast_sink_plugin = describe();
