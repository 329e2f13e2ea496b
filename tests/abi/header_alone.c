/* SPDX-License-Identifier: Apache-2.0 */
#include "ringcast/sink.h"
#include "ringcast/sink_linger.h"
#include "ringcast/sink_replace.h"

/* The layout that plugins are built against: a change here is a new major. */
_Static_assert(sizeof(void*) == 8, "64-bit only");
_Static_assert(sizeof(ringcast_sink_stream) == 88, "ringcast_sink_stream");
_Static_assert(sizeof(ringcast_sink_packet) == 64, "ringcast_sink_packet");
_Static_assert(sizeof(ringcast_sink_frame) == 112, "ringcast_sink_frame");
_Static_assert(sizeof(ringcast_sink_handover) == 48, "ringcast_sink_handover");
_Static_assert(sizeof(ringcast_sink_option) == 32, "ringcast_sink_option");
_Static_assert(sizeof(ringcast_sink_host) == 80, "ringcast_sink_host");
_Static_assert(sizeof(ringcast_sink_plugin_v1) == 192, "ringcast_sink_plugin_v1");
_Static_assert(offsetof(ringcast_sink_plugin_v1, abi_major) == 4, "versions stand before everything else");
_Static_assert(offsetof(ringcast_sink_plugin_v1, create) == 64, "create");
_Static_assert(offsetof(ringcast_sink_plugin_v1, extension) == 152, "extension");
_Static_assert(offsetof(ringcast_sink_plugin_v1, secrets) == 160, "what 1.1 added stands behind 1.0");
_Static_assert(sizeof(ringcast_sink_replace_v1) == 16, "ringcast_sink_replace_v1");
_Static_assert(offsetof(ringcast_sink_packet, data) == 48, "data");
_Static_assert(offsetof(ringcast_sink_stream, extradata) == 64, "extradata");

/* ISO C wants a declaration in every unit. */
int ringcast_header_alone_c(void);
int ringcast_header_alone_c(void) {
    return RINGCAST_SINK_ABI_MAJOR;
}
