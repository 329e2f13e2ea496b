/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ringcast sink plugin ABI, version 1. docs/plugin-abi.md explains it with a worked example.
 *
 * A plugin is a shared object that exports one symbol, `ringcast_sink_plugin`. The host process (ringcast-sink) loads
 * one plugin, reads the bus, runs the timeline and the encoders, and calls the plugin. C only; every struct starts with
 * its size; fields are only ever added at the end; majors must be equal.
 *
 * Threads. [main-thread]: the host's main thread. [sink-thread]: the one thread that runs a plugin's output; all calls
 * tagged so are made from it, one after the other. [any-thread]: may be called while any other call runs.
 *
 * States. created -connect-> connected -headers-> started -disconnect-> created. The tag's second word is the state a
 * call needs. connect/disconnect repeat for the life of an instance.
 *
 * Ownership. Pointers handed to a call are valid until it returns; keep a copy, not the pointer.
 */
#ifndef RINGCAST_SINK_H
#define RINGCAST_SINK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RINGCAST_SINK_ABI_MAJOR 1
#define RINGCAST_SINK_ABI_MINOR 1

/* ---- Return codes: the class of an error decides what the host does next. ---------------------------------------- */
#define RINGCAST_SINK_OK 0
#define RINGCAST_SINK_E_AGAIN (-1)       /* peer congested: the host drops to the next keyframe, both tracks, counted */
#define RINGCAST_SINK_E_TRANSIENT (-2)   /* connection lost or refused for now: disconnect, back off, connect again */
#define RINGCAST_SINK_E_REJECTED (-3)    /* the peer said no (key, passphrase): loud, retried each minute */
#define RINGCAST_SINK_E_CONFIG (-4)      /* wrong options or a place that cannot be used: failed, no retry */
#define RINGCAST_SINK_E_INTERRUPTED (-5) /* interrupt() ended the call */
#define RINGCAST_SINK_E_UNSUPPORTED (-6) /* codec or format this sink cannot carry: failed, no retry */
#define RINGCAST_SINK_E_STORAGE (-7)     /* disk full or gone: what was written is kept, failed */
#define RINGCAST_SINK_E_INTERNAL (-8)    /* a bug of the plugin: failed */

/* ---- Streams and packets ------------------------------------------------------------------------------------------
 */
enum ringcast_sink_media { RINGCAST_SINK_VIDEO = 0, RINGCAST_SINK_AUDIO = 1 };

/* How the bytes of each codec look:
 *   H264, H265  length-prefixed NAL units (4 bytes), extradata = avcC / hvcC box contents
 *   AAC         raw access units, extradata = AudioSpecificConfig
 *   OPUS        raw packets, extradata = OpusHead */
enum ringcast_sink_codec {
    RINGCAST_SINK_H264 = 1,
    RINGCAST_SINK_H265 = 2,
    RINGCAST_SINK_AAC = 3,
    RINGCAST_SINK_OPUS = 4
};

typedef struct ringcast_sink_stream {
    uint32_t size;
    uint32_t media;        /* enum ringcast_sink_media */
    uint32_t codec;        /* enum ringcast_sink_codec; 0 for frame sinks */
    uint32_t timebase_num; /* seconds per tick = timebase_num / timebase_den */
    uint32_t timebase_den;
    uint32_t width; /* pixels */
    uint32_t height;
    uint32_t fps_num; /* constant frame rate */
    uint32_t fps_den;
    uint32_t sample_rate; /* Hz */
    uint32_t channels;
    uint32_t initial_padding; /* audio samples the encoder put in front; the first packet's pts is that much below 0 */
    uint32_t reserved0;
    uint64_t bitrate_bps; /* target or maximum; 0 unknown */
    const uint8_t* extradata;
    size_t extradata_size;
    int64_t epoch_realtime_ns; /* CLOCK_REALTIME at pts 0 of this output; 0 unknown */
} ringcast_sink_stream;

#define RINGCAST_SINK_PACKET_KEY 1u

typedef struct ringcast_sink_packet {
    uint32_t size;
    uint32_t stream; /* index into the streams of headers() */
    uint32_t flags;  /* RINGCAST_SINK_PACKET_* */
    uint32_t reserved0;
    int64_t pts; /* ticks of the stream's timebase; dts rises strictly within a stream */
    int64_t dts;
    int64_t duration;
    int64_t capture_time_ns; /* CLOCK_MONOTONIC when the model committed the picture; 0 unknown (audio, filled in) */
    const uint8_t* data;
    size_t data_size;
} ringcast_sink_packet;

/* Frame sinks: one picture or one run of samples, a private copy in the format asked for with the options
 * video.pix_fmt / audio.rate / audio.channels (samples are interleaved f32). */
