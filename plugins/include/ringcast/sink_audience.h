/* SPDX-License-Identifier: Apache-2.0 */
/* "ringcast.audience/1": a sink that peers come to, such as a listener with many clients. The plugin answers
 * extension(self, RINGCAST_SINK_AUDIENCE) with this struct. While nobody is there the host knows that no byte can
 * leave: the sink is shown as connecting, with the plugin's own reason, nothing is interrupted, and encoding goes on.
 */
#ifndef RINGCAST_SINK_AUDIENCE_H
#define RINGCAST_SINK_AUDIENCE_H

#include <stddef.h>
#include <stdint.h>

#define RINGCAST_SINK_AUDIENCE "ringcast.audience/1"

typedef struct ringcast_sink_audience_v1 {
    uint32_t size;
    uint32_t reserved0;
    /* How many peers are attached now. The host asks a few times a second. [any-thread] */
    uint32_t (*peers)(void* self);
    /* What is waited for while there are none, for people: writes one line, ended by a 0 byte, of at most `size` bytes
     * with it, such as "waits for a client at srt://:9000". [any-thread] */
    void (*waits_for)(void* self, char* text, size_t size);
} ringcast_sink_audience_v1;

#endif
