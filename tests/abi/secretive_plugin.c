/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin with secrets that says them wherever it can, and writes what it was given to the file `record`. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ringcast/sink.h"
#include "ringcast/sink_replace.h"

#define LONGEST 5000

static const ringcast_sink_host* the_host;
static char url[LONGEST];
static char key[LONGEST];
static char record[LONGEST];
static char then[LONGEST];
static uint64_t packets;

static void take(const ringcast_sink_option* const* options) {
    for (; *options != NULL; ++options) {
        const char* name = (*options)->key;
        char* where = strcmp(name, "url") == 0    ? url
                      : strcmp(name, "key") == 0  ? key
                      : strcmp(name, "then") == 0 ? then
                                                  : record;
        snprintf(where, LONGEST, "%s", (*options)->value);
    }
}

static void write_record(const char* call) {
    FILE* file = fopen(record, "a");
    if (file == NULL) return;
    fprintf(file, "%s url=%s key=%s\n", call, url, key);
    fclose(file);
}

/* As an URL would carry it. */
static void encode(const char* text, char* out) {
    for (; *text != '\0'; ++text)
        out += sprintf(out, "%%%02X", (unsigned char)*text);
}

static void blab(void) {
    char encoded[3 * LONGEST + 1] = "";
    char* line = NULL;
    encode(key, encoded);
    if (asprintf(&line, "publishing to %s with %s, encoded %s", url, key, encoded) < 0) return;
    the_host->log(the_host, RINGCAST_SINK_LOG_INFO, line);
    the_host->set_info(the_host, "url", line);
    the_host->set_stat(the_host, key, 1);
    the_host->set_error(the_host, line);
    free(line);
}

static int32_t create(const ringcast_sink_host* host, const ringcast_sink_option* const* options, void** self) {
    the_host = host;
    *self = NULL;
    take(options);
    write_record("create");
    blab();
    return strcmp(then, "refuse") == 0 ? RINGCAST_SINK_E_CONFIG : RINGCAST_SINK_OK;
}
static void destroy(void* self) {
    (void)self;
}
static int32_t connect_(void* self) {
    (void)self;
    write_record("connect");
    blab();
    return strcmp(then, "reject") == 0 ? RINGCAST_SINK_E_REJECTED : RINGCAST_SINK_OK;
}
static int32_t headers(void* self, const ringcast_sink_stream* const* streams, uint32_t stream_count) {
    (void)self;
    (void)streams;
    (void)stream_count;
    return RINGCAST_SINK_OK;
}
static int32_t packet(void* self, const ringcast_sink_packet* packet) {
    (void)self;
    (void)packet;
    ++packets;
    if (strcmp(then, "crash") == 0) abort();
    return RINGCAST_SINK_OK;
}
static int32_t disconnect(void* self, int32_t final) {
    (void)self;
    (void) final;
    return RINGCAST_SINK_OK;
}
static void interrupt(void* self) {
    (void)self;
}
static uint64_t bytes_sent(void* self) {
    (void)self;
    return packets;
}

static int32_t replace(void* self, const ringcast_sink_option* const* options) {
    (void)self;
    for (const ringcast_sink_option* const* option = options; *option != NULL; ++option) {
        if (strncmp((*option)->value, "wrong", 5) != 0) continue;
        the_host->set_error(the_host, "key= begins with wrong; copy it again");
        return RINGCAST_SINK_E_CONFIG;
    }
    take(options);
    write_record("replace");
    blab();
    return RINGCAST_SINK_OK;
}
static const ringcast_sink_replace_v1 replacing = {sizeof replacing, 0, replace};
static const void* extension(void* self, const char* id) {
    (void)self;
    return strcmp(id, RINGCAST_SINK_REPLACE) == 0 && strcmp(then, "keep") != 0 ? &replacing : NULL;
}

static const ringcast_sink_option option_url = {"url", NULL, "where to", NULL};
static const ringcast_sink_option option_key = {"key", NULL, "the stream key", NULL};
static const ringcast_sink_option option_record = {"record", NULL, "file to write the values to", NULL};
static const ringcast_sink_option option_then = {"then", "go", "what to do", "go|refuse|reject|crash|keep"};
static const ringcast_sink_option* const options[] = {&option_url, &option_key, &option_record, &option_then, NULL};
static const char* const secrets[] = {"key", NULL};
static const char* const secret_urls[] = {"url", NULL};

RINGCAST_SINK_EXPORT const ringcast_sink_plugin_v1 ringcast_sink_plugin = {
    .size = sizeof(ringcast_sink_plugin_v1),
    .abi_major = RINGCAST_SINK_ABI_MAJOR,
    .abi_minor = RINGCAST_SINK_ABI_MINOR,
    .name = "secretive",
    .version = "1.0",
    .summary = "a plugin for tests that cannot keep a secret",
    .takes = RINGCAST_SINK_TAKES_PACKETS,
    .main_option = "url",
    .options = options,
    .create = create,
    .destroy = destroy,
    .connect = connect_,
    .headers = headers,
    .packet = packet,
    .disconnect = disconnect,
    .interrupt = interrupt,
    .bytes_sent = bytes_sent,
    .extension = extension,
    .secrets = secrets,
    .secret_urls = secret_urls,
};
