// SPDX-License-Identifier: Apache-2.0
#include "file/remux.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "file/writeback.hpp"
#include "mux/av_handles.hpp"
#include "mux/unique_fd.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
}

namespace ringcast::sink {

namespace {

namespace fs = std::filesystem;

using GoOn = std::function<bool(std::int64_t written)>;

struct InputDeleter {
    void operator()(AVFormatContext* context) const noexcept { avformat_close_input(&context); }
};
using InputPtr = std::unique_ptr<AVFormatContext, InputDeleter>;

struct FileIoDeleter {
    void operator()(AVIOContext* io) const noexcept { avio_closep(&io); }
};
using FileIoPtr = std::unique_ptr<AVIOContext, FileIoDeleter>;

void check(int result, const char* attempt, const fs::path& path) {
    if (result >= 0) return;
    char text[AV_ERROR_MAX_STRING_SIZE] = {};
    av_strerror(result, text, sizeof text);
    throw RemuxError(std::string("could not ") + attempt + " " + path.string() + ": " + text);
}

/// "file:" keeps libavformat from taking a colon in a name for a protocol.
std::string url_of(const fs::path& path) {
    return "file:" + path.string();
}

/// Takes all bytes and keeps none: to find out how long the index gets.
IoPtr make_measuring_io() {
    constexpr int kSize = 64 * 1024;
    return IoPtr(avio_alloc_context(
        static_cast<unsigned char*>(av_malloc(kSize)), kSize, 1, nullptr, nullptr,
        [](void*, std::uint8_t*, int size) { return size; },
        [](void*, std::int64_t offset, int whence) -> std::int64_t {
            return whence == SEEK_SET ? offset : AVERROR(ENOSYS);
        }));
}

/// Where a track ends: the last packet of sound is shorter than an AAC frame where the recording was cut.
struct TrackEnd {
    std::int64_t packets = 0;
    std::int64_t pts = 0;
    std::int64_t usual_duration = 0;
};

class Source {
public:
    explicit Source(const fs::path& path) : path_(path), packet_(av_packet_alloc()) {
        AVFormatContext* context = nullptr;
        check(avformat_open_input(&context, url_of(path).c_str(), nullptr, nullptr), "open", path);
        context_.reset(context);
        check(avformat_find_stream_info(context, nullptr), "read", path);
        lead_ = std::max(av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0), 0);
        tracks_.resize(context->nb_streams);
    }

    [[nodiscard]] AVFormatContext& context() { return *context_; }

    /// The next packet; nullptr at the end.
    AVPacket* next() {
        av_packet_unref(packet_.get());
        const int result = av_read_frame(context_.get(), packet_.get());
        if (result == AVERROR_EOF) return nullptr;
        check(result, "read", path_);
        bytes_ += packet_->size;
        note_time(*packet_);
        return packet_.get();
    }

    [[nodiscard]] std::int64_t packets_of(int stream) const {
        return tracks_.at(static_cast<std::size_t>(stream)).packets;
    }

    /// Once next() has come to the end.
    [[nodiscard]] std::vector<TrackEnd> track_ends() const {
        std::vector<TrackEnd> ends;
        for (std::size_t i = 0; i < tracks_.size(); ++i)
            ends.push_back(
                {tracks_[i].packets, tracks_[i].first_pts + context_->streams[i]->duration, tracks_[i].usual_duration});
        return ends;
    }

    /// A demuxer skips what it does not understand. Structure takes some bytes for each packet, never a frame's worth.
    void check_complete() const {
        constexpr std::int64_t kPerPacket = 64;
        constexpr std::int64_t kBase = 64 * 1024;
        const auto size = static_cast<std::int64_t>(fs::file_size(path_));
        std::int64_t packets = 0;
        for (const Track& track : tracks_)
            packets += track.packets;
        if (bytes_ + packets * kPerPacket + kBase >= size) return;
        throw RemuxError("only " + std::to_string(bytes_) + " of the " + std::to_string(size) + " bytes of " +
                         path_.string() + " are media that can be read");
    }

