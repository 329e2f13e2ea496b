// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <span>
#include <string>

#include "ringcast/error.hpp"
#include "ringcast/producer.hpp"
#include "ringcast/ringcast.h"

struct ringcast_producer {
    ringcast::Producer producer;
    std::string warning;
};

namespace {

using ringcast::Error;
using ringcast::ErrorCode;

thread_local std::string last_error;

int fail(ErrorCode code, const char* text) noexcept {
    try {
        last_error = text;
    } catch (...) {
        last_error.clear();
    }
    return static_cast<int>(code);
}

/// The one place where exceptions become codes.
template <class Work>
int guard(Work&& work) noexcept {
    try {
        work();
        return 0;
    } catch (const Error& error) {
        return fail(error.code(), error.what());
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::system, "out of memory");
    } catch (const std::exception& error) {
        return fail(ErrorCode::system, error.what());
    } catch (...) {
        return fail(ErrorCode::system, "unknown exception");
    }
}

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorCode::invalid_argument, what);
}

template <class T>
T* required(T* pointer, const char* name) {
    if (pointer == nullptr) refuse(std::string(name) + " is NULL");
    return pointer;
}

std::optional<std::int64_t> pts_of(std::int64_t pts_ns) {
    return pts_ns == RINGCAST_PTS_AUTO ? std::nullopt : std::optional(pts_ns);
}

std::optional<std::chrono::nanoseconds> depth_of(std::int64_t depth_ns) {
    if (depth_ns < 0) refuse("depth is negative");
    return depth_ns == 0 ? std::nullopt : std::optional(std::chrono::nanoseconds(depth_ns));
}

std::span<const std::byte> bytes_of(const void* data, std::size_t bytes, const char* name) {
    if (data == nullptr && bytes > 0) refuse(std::string(name) + " is NULL");
    return {static_cast<const std::byte*>(data), bytes};
}

/// Of programs compiled before the fields after audio_depth_ns were added.
constexpr std::size_t kFirstConfigSize = offsetof(ringcast_producer_config, group);

template <class T>
void check_size(const T& value, std::size_t least, const char* what) {
    if (value.size >= least) return;
    refuse(std::string(what) + ".size is " + std::to_string(value.size) + ", expected at least " +
           std::to_string(least));
}

ringcast::VideoFormat video_of(std::uint32_t pixel_format, std::uint32_t width, std::uint32_t height,
                               std::uint32_t fps_num, std::uint32_t fps_den) {
    return {static_cast<ringcast::PixelFormat>(pixel_format), width, height, {fps_num, fps_den}};
}

ringcast::AudioFormat audio_of(std::uint32_t sample_format, std::uint32_t rate, std::uint32_t channels) {
    return {static_cast<ringcast::SampleFormat>(sample_format), rate, channels};
}

ringcast::ProducerOptions options_of(const ringcast_producer_config& given) {
    check_size(given, kFirstConfigSize, "ringcast_producer_config");
    ringcast_producer_config config{};
    std::memcpy(&config, &given, std::min<std::size_t>(given.size, sizeof(config)));
    if (config.mode > RINGCAST_LOSSLESS)
        refuse("mode " + std::to_string(config.mode) + " is none of live, paced, lossless");
    ringcast::ProducerOptions options;
    options.bus = required(config.bus, "bus");
    if (config.name != nullptr) options.name = config.name;
    options.mode = static_cast<ringcast::WriterMode>(config.mode);
    if (config.width > 0 || config.height > 0) {
        options.video = video_of(config.pixel_format, config.width, config.height, config.fps_num, config.fps_den);
    }
    if (config.sample_rate > 0) {
        options.audio = audio_of(config.sample_format, config.sample_rate, config.channels);
    }
    if (config.group != nullptr) options.group = config.group;
    if (config.permissions != 0) options.permissions = config.permissions;
    options.packets = config.packets != 0;
    options.events = config.events != 0;
    options.video_depth = depth_of(config.video_depth_ns);
    options.audio_depth = depth_of(config.audio_depth_ns);
    return options;
}

}  // namespace

