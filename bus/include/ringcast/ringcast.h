/* SPDX-License-Identifier: Apache-2.0 */
/*
 * C API of the ringcast bus: the writing end. Python's ctypes binding and C renderers use it.
 *
 * Strings are UTF-8. Times are int64 nanoseconds. Every function returns 0 or a negative RINGCAST_E_* code unless it
 * says otherwise; ringcast_last_error() then has one line for people. Structs start with their size, set by the caller
 * (sizeof), so that fields can be added at the end.
 *
 * Thread safety: one thread per flow of a producer; video and audio may be written from two threads.
 * After fork() the child must not use the parent's producer (RINGCAST_E_FORKED).
 */
#ifndef RINGCAST_RINGCAST_H
#define RINGCAST_RINGCAST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define RINGCAST_C_API __attribute__((visibility("default")))
#else
#define RINGCAST_C_API
#endif

#define RINGCAST_E_INVALID_ARGUMENT (-1)
#define RINGCAST_E_NOT_FOUND (-2)
#define RINGCAST_E_BUSY (-3)
#define RINGCAST_E_DAMAGED (-4)
#define RINGCAST_E_PERMISSION (-5)
#define RINGCAST_E_NO_SPACE (-6)
#define RINGCAST_E_TOO_LARGE (-7)
#define RINGCAST_E_UNSUPPORTED (-8)
#define RINGCAST_E_SYSTEM (-9)
#define RINGCAST_E_FORKED (-10)
#define RINGCAST_E_ENDED (-11)

/* Let the count of frames or samples give the pts. */
#define RINGCAST_PTS_AUTO INT64_MIN

enum ringcast_pixel_format {
    RINGCAST_RGB24 = 1,
    RINGCAST_BGR24 = 2,
    RINGCAST_RGBA = 3,
    RINGCAST_BGRA = 4,
    RINGCAST_I420 = 5,
    RINGCAST_NV12 = 6
};
enum ringcast_sample_format { RINGCAST_S16 = 1, RINGCAST_F32 = 2 };
enum ringcast_writer_mode { RINGCAST_LIVE = 0, RINGCAST_PACED = 1, RINGCAST_LOSSLESS = 2 };

typedef struct ringcast_producer ringcast_producer;

typedef struct ringcast_producer_config {
    uint32_t size;    /* sizeof(ringcast_producer_config) */
    uint32_t mode;    /* enum ringcast_writer_mode */
    const char* bus;  /* 1..48 of [A-Za-z0-9_-] */
    const char* name; /* shown by the inspector; NULL: "producer" */
    uint32_t width;   /* pixels; 0: no video flow */
    uint32_t height;
    uint32_t fps_num; /* frames per second = fps_num / fps_den */
    uint32_t fps_den;
    uint32_t pixel_format;  /* enum ringcast_pixel_format */
    uint32_t sample_format; /* enum ringcast_sample_format */
    uint32_t sample_rate;   /* Hz; 0: no audio flow */
    uint32_t channels;      /* 1..8, interleaved */
    int64_t video_depth_ns; /* 0: default (1 s, shrunk to what shared memory holds) */
    int64_t audio_depth_ns; /* 0: default (30 s) */
    /* Since 0.2; a smaller `size` leaves these at 0. */
    const char* group;    /* whose members may read the bus, by name or number; NULL: the process's own */
    uint32_t permissions; /* 0600, 0640 (0660 means the same), 0644; 0: 0640 */
    uint32_t packets;     /* 1: with a packets flow */
    uint32_t events;      /* 1: with an events flow */
    uint32_t reserved;    /* 0 */
} ringcast_producer_config;

enum ringcast_codec { RINGCAST_H264 = 1, RINGCAST_H265 = 2, RINGCAST_AAC = 3, RINGCAST_OPUS = 4 };

/* One elementary stream of the packets flow. */
typedef struct ringcast_packet_stream {
    uint32_t size; /* sizeof(ringcast_packet_stream) */
    uint32_t id;
    uint32_t codec; /* enum ringcast_codec */
    uint32_t width; /* video: pixels; 0: audio */
    uint32_t height;
    uint32_t fps_num; /* 0/1: unknown */
    uint32_t fps_den;
    uint32_t sample_rate; /* audio: Hz */
    uint32_t channels;
    uint32_t config_bytes;
    const void* config; /* avcC, hvcC, AudioSpecificConfig, OpusHead; copied */
} ringcast_packet_stream;

/* One encoded packet: H.264 and H.265 with length prefixes, AAC raw. */
typedef struct ringcast_packet {
    uint32_t size; /* sizeof(ringcast_packet) */
    uint32_t stream_id;
    int64_t pts_ns;
    int64_t dts_ns; /* rises from packet to packet of a stream */
    int64_t duration_ns;
    uint32_t key; /* 1: decoding may start here */
    uint32_t reserved;
    const void* data; /* copied */
    size_t bytes;
} ringcast_packet;

