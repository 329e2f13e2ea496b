/* SPDX-License-Identifier: Apache-2.0 */
/* "ringcast.linger/1": a sink that has work left when its last output is closed, such as a recorder that puts a file in
 * order in the background. The plugin answers extension(self, RINGCAST_SINK_LINGER) with this struct. */
#ifndef RINGCAST_SINK_LINGER_H
#define RINGCAST_SINK_LINGER_H

#include <stdint.h>

#define RINGCAST_SINK_LINGER "ringcast.linger/1"

typedef struct ringcast_sink_linger_v1 {
    uint32_t size;
    uint32_t reserved0;
    /* Blocks until nothing is left to do. The host calls it once, after the last disconnect(1) and before destroy();
     * interrupt() makes it return soon, and is called 4 s after a stop. [sink-thread & created] */
    void (*linger)(void* self);
} ringcast_sink_linger_v1;

#endif
