// SPDX-License-Identifier: Apache-2.0
/// NUT and WAV through libavformat.
extern "C" {
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/imgutils.h>
#include <libavutil/mathematics.h>
}

#include <algorithm>
#include <array>
#include <exception>
#include <vector>

#include "command.hpp"
#include "media_output.hpp"
#include "runtime/av_handles.hpp"
#include "runtime/av_log.hpp"
#include "runtime/pixel_formats.hpp"

namespace ringcast::tools {

namespace {

using runtime::av_error_text;
using runtime::av_format_of;
using runtime::av_owned;
using runtime::AVPacketPtr;

constexpr AVRational kNanoseconds{1, 1'000'000'000};
constexpr int kIoBytes = 65536;
// A hole longer than this is a jump of the model's pts, not silence to be made up.
constexpr std::int64_t kLongestSilenceNs = 60'000'000'000;

struct FormatContextDeleter {
    void operator()(AVFormatContext* context) const noexcept { avformat_free_context(context); }
};

// libavformat may have replaced the buffer, so it is freed through the context, never by the pointer first given.
struct IoContextDeleter {
    void operator()(AVIOContext* io) const noexcept {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
};

class LavOutput : public MediaOutput {
public:
    LavOutput(MediaFormat format, const MediaStreams& streams, ByteOutput& out)
        : out_(out), fill_gaps_(format == MediaFormat::wav), packet_(av_owned<AVPacketPtr>(av_packet_alloc())) {
        AVFormatContext* context = nullptr;
        avformat_alloc_output_context2(&context, nullptr, std::string(media_name(format)).c_str(), nullptr);
        context_ = av_owned<FormatContextPtr>(context);
        auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBytes));
        io_ = av_owned<IoContextPtr>(
            avio_alloc_context(buffer, kIoBytes, 1, this, nullptr, on_write, out.seekable() ? on_seek : nullptr));
        context_->pb = io_.get();
        context_->flags |= AVFMT_FLAG_FLUSH_PACKETS | AVFMT_FLAG_BITEXACT;
        if (streams.video) add_video(*streams.video);
        if (streams.audio) add_audio(*streams.audio);
        check(avformat_write_header(context_.get(), nullptr), "begin the stream");
    }

    void video(const MediaPiece& frame) override {
        const auto format = video_format_of(frame.caps, frame.payload.size());
        if (!format) throw VerbError("a frame's caps do not fit its bytes; the bus is damaged");
        pack(*format, frame);
        write(*video_, packed_, frame.pts_ns, count_to_ns(1, format->fps));
    }

    void audio(const MediaPiece& samples) override {
        const int bytes_per_sample = static_cast<int>(sample_bytes(samples.caps));
        if (fill_gaps_) fill_to(samples.pts_ns, bytes_per_sample);
        const auto* first = reinterpret_cast<const std::uint8_t*>(samples.payload.data());
        const auto count = static_cast<std::int64_t>(samples.payload.size()) / bytes_per_sample;
        const Rational rate{static_cast<std::uint32_t>(audio_->codecpar->sample_rate), 1};
        write(*audio_, {first, samples.payload.size()}, samples.pts_ns,
              count_to_ns(static_cast<std::uint64_t>(count), rate));
        samples_ += count;
    }

    void finish() override { check(av_write_trailer(context_.get()), "end the stream"); }

private:
    using FormatContextPtr = std::unique_ptr<AVFormatContext, FormatContextDeleter>;
    using IoContextPtr = std::unique_ptr<AVIOContext, IoContextDeleter>;

    AVStream* add_stream() {
        AVStream* stream = avformat_new_stream(context_.get(), nullptr);
        if (stream == nullptr) throw std::bad_alloc();
        stream->time_base = kNanoseconds;
        return stream;
    }

    void add_video(const VideoFormat& video) {
        video_ = add_stream();
        const AVRational fps{static_cast<int>(video.fps.num), static_cast<int>(video.fps.den)};
        video_->avg_frame_rate = video_->r_frame_rate = fps;
        AVCodecParameters& parameters = *video_->codecpar;
        parameters.codec_type = AVMEDIA_TYPE_VIDEO;
        parameters.codec_id = AV_CODEC_ID_RAWVIDEO;
        parameters.format = av_format_of(video.format);
        parameters.codec_tag = avcodec_pix_fmt_to_codec_tag(av_format_of(video.format));
        parameters.width = static_cast<int>(video.width);
        parameters.height = static_cast<int>(video.height);
        parameters.sample_aspect_ratio = {1, 1};
    }

    void add_audio(const AudioFormat& audio) {
        audio_ = add_stream();
        AVCodecParameters& parameters = *audio_->codecpar;
        parameters.codec_type = AVMEDIA_TYPE_AUDIO;
        parameters.codec_id = audio.format == SampleFormat::s16 ? AV_CODEC_ID_PCM_S16LE : AV_CODEC_ID_PCM_F32LE;
        parameters.sample_rate = static_cast<int>(audio.rate);
        av_channel_layout_default(&parameters.ch_layout, static_cast<int>(audio.channels));
        parameters.bits_per_coded_sample = av_get_bits_per_sample(parameters.codec_id);
        parameters.block_align = parameters.bits_per_coded_sample / 8 * static_cast<int>(audio.channels);
        audio_->time_base = {1, parameters.sample_rate};
    }

    /// Writers may pad lines and planes; raw video in a container has none.
    void pack(const VideoFormat& format, const MediaPiece& frame) {
        const AVPixelFormat pixels = av_format_of(format.format);
        const int width = static_cast<int>(format.width);
        const int height = static_cast<int>(format.height);
        std::array<const std::uint8_t*, 4> data{};
        std::array<int, 4> stride{};
        for (std::size_t plane = 0; plane < std::min<std::size_t>(frame.caps.plane_count, data.size()); ++plane) {
            data.at(plane) =
                reinterpret_cast<const std::uint8_t*>(frame.payload.data()) + frame.caps.plane_offset.at(plane);
            stride.at(plane) = static_cast<int>(frame.caps.stride.at(plane));
        }
        const int size = av_image_get_buffer_size(pixels, width, height, 1);
        check(size, "lay out a frame");
        packed_.resize(static_cast<std::size_t>(size));
        check(av_image_copy_to_buffer(packed_.data(), size, data.data(), stride.data(), pixels, width, height, 1),
              "lay out a frame");
    }

    /// WAV has no times: where sound is missing, silence keeps the rest in its place.
    void fill_to(std::int64_t pts_ns, int bytes_per_sample) {
        const Rational rate{static_cast<std::uint32_t>(audio_->codecpar->sample_rate), 1};
        const auto wanted = static_cast<std::int64_t>(ns_to_count(pts_ns, rate)) + shift_samples_;
        const std::int64_t missing = wanted - samples_;
        // Times are rounded to nanoseconds, so a sample is no hole.
        if (missing <= 1) return;
        if (missing > static_cast<std::int64_t>(ns_to_count(kLongestSilenceNs, rate))) {
            shift_samples_ -= missing;
            return;
        }
        const std::vector<std::uint8_t> silence(static_cast<std::size_t>(missing) *
                                                static_cast<std::size_t>(bytes_per_sample));
        write(*audio_, silence, count_to_ns(static_cast<std::uint64_t>(samples_), rate), 0);
        samples_ += missing;
    }

    void write(AVStream& stream, std::span<const std::uint8_t> bytes, std::int64_t pts_ns, std::int64_t duration_ns) {
        // The muxer takes the bytes before the call returns, so no copy is made for it.
        packet_->data = const_cast<std::uint8_t*>(bytes.data());
        packet_->size = static_cast<int>(bytes.size());
        packet_->stream_index = stream.index;
        std::int64_t& last = last_pts_.at(static_cast<std::size_t>(stream.index));
        packet_->pts = std::max(last + 1, av_rescale_q(pts_ns, kNanoseconds, stream.time_base));
        packet_->dts = last = packet_->pts;
        packet_->duration = av_rescale_q(duration_ns, kNanoseconds, stream.time_base);
        packet_->flags = AV_PKT_FLAG_KEY;
        check(av_write_frame(context_.get(), packet_.get()), "write the stream");
        packet_->data = nullptr;
        packet_->size = 0;
    }

    static int on_write(void* self, std::uint8_t* data, int size) {
        auto& output = *static_cast<LavOutput*>(self);
        if (output.failure_) return AVERROR(EIO);
        try {
            output.out_.write({data, static_cast<std::size_t>(size)});
            return size;
        } catch (...) {
            output.failure_ = std::current_exception();
            return AVERROR(EIO);
        }
    }

    static std::int64_t on_seek(void* self, std::int64_t offset, int whence) {
        auto& output = *static_cast<LavOutput*>(self);
        if (whence != SEEK_SET) return AVERROR(ENOSYS);
        try {
            output.out_.seek(offset);
            return offset;
        } catch (...) {
            output.failure_ = std::current_exception();
            return AVERROR(EIO);
        }
    }

    void check(int result, const char* attempt) {
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
        if (result >= 0) return;
        const std::string why = log_.text().empty() ? av_error_text(result) : log_.text();
        throw VerbError(std::string("cannot ") + attempt + ": " + why);
    }

    ByteOutput& out_;
    bool fill_gaps_;
    runtime::AvLogCapture log_;
    IoContextPtr io_;
    FormatContextPtr context_;
    AVPacketPtr packet_;
    AVStream* video_ = nullptr;  // owned by the context
    AVStream* audio_ = nullptr;
    std::vector<std::uint8_t> packed_;
    std::array<std::int64_t, 2> last_pts_{-1, -1};
    std::int64_t samples_ = 0;  // written
    std::int64_t shift_samples_ = 0;
    // Exceptions must not pass through libavformat's C frames: kept here and thrown by check().
    std::exception_ptr failure_;
};

}  // namespace

std::unique_ptr<MediaOutput> make_lav_output(MediaFormat format, const MediaStreams& streams, ByteOutput& out) {
    return std::make_unique<LavOutput>(format, streams, out);
}

}  // namespace ringcast::tools
