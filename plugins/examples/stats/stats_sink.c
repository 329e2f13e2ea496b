/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stats: a complete sink plugin that sends nothing and counts everything. Start from this file for a sink of your own:
 * replace what happens in connect(), packet() and disconnect(). docs/plugin-abi.md walks through it.
 *
 * All state is in the instance; the one thing another thread reads, bytes_sent(), is atomic.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringcast/sink.h"

enum { MAX_STREAMS = 2 };

struct stream_stats {
    uint32_t media;
    double seconds_per_tick;
    uint64_t packets;
    uint64_t keyframes;
    uint64_t bytes;
    int64_t end_ticks;
};

struct stats_sink {
    const ringcast_sink_host* host;
    int print_packets;
    struct stream_stats streams[MAX_STREAMS];
    uint32_t stream_count;
    _Atomic uint64_t bytes; /* bytes_sent() may come from any thread */
};

/* Options arrive as text; those without a value are not in the list. */
static const char* value_of(const ringcast_sink_option* const* options, const char* key) {
    for (; *options != NULL; ++options) {
        if (strcmp((*options)->key, key) == 0) return (*options)->value;
    }
    return NULL;
}

static int32_t stats_create(const ringcast_sink_host* host, const ringcast_sink_option* const* options, void** self) {
    struct stats_sink* sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        host->set_error(host, "stats: out of memory");
        return RINGCAST_SINK_E_INTERNAL;
    }
    const char* print = value_of(options, "print");
    sink->host = host;
    sink->print_packets = print != NULL && strcmp(print, "packets") == 0;
    *self = sink;
    return RINGCAST_SINK_OK;
}

static void stats_destroy(void* self) {
    free(self);
}

/* There is no peer: a real sink opens its socket or file here and may block until interrupt(). */
static int32_t stats_connect(void* self) {
    struct stats_sink* sink = self;
    sink->stream_count = 0;
    return RINGCAST_SINK_OK;
}

static int32_t stats_headers(void* self, const ringcast_sink_stream* const* streams, uint32_t stream_count) {
    struct stats_sink* sink = self;
    if (stream_count > MAX_STREAMS) {
        sink->host->set_error(sink->host, "stats: more than two streams");
        return RINGCAST_SINK_E_UNSUPPORTED;
    }
    memset(sink->streams, 0, sizeof sink->streams);
    for (uint32_t i = 0; i < stream_count; ++i) {
        sink->streams[i].media = streams[i]->media;
        sink->streams[i].seconds_per_tick = (double)streams[i]->timebase_num / streams[i]->timebase_den;
    }
    sink->stream_count = stream_count;
    return RINGCAST_SINK_OK;
}

static int32_t stats_packet(void* self, const ringcast_sink_packet* packet) {
    struct stats_sink* sink = self;
    if (packet->stream >= sink->stream_count) {
        sink->host->set_error(sink->host, "stats: packet of a stream that headers() did not name");
        return RINGCAST_SINK_E_INTERNAL;
    }
    struct stream_stats* stream = &sink->streams[packet->stream];
    stream->packets += 1;
    stream->bytes += packet->data_size;
    stream->end_ticks = packet->pts + packet->duration;
    if ((packet->flags & RINGCAST_SINK_PACKET_KEY) != 0) stream->keyframes += 1;
    atomic_fetch_add_explicit(&sink->bytes, packet->data_size, memory_order_relaxed);
    if (sink->print_packets) {
        printf("%s pts=%lld dts=%lld duration=%lld bytes=%zu%s\n",
               stream->media == RINGCAST_SINK_VIDEO ? "video" : "audio", (long long)packet->pts, (long long)packet->dts,
               (long long)packet->duration, packet->data_size,
               (packet->flags & RINGCAST_SINK_PACKET_KEY) != 0 ? " key" : "");
    }
    return RINGCAST_SINK_OK;
}

static int32_t stats_disconnect(void* self, int32_t final) {
    struct stats_sink* sink = self;
    for (uint32_t i = 0; i < sink->stream_count; ++i) {
        const struct stream_stats* stream = &sink->streams[i];
        char line[160];
        snprintf(line, sizeof line, "%s: %llu packets, %llu keyframes, %llu bytes, %.3f s",
                 stream->media == RINGCAST_SINK_VIDEO ? "video" : "audio", (unsigned long long)stream->packets,
                 (unsigned long long)stream->keyframes, (unsigned long long)stream->bytes,
                 (double)stream->end_ticks * stream->seconds_per_tick);
        sink->host->log(sink->host, RINGCAST_SINK_LOG_INFO, line);
    }
    if (final) fflush(stdout);
    return RINGCAST_SINK_OK;
}

/* No call of this sink ever waits for anything. */
static void stats_interrupt(void* self) {
    (void)self;
}

static uint64_t stats_bytes_sent(void* self) {
    struct stats_sink* sink = self;
    return atomic_load_explicit(&sink->bytes, memory_order_relaxed);
}

static const ringcast_sink_option print_option = {
    .key = "print",
    .value = "summary",
    .help = "what to show: one line per stream at the end, or also one per packet, e.g. print=packets",
    .choices = "summary|packets",
};
static const ringcast_sink_option* const stats_options[] = {&print_option, NULL};
static const char* const stats_defaults[] = {"on_stall=wait", NULL};

RINGCAST_SINK_EXPORT const ringcast_sink_plugin_v1 ringcast_sink_plugin = {
    .size = sizeof(ringcast_sink_plugin_v1),
    .abi_major = RINGCAST_SINK_ABI_MAJOR,
    .abi_minor = RINGCAST_SINK_ABI_MINOR,
    .name = "stats",
    .version = "1.0.0",
    .summary = "counts packets and sends nothing",
    .takes = RINGCAST_SINK_TAKES_PACKETS,
    .swap = RINGCAST_SINK_SWAP_STOP_START,
    .main_option = "print",
    .options = stats_options,
    .defaults = stats_defaults,
    .create = stats_create,
    .destroy = stats_destroy,
    .connect = stats_connect,
    .headers = stats_headers,
    .packet = stats_packet,
    .disconnect = stats_disconnect,
    .interrupt = stats_interrupt,
    .bytes_sent = stats_bytes_sent,
};
