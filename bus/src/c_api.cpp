// SPDX-License-Identifier: Apache-2.0
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

ringcast::ProducerOptions options_of(const ringcast_producer_config& config) {
    if (config.size < sizeof(ringcast_producer_config)) {
        refuse("ringcast_producer_config.size is " + std::to_string(config.size) + ", expected at least " +
               std::to_string(sizeof(ringcast_producer_config)));
    }
    if (config.mode > RINGCAST_LOSSLESS)
        refuse("mode " + std::to_string(config.mode) + " is none of live, paced, lossless");
    ringcast::ProducerOptions options;
    options.bus = required(config.bus, "bus");
    if (config.name != nullptr) options.name = config.name;
    options.mode = static_cast<ringcast::WriterMode>(config.mode);
    if (config.width > 0 || config.height > 0) {
        options.video = ringcast::VideoFormat{static_cast<ringcast::PixelFormat>(config.pixel_format),
                                              config.width,
                                              config.height,
                                              {config.fps_num, config.fps_den}};
    }
    if (config.sample_rate > 0) {
        options.audio = ringcast::AudioFormat{static_cast<ringcast::SampleFormat>(config.sample_format),
                                              config.sample_rate, config.channels};
    }
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