extern "C" {

const char* ringcast_version(void) {
    return RINGCAST_VERSION;
}

const char* ringcast_last_error(void) {
    return last_error.c_str();
}

int ringcast_producer_open(const ringcast_producer_config* config, ringcast_producer** producer) {
    return guard([&] {
        *required(producer, "producer") = nullptr;
        ringcast::Producer opened(options_of(*required(config, "config")));
        std::string warning = opened.warning();
        *producer = new ringcast_producer{std::move(opened), std::move(warning)};
    });
}

const char* ringcast_producer_warning(const ringcast_producer* producer) {
    return producer == nullptr ? "" : producer->warning.c_str();
}

int ringcast_producer_write_video(ringcast_producer* producer, const void* pixels, size_t bytes, int64_t pts_ns) {
    return guard([&] {
        required(producer, "producer")->producer.write_video(bytes_of(pixels, bytes, "pixels"), pts_of(pts_ns));
    });
}

int ringcast_producer_write_video_planes(ringcast_producer* producer, const void* const planes[4],
                                         const ptrdiff_t strides[4], int64_t pts_ns) {
    return guard([&] {
        required(planes, "planes");
        required(strides, "strides");
        ringcast::FrameView frame;
        for (std::size_t i = 0; i < frame.planes.size(); ++i) {
            frame.planes[i] = static_cast<const std::byte*>(planes[i]);
            frame.strides[i] = strides[i];
        }
        required(producer, "producer")->producer.write_video(frame, pts_of(pts_ns));
    });
}

int ringcast_producer_acquire_video(ringcast_producer* producer, void** pixels, size_t* bytes) {
    return guard([&] {
        required(pixels, "pixels");
        required(bytes, "bytes");
        const auto slot = required(producer, "producer")->producer.acquire_video();
        *pixels = slot.data();
        *bytes = slot.size();
    });
}

int ringcast_producer_commit_video(ringcast_producer* producer, int64_t pts_ns) {
    return guard([&] { required(producer, "producer")->producer.commit_video(pts_of(pts_ns)); });
}

int ringcast_producer_abort_video(ringcast_producer* producer) {
    return guard([&] { required(producer, "producer")->producer.abort_video(); });
}

int ringcast_producer_write_audio(ringcast_producer* producer, const void* samples, size_t bytes, int64_t pts_ns) {
    return guard([&] {
        required(producer, "producer")->producer.write_audio(bytes_of(samples, bytes, "samples"), pts_of(pts_ns));
    });
}

int64_t ringcast_producer_audio_waiting(const ringcast_producer* producer) {
    return producer == nullptr ? 0 : producer->producer.audio_waiting().count();
}

int ringcast_producer_set_video_format(ringcast_producer* producer, uint32_t pixel_format, uint32_t width,
                                       uint32_t height, uint32_t fps_num, uint32_t fps_den) {
    return guard([&] {
        required(producer, "producer")
            ->producer.set_video_format(video_of(pixel_format, width, height, fps_num, fps_den));
    });
}

int ringcast_producer_set_audio_format(ringcast_producer* producer, uint32_t sample_format, uint32_t sample_rate,
                                       uint32_t channels) {
    return guard([&] {
        required(producer, "producer")->producer.set_audio_format(audio_of(sample_format, sample_rate, channels));
    });
}

int ringcast_producer_set_packet_stream(ringcast_producer* producer, const ringcast_packet_stream* stream) {
    return guard([&] {
        check_size(*required(stream, "stream"), sizeof(ringcast_packet_stream), "ringcast_packet_stream");
        ringcast::PacketStream wanted;
        wanted.id = stream->id;
        wanted.codec = static_cast<ringcast::Codec>(stream->codec);
        wanted.width = stream->width;
        wanted.height = stream->height;
        wanted.fps = {stream->fps_num, stream->fps_den};
        wanted.rate = stream->sample_rate;
        wanted.channels = stream->channels;
        const auto config = bytes_of(stream->config, stream->config_bytes, "config");
        wanted.config.assign(config.begin(), config.end());
        required(producer, "producer")->producer.set_packet_stream(wanted);
    });
}

int ringcast_producer_write_packet(ringcast_producer* producer, const ringcast_packet* packet) {
    return guard([&] {
        check_size(*required(packet, "packet"), sizeof(ringcast_packet), "ringcast_packet");
        required(producer, "producer")
            ->producer.write_packet({packet->stream_id, packet->pts_ns, packet->dts_ns, packet->duration_ns,
                                     packet->key != 0, bytes_of(packet->data, packet->bytes, "data")});
    });
}

int ringcast_producer_write_event(ringcast_producer* producer, const char* json, int64_t pts_ns) {
    return guard([&] { required(producer, "producer")->producer.write_event(required(json, "json"), pts_of(pts_ns)); });
}

int ringcast_producer_flush(ringcast_producer* producer) {
    return guard([&] { required(producer, "producer")->producer.flush(); });
}

int ringcast_producer_wait_readers(const ringcast_producer* producer, uint32_t count, int64_t timeout_ns) {
    return guard([&] {
        if (!required(producer, "producer")->producer.wait_readers(count, std::chrono::nanoseconds(timeout_ns))) {
            throw Error(ErrorCode::not_found, "fewer than " + std::to_string(count) + " sinks became ready in time");
        }
    });
}

int ringcast_producer_end(ringcast_producer* producer) {
    return guard([&] { required(producer, "producer")->producer.end(); });
}

void ringcast_producer_close(ringcast_producer* producer) {
    delete producer;
}

}  // extern "C"
