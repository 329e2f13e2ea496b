/* SPDX-License-Identifier: Apache-2.0 */
/* A tiny plugin, whole with FAULT_NONE and wrong in one way with each other definition. */
#define _POSIX_C_SOURCE 200809L

#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ringcast/sink.h"
#include "ringcast/sink_linger.h"

static const ringcast_sink_host* the_host;

static int32_t odd_create(const ringcast_sink_host* host, const ringcast_sink_option* const* options, void** self) {
    the_host = host;
    *self = NULL;
    for (; *options != NULL; ++options) {
        if ((*options)->value[0] == '!') {
            host->set_error(host, "odd: target must not begin with '!'");
            return RINGCAST_SINK_E_CONFIG;
        }
    }
    return RINGCAST_SINK_OK;
}
static void odd_destroy(void* self) {
    (void)self;
#ifdef FAULT_STUCK_AT_END
    the_host->log(the_host, RINGCAST_SINK_LOG_INFO, "odd: stuck in destroy");
    for (;;)
        pause();
#endif
}
static int32_t odd_connect(void* self) {
    (void)self;
#ifdef FAULT_NOISY_FAILURE
    return -77;
#else
    return RINGCAST_SINK_OK;
#endif
}
static int32_t odd_headers(void* self, const ringcast_sink_stream* const* streams, uint32_t stream_count) {
    (void)self;
    (void)streams;
    (void)stream_count;
    return RINGCAST_SINK_OK;
}
static int32_t odd_packet(void* self, const ringcast_sink_packet* packet) {
    (void)self;
    (void)packet;
#ifdef FAULT_STUCK
    the_host->log(the_host, RINGCAST_SINK_LOG_INFO, "odd: stuck for ever");
    for (;;)
        pause();
#endif
    return RINGCAST_SINK_OK;
}
static int32_t odd_disconnect(void* self, int32_t final) {
    (void)self;
    (void) final;
    return RINGCAST_SINK_OK;
}
#ifdef FAULT_LINGERS
static sem_t interrupted;
static void odd_linger(void* self) {
    (void)self;
    the_host->log(the_host, RINGCAST_SINK_LOG_INFO, "odd: lingering");
    sem_wait(&interrupted);
}
static const ringcast_sink_linger_v1 linger = {sizeof linger, 0, odd_linger};
static const void* odd_extension(void* self, const char* id) {
    (void)self;
    return strcmp(id, RINGCAST_SINK_LINGER) == 0 ? &linger : NULL;
}
#endif
static void odd_interrupt(void* self) {
    (void)self;
#ifdef FAULT_LINGERS
    the_host->log(the_host, RINGCAST_SINK_LOG_INFO, "odd: interrupted");
    sem_post(&interrupted);
#endif
#ifdef FAULT_STUCK
    the_host->log(the_host, RINGCAST_SINK_LOG_INFO, "odd: interrupted, still stuck");
#endif
}
static uint64_t odd_bytes_sent(void* self) {
    (void)self;
    return 0;
}

#if defined(FAULT_CRASH_AT_LOAD)
__attribute__((constructor)) static void at_load(void) {
    raise(SIGSEGV);
}
#elif defined(FAULT_HANG_AT_LOAD)
__attribute__((constructor)) static void at_load(void) {
    for (;;)
        pause();
}
#elif defined(FAULT_CHATTY)
__attribute__((constructor)) static void at_load(void) {
    puts("{\"name\": \"a line that is not the answer\"}");
    fflush(stdout);
}
#endif

static const ringcast_sink_option target = {"target", NULL, "where to, e.g. target=there", NULL};
static const ringcast_sink_option mode = {"mode", "a", "which way", "a|b"};
static const ringcast_sink_option* const options[] = {&target, &mode, NULL};
static const char* const defaults[] = {"audio.rate=44100", "audio.channels=1 if mode=b", NULL};

#ifdef FAULT_NO_SYMBOL
#define ringcast_sink_plugin another_name
extern RINGCAST_SINK_EXPORT const ringcast_sink_plugin_v1 another_name;
#endif

RINGCAST_SINK_EXPORT const ringcast_sink_plugin_v1 ringcast_sink_plugin = {
#ifdef FAULT_SHORT_DESCRIPTOR
    .size = 64,
#else
    .size = sizeof(ringcast_sink_plugin_v1),
#endif
#ifdef FAULT_FUTURE_MAJOR
    .abi_major = RINGCAST_SINK_ABI_MAJOR + 1,
#else
    .abi_major = RINGCAST_SINK_ABI_MAJOR,
#endif
    .abi_minor = RINGCAST_SINK_ABI_MINOR,
    .name = "odd",
    .version = "1.0",
    .summary = "a plugin for tests",
    .takes = RINGCAST_SINK_TAKES_PACKETS,
    .main_option = "target",
    .options = options,
    .defaults = defaults,
    .create = odd_create,
    .destroy = odd_destroy,
    .connect = odd_connect,
#ifndef FAULT_MISSING_CALL
    .headers = odd_headers,
#endif
    .packet = odd_packet,
    .disconnect = odd_disconnect,
    .interrupt = odd_interrupt,
    .bytes_sent = odd_bytes_sent,
#ifdef FAULT_LINGERS
    .extension = odd_extension,
#endif
};

#ifdef FAULT_MISSING_CALL
int32_t (*const odd_unused)(void*, const ringcast_sink_stream* const*, uint32_t);
int32_t (*const odd_unused)(void*, const ringcast_sink_stream* const*, uint32_t) = odd_headers;
#endif
