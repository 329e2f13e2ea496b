// SPDX-License-Identifier: Apache-2.0
/// The floor a sink is measured against: libavcodec's x264 and AAC with the settings of a live push, fed ready pictures
/// from cold memory at the pace of a clock, its packets thrown away. Prints the CPU time it took, as JSON.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "runtime/av_handles.hpp"

namespace {

using namespace ringcast::runtime;

constexpr int kRate = 44100;
constexpr int kBitrate = 1'000'000;
constexpr int kAudioBitrate = 128'000;

struct Words {
    std::string pictures;  // raw yuv420p
    int width = 960, height = 540, fps = 25, threads = 1;
    double seconds = 10;
};

[[noreturn]] void fail(const std::string& text) {
    throw std::runtime_error("bare_encoder: " + text);
}

void must(int code, const char* what) {
    if (code < 0) fail(std::string(what) + ": " + av_error_text(code));
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

AVCodecContextPtr open_video(const Words& words) {
    const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
    AVCodecContextPtr context = av_owned<AVCodecContextPtr>(avcodec_alloc_context3(codec));
    context->width = words.width;
    context->height = words.height;
    context->pix_fmt = AV_PIX_FMT_YUV420P;
    context->time_base = {1, words.fps};
    context->framerate = {words.fps, 1};
    context->gop_size = context->keyint_min = 2;
    context->max_b_frames = 0;
    context->bit_rate = context->rc_max_rate = context->rc_buffer_size = kBitrate;
    context->thread_count = words.threads;
    context->flags |= AV_CODEC_FLAG_CLOSED_GOP | AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary* settings = nullptr;
    for (const auto& [name, value] : {std::pair{"preset", "ultrafast"},
                                      {"tune", "zerolatency"},
                                      {"profile", "baseline"},
                                      {"sc_threshold", "0"},
                                      {"forced-idr", "1"}})
        av_dict_set(&settings, name, value, 0);
    const int code = avcodec_open2(context.get(), codec, &settings);
    av_dict_free(&settings);
    must(code, "open libx264");
    return context;
}

AVCodecContextPtr open_audio() {
    const AVCodec* codec = avcodec_find_encoder_by_name("aac");
    AVCodecContextPtr context = av_owned<AVCodecContextPtr>(avcodec_alloc_context3(codec));
    context->sample_fmt = AV_SAMPLE_FMT_FLTP;
    context->sample_rate = kRate;
    context->bit_rate = kAudioBitrate;
    av_channel_layout_default(&context->ch_layout, 1);
    must(avcodec_open2(context.get(), codec, nullptr), "open aac");
    return context;
}

std::size_t send(AVCodecContext& context, const AVFrame* frame) {
    must(avcodec_send_frame(&context, frame), "encode");
    std::size_t bytes = 0;
    const AVPacketPtr packet = av_owned<AVPacketPtr>(av_packet_alloc());
    while (avcodec_receive_packet(&context, packet.get()) >= 0) {
        bytes += static_cast<std::size_t>(packet->size);
        av_packet_unref(packet.get());
    }
    return bytes;
}

/// A frame over memory of ours; the encoder copies, as it does with every frame that is not reference counted.
AVFramePtr picture_at(const Words& words, std::uint8_t* bytes) {
    AVFramePtr frame = av_owned<AVFramePtr>(av_frame_alloc());
    frame->width = words.width;
    frame->height = words.height;
    frame->format = AV_PIX_FMT_YUV420P;
    frame->linesize[0] = words.width;
    frame->linesize[1] = frame->linesize[2] = words.width / 2;
    const std::ptrdiff_t luma = static_cast<std::ptrdiff_t>(words.width) * words.height;
    // A reference that frees nothing: without one libavcodec would copy each picture first.
    frame->buf[0] = av_buffer_create(
        bytes, static_cast<std::size_t>(luma) * 3 / 2, [](void*, std::uint8_t*) {}, nullptr, AV_BUFFER_FLAG_READONLY);
    frame->data[0] = bytes;
    frame->data[1] = bytes + luma;
    frame->data[2] = bytes + luma + luma / 4;
    return frame;
}

void encode(const Words& words, std::vector<std::uint8_t>& bytes) {
    const std::size_t size = static_cast<std::size_t>(words.width) * static_cast<std::size_t>(words.height) * 3 / 2;
    const std::size_t pictures = bytes.size() / size;
    if (pictures < 50) fail(words.pictures + " holds too few pictures to be cold");
    const AVCodecContextPtr video = open_video(words);
    const AVCodecContextPtr audio = open_audio();
    AVFramePtr sound = av_owned<AVFramePtr>(av_frame_alloc());
    sound->format = AV_SAMPLE_FMT_FLTP;
    sound->sample_rate = kRate;
    sound->nb_samples = audio->frame_size;
    av_channel_layout_copy(&sound->ch_layout, &audio->ch_layout);
    must(av_frame_get_buffer(sound.get(), 0), "samples");
    std::uint32_t state = 1;
    const auto begin = std::chrono::steady_clock::now();
    const double cpu_before = cpu_seconds();
    const int frames = static_cast<int>(words.seconds * words.fps);
    std::size_t sent = 0;
    std::int64_t samples = 0;
    for (int i = 0; i < frames; ++i) {
        std::this_thread::sleep_until(begin + std::chrono::microseconds(std::int64_t{i} * 1'000'000 / words.fps));
        const AVFramePtr frame = picture_at(words, bytes.data() + static_cast<std::size_t>(i) % pictures * size);
        frame->pts = i;
        frame->pict_type = i % 2 == 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        sent += send(*video, frame.get());
        for (; samples * words.fps < (std::int64_t{i} + 1) * kRate; samples += sound->nb_samples) {
            must(av_frame_make_writable(sound.get()), "samples");
            for (int k = 0; k < sound->nb_samples; ++k) {
                state = state * 1664525U + 1013904223U;
                reinterpret_cast<float*>(sound->data[0])[k] = static_cast<float>(state >> 8) / (1 << 30);
            }
            sound->pts = samples;
            sent += send(*audio, sound.get());
        }
    }
    sent += send(*video, nullptr) + send(*audio, nullptr);
    std::printf("{\"cpu_s\": %.4f, \"frames\": %d, \"bytes\": %zu, \"threads\": %d}\n", cpu_seconds() - cpu_before,
                frames, sent, video->thread_count);
}

Words parse(int argc, char** argv) {
    Words words;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view key = argv[i];
        if (key == "--pictures") words.pictures = argv[i + 1];
        if (key == "--width") words.width = std::atoi(argv[i + 1]);
        if (key == "--height") words.height = std::atoi(argv[i + 1]);
        if (key == "--fps") words.fps = std::atoi(argv[i + 1]);
        if (key == "--threads") words.threads = std::atoi(argv[i + 1]);
        if (key == "--seconds") words.seconds = std::atof(argv[i + 1]);
    }
    if (words.pictures.empty()) fail("--pictures FILE.yuv [--width W --height H --fps F --threads N --seconds S]");
    return words;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        av_log_set_level(AV_LOG_ERROR);
        const Words words = parse(argc, argv);
        std::ifstream file(words.pictures, std::ios::binary);
        std::vector<std::uint8_t> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        encode(words, bytes);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