    /// The same packets come out of the file that was made of this one. False: `go_on` said no.
    [[nodiscard]] bool check_copy(const fs::path& copy, const std::function<bool()>& go_on) const {
        Source made(copy);
        while (made.next() != nullptr) {
            if (!go_on()) return false;
        }
        for (std::size_t i = 0; i < tracks_.size(); ++i) {
            if (i < made.tracks_.size() && made.tracks_[i].packets == tracks_[i].packets) continue;
            throw RemuxError("what was written anew does not hold every packet of " + path_.string());
        }
        if (made.bytes_ != bytes_) throw RemuxError("what was written anew differs from " + path_.string());
        return true;
    }

    /// Of the pictures; of the sound when there are none.
    [[nodiscard]] std::chrono::milliseconds length() const {
        return std::chrono::milliseconds(begun_ ? (last_us_ + duration_us_ - first_us_) / 1000 : 0);
    }

private:
    struct Track {
        std::int64_t packets = 0;
        std::int64_t first_pts = 0;
        std::int64_t usual_duration = 0;
    };

    void note_time(const AVPacket& packet) {
        const AVStream& stream = *context_->streams[packet.stream_index];
        Track& track = tracks_.at(static_cast<std::size_t>(packet.stream_index));
        if (track.packets++ == 0) track.first_pts = packet.pts;
        if (packet.duration > 0) track.usual_duration = packet.duration;
        if (packet.stream_index != lead_ || packet.pts == AV_NOPTS_VALUE) return;
        const std::int64_t pts_us = av_rescale_q(packet.pts, stream.time_base, {1, AV_TIME_BASE});
        if (!std::exchange(begun_, true)) first_us_ = last_us_ = pts_us;
        // FLV does not tell how long a picture stays: as long as the one before it.
        duration_us_ = packet.duration > 0 ? av_rescale_q(packet.duration, stream.time_base, {1, AV_TIME_BASE})
                                           : std::max<std::int64_t>(pts_us - last_us_, 0);
        last_us_ = std::max(last_us_, pts_us);
    }