typedef struct ringcast_sink_frame {
    uint32_t size;
    uint32_t stream;
    uint32_t format; /* pixel format, numbers of ringcast.h */
    uint32_t plane_count;
    int64_t pts;
    int64_t duration;
    int64_t capture_time_ns;
    const uint8_t* plane[4];
    uint32_t stride[4];   /* bytes per line, lines top to bottom */
    const float* samples; /* audio: sample_count x channels */
    uint32_t sample_count;
    uint32_t reserved0;
    uint64_t in_place; /* not 0: planes lie in the ring; ask host->still_valid() with this after use */
} ringcast_sink_frame;

/* ---- Hand-over of a running output to a new process (feature "ringcast.handover/1") --------------------------------
 */
typedef struct ringcast_sink_handover {
    uint32_t size;
    uint32_t version;       /* of the plugin's blob */
    int64_t next_video_pts; /* ticks: where the new instance begins */
    int64_t next_audio_pts;
    uint64_t media_sequence;
    const uint8_t* blob; /* the plugin's own; valid until the next call on the instance */
    size_t blob_size;
} ringcast_sink_handover;

/* As a value of set_stat(): there is no such figure any more. */
#define RINGCAST_SINK_NO_STAT INT64_MIN

/* ---- The host, seen from the plugin -------------------------------------------------------------------------------
 */
enum ringcast_sink_log_level {
    RINGCAST_SINK_LOG_DEBUG = 0,
    RINGCAST_SINK_LOG_INFO = 1,
    RINGCAST_SINK_LOG_WARNING = 2,
    RINGCAST_SINK_LOG_ERROR = 3
};

typedef struct ringcast_sink_host {
    uint32_t size;
    uint16_t abi_major;
    uint16_t abi_minor;
    void* context; /* the host's; pass the struct back unchanged */

    /* One line, no newline, no secrets. [any-thread] */
    void (*log)(const struct ringcast_sink_host* host, uint32_t level, const char* text);
    /* The reason behind the last negative return code: one line that names the thing and the fix. [any-thread] */
    void (*set_error)(const struct ringcast_sink_host* host, const char* text);
    /* A figure for the inspector (`info`, `top`), by a stable snake_case name with its unit at the end: "rtt_us",
     * "loss_packets"; of one of many peers "client.N.rtt_us", N = 0, 1, ... At most 39 characters, and no secret in
     * them, else it is left out. It stays from connection to connection; RINGCAST_SINK_NO_STAT takes it back. Cheap:
     * one store when the name is known. [any-thread] */
    void (*set_stat)(const struct ringcast_sink_host* host, const char* name, int64_t value);
    /* A text for people, by a name of the same kind: "url" where it can be watched, "path" of the file being written,
     * "client.N.address". Shown up to 207 bytes; an empty one takes it back. [any-thread] */
    void (*set_info)(const struct ringcast_sink_host* host, const char* name, const char* text);
    /* Asks the encoder for a keyframe soon. [any-thread] */
    void (*request_keyframe)(const struct ringcast_sink_host* host);
    /* 1 when the in-place frame was whole the whole time, else 0: throw away what came of it. [sink-thread] */
    int32_t (*still_valid)(const struct ringcast_sink_host* host, uint64_t in_place);
    /* A listening TCP socket for "[HOST:]PORT" (default host 127.0.0.1; port 0: any free one). The host inherits it
     * from the process before when there is one, else binds it. The fd (>= 0, close-on-exec, non-blocking) is the
     * plugin's to close; negative: RINGCAST_SINK_E_CONFIG, and the error text is set. [sink-thread & created] */
    int32_t (*listen_socket)(const struct ringcast_sink_host* host, const char* address);
    /* A further interface by id ("ringcast.<feature>/<rev>"), NULL when the host has none. [any-thread] */
    const void* (*extension)(const struct ringcast_sink_host* host, const char* id);
} ringcast_sink_host;

/* ---- The plugin ---------------------------------------------------------------------------------------------------
 */
typedef struct ringcast_sink_option {
    const char* key;     /* "segment" */
    const char* value;   /* current value as text, in a call; default in a declaration (NULL: none) */
    const char* help;    /* one line with unit and an example; NULL in a call */
    const char* choices; /* "event|live"; NULL: free text */
} ringcast_sink_option;

#define RINGCAST_SINK_TAKES_PACKETS 1u
#define RINGCAST_SINK_TAKES_FRAMES 2u

enum ringcast_sink_swap {
    RINGCAST_SINK_SWAP_STOP_START = 0, /* the peer takes one publisher: the old ends, then the new begins */
    RINGCAST_SINK_SWAP_HANDOVER = 1
};

