/* SPDX-License-Identifier: Apache-2.0 */
/* "ringcast.replace/1": a sink whose options can change while it runs, such as a stream key that was renewed. The
 * plugin answers extension(self, RINGCAST_SINK_REPLACE) with this struct; without it new values take effect at the next
 * start of the process. */
#ifndef RINGCAST_SINK_REPLACE_H
#define RINGCAST_SINK_REPLACE_H

#include <stdint.h>

#include "ringcast/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RINGCAST_SINK_REPLACE "ringcast.replace/1"

typedef struct ringcast_sink_replace_v1 {
    uint32_t size;
    uint32_t reserved0;
    /* Takes new values: `options`, NULL-terminated as in create(), holds the changed options only; all others keep
     * theirs. The host has called disconnect(0) before when there was a connection; connect() and headers() follow and
     * use the new values. Opens nothing and does not block. The strings are valid until the call returns; copy them.
     * OK; CONFIG: a value is wrong, set_error says which and why (never the value) and all old values stay in force:
     * the host says so and connects with them. Any other code: as elsewhere. [sink-thread & created] */
    int32_t (*replace)(void* self, const ringcast_sink_option* const* options);
} ringcast_sink_replace_v1;

#ifdef __cplusplus
}
#endif
#endif
