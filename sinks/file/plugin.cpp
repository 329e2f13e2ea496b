// SPDX-License-Identifier: Apache-2.0
#include <ringcast/sink.h>

#include "file/file_sink.hpp"
#include "mux/packet_sink.hpp"

namespace {

using Calls = ringcast::sink::PacketSinkCalls<ringcast::sink::FileSink>;

constexpr ringcast_sink_option kPath{"path", nullptr, "file to record to, .mp4 or .mkv, e.g. path=show.mp4", nullptr};
constexpr ringcast_sink_option kOverwrite{"overwrite", "no", "replace a file that exists", "no|yes"};
constexpr const ringcast_sink_option* kOptions[] = {&kPath, &kOverwrite, nullptr};

constexpr const char* kDefaults[] = {"on_stall=wait", "on_end=close",     "video.rate_control=crf",
                                     "video.crf=20",  "audio.rate=48000", nullptr};

}  // namespace

extern "C" RINGCAST_SINK_EXPORT const ringcast_sink_plugin_v1 ringcast_sink_plugin = {
    .size = sizeof(ringcast_sink_plugin_v1),
    .abi_major = RINGCAST_SINK_ABI_MAJOR,
    .abi_minor = RINGCAST_SINK_ABI_MINOR,
    .name = "file",
    .version = RINGCAST_VERSION,
    .summary = "records to a file that plays after a crash (.mp4, .mkv)",
    .takes = RINGCAST_SINK_TAKES_PACKETS,
    .swap = RINGCAST_SINK_SWAP_STOP_START,
    .main_option = "path",
    .options = kOptions,
    .defaults = kDefaults,
    .create = &Calls::create,
    .destroy = &Calls::destroy,
    .connect = &Calls::connect,
    .headers = &Calls::headers,
    .packet = &Calls::packet,
    .frame = nullptr,
    .disconnect = &Calls::disconnect,
    .interrupt = &Calls::interrupt,
    .bytes_sent = &Calls::bytes_sent,
    .handover_export = nullptr,
    .handover_import = nullptr,
    .extension = nullptr,
};