typedef struct ringcast_sink_plugin_v1 {
    uint32_t size;      /* sizeof(ringcast_sink_plugin) the plugin was built with */
    uint16_t abi_major; /* RINGCAST_SINK_ABI_MAJOR */
    uint16_t abi_minor;
    const char* name;    /* "file"; what `ringcast sink NAME` finds */
    const char* version; /* of the plugin */
    const char* summary; /* one line */
    uint32_t takes;      /* RINGCAST_SINK_TAKES_* */
    uint32_t swap;       /* enum ringcast_sink_swap */
    /* The option a bare word on the command line sets ("path"); NULL: none. */
    const char* main_option;
    /* Declared options, NULL-terminated array of pointers. Others are refused by the host before create(). */
    const ringcast_sink_option* const* options;
    /* Defaults for the host's own options (encoder, timeline) when this plugin runs: NULL-terminated "key=value", such
     * as "on_stall=wait", "video.rate_control=crf", "audio.rate=44100"; "on_end=hold if mode=live" holds when the
     * plugin's own option `mode` has that value. A later one wins over an earlier one, the user's words over all. */
    const char* const* defaults;

    /* Makes an instance. `host` outlives it. `options` holds every declared option that has a value, NULL-terminated.
     * CONFIG: a value is wrong; set_error says which and why. Opens nothing yet. [main-thread] */
    int32_t (*create)(const ringcast_sink_host* host, const ringcast_sink_option* const* options, void** self);
    /* [main-thread & created] */
    void (*destroy)(void* self);
    /* Opens the peer or the place, as soon as the host begins to wait for a producer. May block; interrupt() ends it.
     * OK, TRANSIENT, REJECTED, CONFIG, STORAGE, INTERRUPTED. [sink-thread & created] */
    int32_t (*connect)(void* self);
    /* The streams to come, after every connect, perhaps long after, and again when they change. May block; interrupt()
     * ends it. OK, UNSUPPORTED (set_error names the sink that takes the codec), TRANSIENT, REJECTED, CONFIG, STORAGE,
     * INTERRUPTED. [sink-thread & connected] */
    int32_t (*headers)(void* self, const ringcast_sink_stream* const* streams, uint32_t stream_count);
    /* Delivers one packet, in the interleaver's order; the first video packet after headers() is a keyframe. OK, AGAIN,
     * TRANSIENT, REJECTED, STORAGE, INTERRUPTED. NULL in a pure frame sink. [sink-thread & started] */
    int32_t (*packet)(void* self, const ringcast_sink_packet* packet);
    /* The same for frame sinks; NULL in a pure packet sink. [sink-thread & started] */
    int32_t (*frame)(void* self, const ringcast_sink_frame* frame);
    /* Closes. `final` = 1: the stream is over or the sink was told to stop: trailers, end of playlist, files whole.
     * 0: a connection was lost and connect() will come again. Must not block longer than 5 s.
     * [sink-thread & connected or started] */
    int32_t (*disconnect)(void* self, int32_t final);
    /* Makes a blocked call of the sink thread return INTERRUPTED soon. The host repeats it, so one may come when that
     * call is over: connect() forgets any that came before it. [any-thread] */
    void (*interrupt)(void* self);
    /* Bytes that left this instance since create(): socket or disk. Never falls. [any-thread] */
    uint64_t (*bytes_sent)(void* self);

    /* Hand-over; both NULL when `swap` is STOP_START. The old instance ends and describes where; the new one takes
     * that, before connect(). [sink-thread & started] / [sink-thread & created] */
    int32_t (*handover_export)(void* self, ringcast_sink_handover* state);
    int32_t (*handover_import)(void* self, const ringcast_sink_handover* state);

    /* A further interface of the plugin by id, NULL when it has none; the member itself may be NULL. [any-thread] */
    const void* (*extension)(void* self, const char* id);

    /* Since 1.1, read when `size` covers them. Both: NULL-terminated keys of declared options, or NULL. The user writes
     * env:NAME or file:PATH for the value; create() gets what stands there. */
    const char* const* secrets;     /* stream key, passphrase: a literal on the command line is refused */
    const char* const* secret_urls; /* an address that may hold one behind host and first path segment, or before '@':
                                     * a literal is taken, with a warning, and erased from the command line */
    /* Since 1.1, too: the codecs the sink carries, ended by 0; NULL: any. An encoder that makes another is refused
     * before create(), with `other_codecs`: a few words that name the sinks for those, or NULL. */
    const uint32_t* codecs;
    const char* other_codecs;
} ringcast_sink_plugin_v1;

/* The value of a secret, or of an address that holds one, has at most so many bytes; the host refuses longer ones. */
#define RINGCAST_SINK_MOST_SECRET 4096u

/* The one symbol a plugin exports:
 *   RINGCAST_SINK_EXPORT const ringcast_sink_plugin_v1 ringcast_sink_plugin = { sizeof(ringcast_sink_plugin_v1), ... };
 */
#if defined(__GNUC__)
#define RINGCAST_SINK_EXPORT __attribute__((visibility("default")))
#else
#define RINGCAST_SINK_EXPORT
#endif
#define RINGCAST_SINK_SYMBOL "ringcast_sink_plugin"

extern RINGCAST_SINK_EXPORT const ringcast_sink_plugin_v1 ringcast_sink_plugin;

#ifdef __cplusplus
}
#endif
#endif
