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
} ringcast_producer_config;

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

/* Hands out the next slot to render into: *pixels is writable, *bytes long, until commit or abort. [video thread] */
RINGCAST_C_API int ringcast_producer_acquire_video(ringcast_producer* producer, void** pixels, size_t* bytes);
RINGCAST_C_API int ringcast_producer_commit_video(ringcast_producer* producer, int64_t pts_ns);
RINGCAST_C_API int ringcast_producer_abort_video(ringcast_producer* producer);

/* Copies interleaved samples (bytes = samples x channels x sample size), any length. [audio thread] */
RINGCAST_C_API int ringcast_producer_write_audio(ringcast_producer* producer, const void* samples, size_t bytes,
                                                 int64_t pts_ns);

/* Waits until `count` sinks are attached with their encoders open. 0, or NOT_FOUND at the time-out. [any thread] */
RINGCAST_C_API int ringcast_producer_wait_readers(const ringcast_producer* producer, uint32_t count,
                                                  int64_t timeout_ns);

/* Ends the stream: sinks finish their outputs. Idempotent. [one thread, no write in progress] */
RINGCAST_C_API int ringcast_producer_end(ringcast_producer* producer);

/* Frees the handle. Without end() before, the stream counts as interrupted, not ended: sinks wait for the next
 * producer. NULL is allowed. [one thread, no write in progress] */
RINGCAST_C_API void ringcast_producer_close(ringcast_producer* producer);

#ifdef __cplusplus
}
#endif
#endif
