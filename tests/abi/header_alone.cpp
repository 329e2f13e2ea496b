// SPDX-License-Identifier: Apache-2.0
#include "ringcast/sink.h"
#include "ringcast/sink_linger.h"
#include "ringcast/sink_replace.h"

#include <type_traits>

static_assert(std::is_standard_layout_v<ringcast_sink_plugin_v1> && std::is_trivial_v<ringcast_sink_plugin_v1>);
static_assert(std::is_standard_layout_v<ringcast_sink_host> && std::is_trivial_v<ringcast_sink_host>);
static_assert(std::is_standard_layout_v<ringcast_sink_stream> && std::is_trivial_v<ringcast_sink_stream>);
static_assert(std::is_standard_layout_v<ringcast_sink_packet> && std::is_trivial_v<ringcast_sink_packet>);
static_assert(std::is_standard_layout_v<ringcast_sink_frame> && std::is_trivial_v<ringcast_sink_frame>);
static_assert(sizeof(ringcast_sink_plugin_v1) == 192);
