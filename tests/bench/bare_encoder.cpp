// SPDX-License-Identifier: Apache-2.0
/// The floor a sink is measured against: libavcodec's x264 and AAC with the settings of a live push, fed ready pictures
/// from cold memory at the pace of a clock, its packets thrown away. Prints what it did, as JSON.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>

#include "runtime/av_handles.hpp"

namespace {

using namespace ringcast::runtime;

constexpr int kRate = 44100;
constexpr int kBitrate = 1'000'000;
constexpr int kAudioBitrate = 128'000;

struct Words {
    std::string pictures;  // raw yuv420p
    std::string sound;     // raw f32, mono
    int width = 960, height = 540, fps = 25, threads = 1;
    double seconds = 10;
};

[[noreturn]] void fail(const std::string& text) {
    throw std::runtime_error("bare_encoder: " + text);
}

void must(int code, const char* what) {
    if (code < 0) fail(std::string(what) + ": " + av_error_text(code));
}

/// The whole file, mapped for as long as the process lives: reading it into memory would cost more than the encoding.
std::span<std::uint8_t> mapped(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (fd < 0 || fstat(fd, &info) != 0 || info.st_size == 0) fail("cannot read " + path);
    const auto size = static_cast<std::size_t>(info.st_size);
    void* bytes = mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    close(fd);
    if (bytes == MAP_FAILED) fail("cannot map " + path);
    return {static_cast<std::uint8_t*>(bytes), size};
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

/// Hands out the samples of a file again and again, one encoder's frame at a time.
class Sound {
public:
    Sound(std::span<const std::uint8_t> bytes, const AVCodecContext& encoder)
        : samples_(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float)),
          frame_(av_owned<AVFramePtr>(av_frame_alloc())) {
        frame_->format = AV_SAMPLE_FMT_FLTP;
        frame_->sample_rate = kRate;
        frame_->nb_samples = encoder.frame_size;
        av_channel_layout_copy(&frame_->ch_layout, &encoder.ch_layout);
        must(av_frame_get_buffer(frame_.get(), 0), "samples");
        if (samples_.size() < static_cast<std::size_t>(encoder.frame_size)) fail("too little sound");
    }
    const AVFrame* next() {
        const auto count = static_cast<std::size_t>(frame_->nb_samples);
        if (at_ + count > samples_.size()) at_ = 0;
        must(av_frame_make_writable(frame_.get()), "samples");
        std::copy_n(samples_.data() + at_, count, reinterpret_cast<float*>(frame_->data[0]));
        at_ += count;
        frame_->pts = told_;
        told_ += frame_->nb_samples;
        return frame_.get();
    }
    [[nodiscard]] std::int64_t told() const { return told_; }

private:
    std::span<const float> samples_;
    AVFramePtr frame_;
    std::size_t at_ = 0;
    std::int64_t told_ = 0;
};

void encode(const Words& words) {
    const std::span<std::uint8_t> bytes = mapped(words.pictures);
    const std::size_t size = static_cast<std::size_t>(words.width) * static_cast<std::size_t>(words.height) * 3 / 2;
    const std::size_t pictures = bytes.size() / size;
    if (pictures < 50) fail(words.pictures + " holds too few pictures to be cold");
    const AVCodecContextPtr video = open_video(words);
    const AVCodecContextPtr audio = open_audio();
    Sound sound(mapped(words.sound), *audio);
    const auto begin = std::chrono::steady_clock::now();
    const int frames = static_cast<int>(words.seconds * words.fps);
    std::size_t sent = 0;
    for (int i = 0; i < frames; ++i) {
        std::this_thread::sleep_until(begin + std::chrono::microseconds(std::int64_t{i} * 1'000'000 / words.fps));
        const AVFramePtr frame = picture_at(words, bytes.data() + static_cast<std::size_t>(i) % pictures * size);
        frame->pts = i;
        frame->pict_type = i % 2 == 0 ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
        sent += send(*video, frame.get());
        while (sound.told() * words.fps < (std::int64_t{i} + 1) * kRate)
            sent += send(*audio, sound.next());
    }
    sent += send(*video, nullptr) + send(*audio, nullptr);
    std::printf("{\"frames\": %d, \"bytes\": %zu, \"threads\": %d}\n", frames, sent, video->thread_count);
}

Words parse(int argc, char** argv) {
    Words words;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view key = argv[i];
        if (key == "--pictures") words.pictures = argv[i + 1];
        if (key == "--sound") words.sound = argv[i + 1];
        if (key == "--width") words.width = std::atoi(argv[i + 1]);
        if (key == "--height") words.height = std::atoi(argv[i + 1]);
        if (key == "--fps") words.fps = std::atoi(argv[i + 1]);
        if (key == "--threads") words.threads = std::atoi(argv[i + 1]);
        if (key == "--seconds") words.seconds = std::atof(argv[i + 1]);
    }
    if (words.pictures.empty() || words.sound.empty())
        fail("--pictures FILE.yuv --sound FILE.f32 [--width W --height H --fps F --threads N --seconds S]");
    return words;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        av_log_set_level(AV_LOG_ERROR);
        encode(parse(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