    fs::path path_;
    InputPtr context_;
    PacketPtr packet_;
    std::vector<Track> tracks_;
    std::int64_t bytes_ = 0;
    int lead_ = 0;
    bool begun_ = false;
    std::int64_t first_us_ = 0;
    std::int64_t last_us_ = 0;
    std::int64_t duration_us_ = 0;
};

FormatPtr make_output(AVFormatContext& input, Container container, AVIOContext* io) {
    AVFormatContext* context = nullptr;
    if (avformat_alloc_output_context2(&context, nullptr, recording_format(container).name, nullptr) < 0) {
        throw RemuxError("out of memory");
    }
    FormatPtr output(context);
    output->pb = io;
    output->flags |= AVFMT_FLAG_CUSTOM_IO;
    for (unsigned i = 0; i < input.nb_streams; ++i) {
        const AVStream& in = *input.streams[i];
        AVStream* out = avformat_new_stream(context, nullptr);
        if (out == nullptr || avcodec_parameters_copy(out->codecpar, in.codecpar) < 0) {
            throw RemuxError("out of memory");
        }
        // hvc1 and hev1 differ in where the parameter sets are; all other tags are the muxer's business.
        if (in.codecpar->codec_id != AV_CODEC_ID_HEVC) out->codecpar->codec_tag = 0;
        out->time_base = in.time_base;
        out->avg_frame_rate = in.avg_frame_rate;
    }
    return output;
}

/// What is known of a new mp4 before it is written.
struct Index {
    std::int64_t bytes = 0;
    std::vector<TrackEnd> ends;
};

struct Copied {
    bool done = false;
    std::int64_t media_end = 0;  ///< where the trailer begins
    std::int64_t end = 0;
};

/// libavformat may not know how long the last packet of a track is, and what lies past the end of a track is not
/// played. `ends`: as found by an earlier pass, or empty.
void correct_last_packet(const Source& source, const AVStream& stream, AVPacket& packet,
                         const std::vector<TrackEnd>& ends) {
    if (ends.empty()) return;
    const TrackEnd& end = ends.at(static_cast<std::size_t>(packet.stream_index));
    if (source.packets_of(packet.stream_index) != end.packets) return;
    const std::int64_t left = end.pts - packet.pts;
    const bool is_sound = stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    if (is_sound && left > 0 && (packet.duration <= 0 || left < packet.duration)) packet.duration = left;
    if (packet.duration <= 0) packet.duration = end.usual_duration;
}

Copied copy_packets(Source& source, const fs::path& to, Container container, AVIOContext* io, const Index& index,
                    const GoOn& go_on) {
    const FormatPtr output = make_output(source.context(), container, io);
    AVDictionary* options = nullptr;
    if (container == Container::mp4) av_dict_set(&options, "movie_timescale", kMovieTimescale, 0);
    if (index.bytes > 0) av_dict_set_int(&options, "moov_size", index.bytes, 0);
    const int opened = avformat_write_header(output.get(), &options);
    av_dict_free(&options);
    check(opened, "write", to);
    while (AVPacket* packet = source.next()) {
        if (!go_on(avio_tell(io))) return {};
        const AVStream& from = *source.context().streams[packet->stream_index];
        correct_last_packet(source, from, *packet, index.ends);
        av_packet_rescale_ts(packet, from.time_base, output->streams[packet->stream_index]->time_base);
        packet->pos = -1;
        check(av_interleaved_write_frame(output.get(), packet), "write", to);
    }
    check(av_interleaved_write_frame(output.get(), nullptr), "write", to);
    Copied copied{true, avio_tell(io), 0};
    check(av_write_trailer(output.get()), "write the index of", to);
    avio_flush(io);
    check(io->error, "write", to);
    copied.end = avio_tell(io);
    return copied;
}

/// How many bytes the index of an mp4 takes when it comes first; nothing when `go_on` said no.
std::optional<Index> measure_index(const fs::path& from, const GoOn& go_on) {
    Source source(from);
    const IoPtr io = make_measuring_io();
    const Copied copied =
        copy_packets(source, from, Container::mp4, io.get(), {}, [&](std::int64_t) { return go_on(0); });
    if (!copied.done) return std::nullopt;
    const std::int64_t index = copied.end - copied.media_end;
    // Places beyond 4 GiB take eight bytes instead of four, and the index moves all of them up. What is left of the
    // room becomes a free box, which takes 8 bytes at least.
    constexpr std::int64_t kWide = std::int64_t{1} << 32;
    constexpr std::int64_t kFreeBox = 64;
    const bool near_wide = copied.media_end < kWide && copied.media_end + 2 * index > kWide;
    return Index{index * (near_wide ? 2 : 1) + kFreeBox, source.track_ends()};
}

UniqueFd open_again(const fs::path& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) check(AVERROR(errno), "open", path);
    return fd;
}

}  // namespace

RemuxResult remux(const fs::path& from, const fs::path& to, Container container, const GoOn& go_on) {
    std::optional<Index> index = Index{};
    if (container == Container::mp4) index = measure_index(from, go_on);
    if (!index) return {};
    Source source(from);
    AVIOContext* raw = nullptr;
    check(avio_open(&raw, url_of(to).c_str(), AVIO_FLAG_WRITE), "write", to);
    FileIoPtr io(raw);
    const UniqueFd fd = open_again(to);
    Writeback writeback(fd.get());
    const Copied copied = copy_packets(source, to, container, io.get(), *index, [&](std::int64_t written) {
        writeback.reach(written);
        return go_on(written);
    });
    if (!copied.done) return {};
    source.check_complete();
    raw = io.release();
    check(avio_closep(&raw), "write", to);
    const auto may_go_on = [&] { return go_on(copied.end); };
    if (!source.check_copy(to, may_go_on) || !write_back(fd.get(), copied.end, may_go_on)) return {};
    if (::fsync(fd.get()) != 0) check(AVERROR(errno), "write", to);
    return {true, source.length()};
}

}  // namespace ringcast::sink
