// SPDX-License-Identifier: Apache-2.0
#include "coded_sound.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "adts.hpp"

namespace ringcast::ingest {
namespace {

/// An AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) from its start.
class Bits {
public:
    explicit Bits(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    std::uint32_t take(unsigned count) {
        std::uint32_t value = 0;
        for (; count > 0; --count, ++at_)
            value = value << 1U | (at_ / 8 < bytes_.size() ? bytes_[at_ / 8] >> (7 - at_ % 8) & 1U : 0U);
        return value;
    }

private:
    std::span<const std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

std::uint32_t take_rate(Bits& bits) {
    const std::uint32_t index = bits.take(4);
    constexpr std::uint32_t kWritten = 15;
    if (index == kWritten) return bits.take(24);
    return aac_rate(index);
}

/// Rates of what is coded and of what comes out of the decoder: twice that with spectral band replication.
std::pair<std::uint32_t, std::uint32_t> rates_of_aac(std::span<const std::uint8_t> config) {
    Bits bits(config);
    constexpr std::uint32_t kEscape = 31;
    std::uint32_t type = bits.take(5);
    if (type == kEscape) type = 32 + bits.take(6);
    const std::uint32_t core = take_rate(bits);
    bits.take(4);  // channels, which the decoder tells better
    const bool is_replicated = type == 5 || type == 29;
    return {core, is_replicated ? take_rate(bits) : core};
}

/// As libavcodec's decoder reads them from the description; 0 when it cannot.
std::uint32_t channels_of(AVCodecID codec, std::span<const std::uint8_t> config) {
    const AVCodec* decoder = avcodec_find_decoder(codec);
    if (decoder == nullptr) return 0;
    auto context = runtime::av_owned<runtime::AVCodecContextPtr>(avcodec_alloc_context3(decoder));
    context->extradata = static_cast<std::uint8_t*>(av_mallocz(config.size() + AV_INPUT_BUFFER_PADDING_SIZE));
    if (context->extradata == nullptr) throw std::bad_alloc();
    std::memcpy(context->extradata, config.data(), config.size());
    context->extradata_size = static_cast<int>(config.size());
    if (avcodec_open2(context.get(), decoder, nullptr) < 0) return 0;
    return static_cast<std::uint32_t>(std::max(context->ch_layout.nb_channels, 0));
}

/// AudioSpecificConfig (ISO/IEC 14496-3) of what an ADTS header says.
std::array<std::uint8_t, 2> config_of_adts(const std::uint8_t* header) {
    const unsigned object = (header[2] >> 6U) + 1U;
    const unsigned rate = adts_rate_index({header, kAdtsHeader});
    const unsigned channels = (header[2] & 1U) << 2U | header[3] >> 6U;
    return {static_cast<std::uint8_t>(object << 3U | rate >> 1U),
            static_cast<std::uint8_t>(rate << 7U | channels << 3U)};
}

}  // namespace

CodedSound::CodedSound(const AVStream& stream)
    : codec_(stream.codecpar->codec_id == AV_CODEC_ID_OPUS ? Codec::opus : Codec::aac) {
    const AVCodecParameters& parameters = *stream.codecpar;
    if (parameters.extradata_size > 0)
        describe({parameters.extradata, static_cast<std::size_t>(parameters.extradata_size)});
}

void CodedSound::describe(std::span<const std::uint8_t> config) {
    if (config.size() == config_.size() && std::equal(config.begin(), config.end(), config_.begin())) return;
    constexpr std::uint32_t kOpusRate = 48000;
    const bool is_aac = codec_ == Codec::aac;
    const auto [core, rate] = is_aac ? rates_of_aac(config) : std::pair{kOpusRate, kOpusRate};
    const std::uint32_t channels = channels_of(is_aac ? AV_CODEC_ID_AAC : AV_CODEC_ID_OPUS, config);
    if (core == 0 || rate == 0 || channels == 0) return;
    core_rate_ = core;
    rate_ = rate;
    channels_ = channels;
    config_.assign(config.begin(), config.end());
    is_new_ = true;
}

/// False: the frame was cut short.
bool CodedSound::strip_adts(AVPacket& packet) {
    constexpr std::size_t kChecksum = 2;
    const bool has_checksum = (packet.data[1] & 1U) == 0;
    const int header = static_cast<int>(kAdtsHeader + (has_checksum ? kChecksum : 0));
    const std::span<const std::uint8_t> bytes(packet.data, static_cast<std::size_t>(packet.size));
    if (packet.size <= header || adts_frame_bytes(bytes) > bytes.size()) return false;
    const auto config = config_of_adts(packet.data);
    describe(config);
    packet.data += header;
    packet.size -= header;
    return true;
}

bool CodedSound::convert(runtime::AVPacketPtr& packet, std::shared_ptr<const TrackFormat>& format_out) {
    std::size_t side_size = 0;
    if (const auto* side = av_packet_get_side_data(packet.get(), AV_PKT_DATA_NEW_EXTRADATA, &side_size))
        describe({side, side_size});
    const bool has_header = has_adts_header({packet->data, static_cast<std::size_t>(packet->size)});
    if (codec_ == Codec::aac && has_header && !strip_adts(*packet)) return false;
    if (rate_ == 0 || packet->size == 0) return false;
    if (is_new_) {
        auto format = std::make_shared<TrackFormat>();
        format->stream.id = static_cast<std::uint32_t>(Track::audio);
        format->stream.codec = codec_;
        format->stream.rate = rate_;
        format->stream.channels = channels_;
        const auto* bytes = reinterpret_cast<const std::byte*>(config_.data());
        format->stream.config.assign(bytes, bytes + config_.size());
        if (codec_ == Codec::aac) format->fps = {core_rate_, kAacFrameSamples};
        format_out = std::move(format);
        is_new_ = false;
    }
    return true;
}

}  // namespace ringcast::ingest
