// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>
#include <ringcast/sink_audience.h>
#include <ringcast/sink_linger.h>
#include <ringcast/sink_replace.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "mux/host.hpp"
#include "mux/options.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

/// Runs `body` at the C boundary: an exception becomes the call's return code, its text the host's error.
template <class Body>
std::int32_t guard(const ringcast_sink_host* host, Body&& body) noexcept {
    try {
        body();
        return RINGCAST_SINK_OK;
    } catch (const SinkError& error) {
        if (*error.what() != 0) host->set_error(host, error.what());
        return error.code();
    } catch (const std::exception& error) {
        host->set_error(host, error.what());
    } catch (...) {
        host->set_error(host, "an exception of unknown type left the plugin");
    }
    return RINGCAST_SINK_E_INTERNAL;
}

/// The C functions of a packet sink whose work is done by the class Sink:
///     Sink(Host, const Options&);  void connect();  void headers(std::span<const ringcast_sink_stream* const>);
///     void packet(const ringcast_sink_packet&);  void disconnect(bool final);  std::uint64_t bytes_sent() const;
///     and, when a call may wait for a peer, void interrupt().
/// The host is offered what the class has of:
///     void replace(const Options&);  void linger();  std::uint32_t peers() with std::string waits_for().
/// Sink throws; nothing leaves here but return codes. Thread safety: as the ABI tags say.
template <class Sink>
struct PacketSinkCalls {
    struct Instance {
        Instance(const ringcast_sink_host* the_host, const ringcast_sink_option* const* options)
            : host(the_host), sink(Host(the_host), Options(options)) {}

        const ringcast_sink_host* host;
        Sink sink;
    };

    static std::int32_t create(const ringcast_sink_host* host, const ringcast_sink_option* const* options,
                               void** self) {
        return guard(host, [&] { *self = std::make_unique<Instance>(host, options).release(); });
    }
    static void destroy(void* self) { delete static_cast<Instance*>(self); }
    static std::int32_t connect(void* self) {
        return call(self, [](Sink& sink) { sink.connect(); });
    }
    static std::int32_t headers(void* self, const ringcast_sink_stream* const* streams, std::uint32_t count) {
        return call(self, [&](Sink& sink) { sink.headers({streams, count}); });
    }
    static std::int32_t packet(void* self, const ringcast_sink_packet* packet) {
        return call(self, [&](Sink& sink) { sink.packet(*packet); });
    }
    static std::int32_t disconnect(void* self, std::int32_t final) {
        return call(self, [&](Sink& sink) { sink.disconnect(final != 0); });
    }
    // A sink without interrupt() has only a local disk to wait for.
    static void interrupt(void* self) {
        if constexpr (requires(Sink & sink) { sink.interrupt(); }) static_cast<Instance*>(self)->sink.interrupt();
    }
    static std::uint64_t bytes_sent(void* self) { return static_cast<Instance*>(self)->sink.bytes_sent(); }

    static std::int32_t replace(void* self, const ringcast_sink_option* const* options) {
        return call(self, [&](Sink& sink) { sink.replace(Options(options)); });
    }
    static void linger(void* self) { static_cast<Instance*>(self)->sink.linger(); }

    static std::uint32_t peers(void* self) { return static_cast<Instance*>(self)->sink.peers(); }
    static void waits_for(void* self, char* text, std::size_t size) {
        if (size == 0) return;
        const std::string line = static_cast<Instance*>(self)->sink.waits_for();
        const std::size_t length = std::min(line.size(), size - 1);
        std::memcpy(text, line.data(), length);
        text[length] = '\0';
    }

    static constexpr ringcast_sink_replace_v1 kReplace{
        .size = sizeof(ringcast_sink_replace_v1), .reserved0 = 0, .replace = &replace};
    static constexpr ringcast_sink_linger_v1 kLinger{
        .size = sizeof(ringcast_sink_linger_v1), .reserved0 = 0, .linger = &linger};
    static constexpr ringcast_sink_audience_v1 kAudience{
        .size = sizeof(ringcast_sink_audience_v1), .reserved0 = 0, .peers = &peers, .waits_for = &waits_for};

    static const void* extension(void* /*self*/, const char* id) {
        [[maybe_unused]] const std::string_view wanted = id;
        if constexpr (requires { &Sink::replace; })
            if (wanted == RINGCAST_SINK_REPLACE) return &kReplace;
        if constexpr (requires { &Sink::linger; })
            if (wanted == RINGCAST_SINK_LINGER) return &kLinger;
        if constexpr (requires { &Sink::peers; })
            if (wanted == RINGCAST_SINK_AUDIENCE) return &kAudience;
        return nullptr;
    }

    /// What all packet sinks of this tree say alike; name, summary, options and what else is its own fills in the sink.
    static constexpr ringcast_sink_plugin_v1 describe() {
        ringcast_sink_plugin_v1 plugin{};
        plugin.size = sizeof plugin;
        plugin.abi_major = RINGCAST_SINK_ABI_MAJOR;
        plugin.abi_minor = RINGCAST_SINK_ABI_MINOR;
        plugin.version = RINGCAST_VERSION;
        plugin.takes = RINGCAST_SINK_TAKES_PACKETS;
        plugin.swap = RINGCAST_SINK_SWAP_STOP_START;
        plugin.create = &create;
        plugin.destroy = &destroy;
        plugin.connect = &connect;
        plugin.headers = &headers;
        plugin.packet = &packet;
        plugin.disconnect = &disconnect;
        plugin.interrupt = &interrupt;
        plugin.bytes_sent = &bytes_sent;
        plugin.extension = &extension;
        return plugin;
    }

private:
    template <class Body>
    static std::int32_t call(void* self, Body&& body) noexcept {
        auto* instance = static_cast<Instance*>(self);
        return guard(instance->host, [&] { body(instance->sink); });
    }
};

}  // namespace ringcast::sink
