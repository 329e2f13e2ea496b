// SPDX-License-Identifier: Apache-2.0
#include "coded_video.hpp"

extern "C" {
#include <libavutil/intreadwrite.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "ringcast/error.hpp"
#include "runtime/h265_hvcc.hpp"

namespace ringcast::ingest {
namespace {

using Unit = std::span<const std::uint8_t>;

constexpr std::uint8_t kStartCode[] = {0, 0, 0, 1};

void append_unit(std::vector<std::uint8_t>& bytes, Unit unit) {
    bytes.insert(bytes.end(), std::begin(kStartCode), std::end(kStartCode));
    bytes.insert(bytes.end(), unit.begin(), unit.end());
}

/// Units behind lengths of so many bytes; what is cut short is left out.
std::vector<Unit> split_lengths(Unit bytes, std::size_t length_bytes) {
    std::vector<Unit> units;
    while (bytes.size() > length_bytes) {
        std::size_t size = 0;
        for (const std::uint8_t byte : bytes.first(length_bytes))
            size = size << 8U | byte;
        bytes = bytes.subspan(length_bytes);
        if (size == 0) continue;
        if (size > bytes.size()) break;
        units.push_back(bytes.first(size));
        bytes = bytes.subspan(size);
    }
    return units;
}

/// Takes so many parameter sets off the record, each behind two bytes of length, and adds them with start codes. A set
/// that is cut short ends the record.
void take_sets(Unit& record, unsigned count, std::vector<std::uint8_t>& sets) {
    for (; count > 0 && record.size() >= 2; --count) {
        const std::size_t size = AV_RB16(record.data());
        record = record.subspan(2);
        if (size > record.size()) {
            record = {};
            return;
        }
        append_unit(sets, record.first(size));
        record = record.subspan(size);
    }
}

/// The parameter sets of an avcC record, with start codes.
std::vector<std::uint8_t> sets_of_avcc(Unit record) {
    std::vector<std::uint8_t> sets;
    record = record.subspan(5);
    for (const unsigned count_bits : {0x1FU, 0xFFU}) {  // of sequence, then of picture parameter sets
        if (record.empty()) break;
        const unsigned count = record[0] & count_bits;
        record = record.subspan(1);
        take_sets(record, count, sets);
    }
    return sets;
}

/// The same of an hvcC record.
std::vector<std::uint8_t> sets_of_hvcc(Unit record) {
    std::vector<std::uint8_t> sets;
    constexpr std::size_t kArrays = 22;
    unsigned arrays = record[kArrays];
    record = record.subspan(kArrays + 1);
    for (; arrays > 0 && record.size() >= 3; --arrays) {
        const unsigned count = AV_RB16(record.data() + 1);
        record = record.subspan(3);
        take_sets(record, count, sets);
    }
    return sets;
}

}  // namespace

CodedVideo::CodedVideo(const AVStream& stream)
    : codec_(stream.codecpar->codec_id == AV_CODEC_ID_HEVC ? Codec::h265 : Codec::h264),
      fps_(fps_of(stream)),
      parser_(av_parser_init(stream.codecpar->codec_id)),
      context_(runtime::av_owned<runtime::AVCodecContextPtr>(avcodec_alloc_context3(nullptr))) {
    if (!parser_ || avcodec_parameters_to_context(context_.get(), stream.codecpar) < 0) throw std::bad_alloc();
    parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
    if (stream.codecpar->extradata_size > 0) {
        take_extradata({stream.codecpar->extradata, static_cast<std::size_t>(stream.codecpar->extradata_size)});
    }
}

unsigned CodedVideo::type_of(Unit unit) const {
    return is_h265() ? unit[0] >> 1U & 0x3FU : unit[0] & 0x1FU;
}

bool CodedVideo::is_parameter_set(Unit unit) const {
    const unsigned type = type_of(unit);
    return is_h265() ? type >= 32 && type <= 34 : type == 7 || type == 8;
}

/// Access unit delimiters, ends of sequence and stream, filler: of the transport, not of the pictures.
bool CodedVideo::is_delimiter(Unit unit) const {
    const unsigned type = type_of(unit);
    return is_h265() ? type >= 35 && type <= 38 : type >= 9 && type <= 12;
}

void CodedVideo::take_extradata(Unit extradata) {
    const std::size_t least = is_h265() ? 23 : 7;
    if (extradata.size() < least || extradata[0] != 1) {
        length_bytes_ = 0;
        static_cast<void>(describe({extradata.begin(), extradata.end()}));
        return;
    }
    length_bytes_ = (extradata[is_h265() ? 21 : 4] & 3U) + 1;
    static_cast<void>(describe(is_h265() ? sets_of_hvcc(extradata) : sets_of_avcc(extradata)));
}

std::vector<CodedVideo::Unit> CodedVideo::units_of(Unit bytes) const {
    return length_bytes_ == 0 ? runtime::h264::split_annex_b(bytes) : split_lengths(bytes, length_bytes_);
}

/// Size, rate and samples of the pictures, which the parameter sets say and libavcodec's parser reads.
void CodedVideo::look_at(const AVPacket& packet) {
    std::vector<std::uint8_t> annex_b = sets_;
    for (const Unit unit : units_of({packet.data, static_cast<std::size_t>(packet.size)}))
        append_unit(annex_b, unit);
    annex_b.resize(annex_b.size() + AV_INPUT_BUFFER_PADDING_SIZE);
    const int size = static_cast<int>(annex_b.size() - AV_INPUT_BUFFER_PADDING_SIZE);
    av_freep(&context_->extradata);
    context_->extradata_size = 0;
    std::uint8_t* out = nullptr;
    int out_size = 0;
    av_parser_parse2(parser_.get(), context_.get(), &out, &out_size, annex_b.data(), size, AV_NOPTS_VALUE,
                     AV_NOPTS_VALUE, 0);
    width_ = static_cast<std::uint32_t>(std::max(parser_->width, 0));
    height_ = static_cast<std::uint32_t>(std::max(parser_->height, 0));
    // The parser counts H.264's fields.
    const AVRational rate = av_mul_q(context_->framerate, is_h265() ? AVRational{1, 1} : AVRational{1, 2});
    if (fps_.num == 0) fps_ = bus_fps(rate);
    if (const AVPixFmtDescriptor* pixels = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(parser_->format))) {
        const bool has_half_width = pixels->log2_chroma_w == 1;
        const bool has_half_height = pixels->log2_chroma_h == 1;
        shape_.chroma_format_idc = pixels->nb_components == 1 ? 0 : has_half_height ? 1 : has_half_width ? 2 : 3;
        shape_.bit_depth = static_cast<std::uint8_t>(pixels->comp[0].depth);
    }
}

bool CodedVideo::describe(const Bytes& sets) {
    if (sets.empty() || sets == sets_) return false;
    sets_ = sets;
    is_new_ = true;
    config_.clear();
    return true;
}

std::shared_ptr<const TrackFormat> CodedVideo::format() const {
    auto format = std::make_shared<TrackFormat>();
    format->stream.id = static_cast<std::uint32_t>(Track::video);
    format->stream.codec = codec_;
    format->stream.width = width_;
    format->stream.height = height_;
    format->stream.fps = fps_;
    const auto* bytes = reinterpret_cast<const std::byte*>(config_.data());
    format->stream.config.assign(bytes, bytes + config_.size());
    format->fps = fps_;
    return format;
}

bool CodedVideo::convert(runtime::AVPacketPtr& packet, std::shared_ptr<const TrackFormat>& format_out) {
    std::size_t side_size = 0;
    if (const auto* side = av_packet_get_side_data(packet.get(), AV_PKT_DATA_NEW_EXTRADATA, &side_size))
        take_extradata({side, side_size});
    std::vector<Unit> kept;
    Bytes sets;
    for (const Unit unit : units_of({packet->data, static_cast<std::size_t>(packet->size)})) {
        if (is_parameter_set(unit)) append_unit(sets, unit);
        if (!is_parameter_set(unit) && !is_delimiter(unit)) kept.push_back(unit);
    }
    const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    // Sets stand before the keyframe they are for; elsewhere they repeat what is known.
    if (key) static_cast<void>(describe(sets));
    if (sets_.empty() || kept.empty()) return false;
    if (is_new_) {
        if (!key) return false;
        look_at(*packet);
        if (width_ == 0 || height_ == 0) return false;
        try {
            config_ = is_h265() ? runtime::h265::make_hvcc(sets_, shape_) : runtime::h264::make_avcc(sets_, shape_);
        } catch (const Error&) {
            return false;  // half of the sets: the other half is to come
        }
        format_out = format();
        is_new_ = false;
    }
    auto out = runtime::av_owned<runtime::AVPacketPtr>(av_packet_alloc());
    if (av_new_packet(out.get(), static_cast<int>(runtime::h264::length_prefixed_size(kept))) < 0)
        throw std::bad_alloc();
    runtime::h264::write_length_prefixed(kept, out->data);
    if (av_packet_copy_props(out.get(), packet.get()) < 0) throw std::bad_alloc();
    packet = std::move(out);
    return true;
}

}  // namespace ringcast::ingest