/* The version of the library, "0.1.0". Never NULL. [any thread] */
RINGCAST_C_API const char* ringcast_version(void);

/* One line about the last failed call of this thread; valid until the thread's next failing call. Never NULL. */
RINGCAST_C_API const char* ringcast_last_error(void);

/* Creates the bus, reserves its memory, takes the writer locks. *producer is owned by the caller: close it.
 * BUSY: another live producer holds the bus, the text names its pid. NO_SPACE: the text names the fix. [any thread] */
RINGCAST_C_API int ringcast_producer_open(const ringcast_producer_config* config, ringcast_producer** producer);

/* One line when the default depth was shrunk for want of shared memory, else "". Valid until close. [any thread] */
RINGCAST_C_API const char* ringcast_producer_warning(const ringcast_producer* producer);

/* Copies one frame (tightly packed planes, exactly frame-size bytes) into the ring and publishes it. The caller may
 * reuse `pixels` at once. pts_ns: RINGCAST_PTS_AUTO or the bus timeline. [video thread] */
RINGCAST_C_API int ringcast_producer_write_video(ringcast_producer* producer, const void* pixels, size_t bytes,
                                                 int64_t pts_ns);

/* The same from planes and lines that lie apart: strides in bytes from line to line (negative: upwards), 0 for lines
 * without padding. Both arrays have four entries; those beyond the format's planes are not read. [video thread] */
RINGCAST_C_API int ringcast_producer_write_video_planes(ringcast_producer* producer, const void* const planes[4],
                                                        const ptrdiff_t strides[4], int64_t pts_ns);

/* Hands out the next slot to render into: *pixels is writable, *bytes long, until commit or abort. [video thread] */
RINGCAST_C_API int ringcast_producer_acquire_video(ringcast_producer* producer, void** pixels, size_t* bytes);
RINGCAST_C_API int ringcast_producer_commit_video(ringcast_producer* producer, int64_t pts_ns);
RINGCAST_C_API int ringcast_producer_abort_video(ringcast_producer* producer);

/* Copies interleaved samples (bytes = samples x channels x sample size), any length. What the ring cannot hold yet
 * waits in this process and is fed by the clock (lossless: by the video's pts). TOO_LARGE: more than 120 s would wait;
 * nothing of this push was written. [audio thread] */
RINGCAST_C_API int ringcast_producer_write_audio(ringcast_producer* producer, const void* samples, size_t bytes,
                                                 int64_t pts_ns);

/* Nanoseconds of sound that still wait in this process. [any thread] */
RINGCAST_C_API int64_t ringcast_producer_audio_waiting(const ringcast_producer* producer);

/* Another format from the next frame or sample on: size, fps_* and pixel_format, or sample_*, as in the configuration.
 * NO_SPACE: shared memory is too small for it; the old format stays. [video thread], [audio thread] */
RINGCAST_C_API int ringcast_producer_set_video_format(ringcast_producer* producer, uint32_t pixel_format,
                                                      uint32_t width, uint32_t height, uint32_t fps_num,
                                                      uint32_t fps_den);
RINGCAST_C_API int ringcast_producer_set_audio_format(ringcast_producer* producer, uint32_t sample_format,
                                                      uint32_t sample_rate, uint32_t channels);

/* Declares a stream of the packets flow before its first packet, or changes it from its next keyframe on.
 * [packets thread] */
RINGCAST_C_API int ringcast_producer_set_packet_stream(ringcast_producer* producer,
                                                       const ringcast_packet_stream* stream);
RINGCAST_C_API int ringcast_producer_write_packet(ringcast_producer* producer, const ringcast_packet* packet);

/* One small JSON text, UTF-8, zero-terminated, at most 64 KiB; not parsed here. RINGCAST_PTS_AUTO: where the next
 * frame, else the next sample, else now stands. [events thread] */
RINGCAST_C_API int ringcast_producer_write_event(ringcast_producer* producer, const char* json, int64_t pts_ns);

/* The avatar was interrupted: what sinks have not sent yet is void, and so is the sound that waits here. [any thread]
 */
RINGCAST_C_API int ringcast_producer_flush(ringcast_producer* producer);

/* Waits until `count` sinks are attached with their encoders open (of a lossless bus: and their outputs begun). 0, or
 * NOT_FOUND at the time-out. [any thread] */
RINGCAST_C_API int ringcast_producer_wait_readers(const ringcast_producer* producer, uint32_t count,
                                                  int64_t timeout_ns);

/* Ends the stream: sinks finish their outputs. Sound that waits is fed first, by the clock: the call takes that long.
 * Idempotent. [one thread, no write in progress] */
RINGCAST_C_API int ringcast_producer_end(ringcast_producer* producer);

/* Frees the handle. Without end() before, the stream counts as interrupted, not ended: sinks wait for the next
 * producer. NULL is allowed. [one thread, no write in progress] */
RINGCAST_C_API void ringcast_producer_close(ringcast_producer* producer);

#ifdef __cplusplus
}
#endif
#endif
