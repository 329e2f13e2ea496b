// SPDX-License-Identifier: Apache-2.0
#include "runtime/audio_lane.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace ringcast::runtime {

namespace {

constexpr double kQuiet = 0.01;  // of full scale: -40 dB

template <class Sample>
bool is_quiet(const std::byte* bytes, std::size_t count, double full_scale) {
    double energy = 0;
    for (std::size_t i = 0; i < count; ++i) {
        Sample sample;
        std::memcpy(&sample, bytes + i * sizeof sample, sizeof sample);
        energy += static_cast<double>(sample) * static_cast<double>(sample);
    }
    return energy < kQuiet * kQuiet * full_scale * full_scale * static_cast<double>(count);
}

/// AudioRecord::quiet of these samples, by their power.
std::uint64_t quiet_pieces(const std::vector<std::byte>& samples, const AudioFormat& format) {
    const std::size_t sample_size = format.format == SampleFormat::s16 ? 2 : 4;
    const std::size_t piece = std::size_t{format.rate / kQuietPiecesPerSecond} * format.channels;
    if (piece == 0) return 0;
    std::uint64_t quiet = 0;
    for (std::size_t i = 0; i < kQuietPieces && (i + 1) * piece * sample_size <= samples.size(); ++i) {
        const std::byte* begin = samples.data() + i * piece * sample_size;
        const bool is = format.format == SampleFormat::s16 ? is_quiet<std::int16_t>(begin, piece, 32768)
                                                           : is_quiet<float>(begin, piece, 1);
        quiet |= std::uint64_t{is} << i;
    }
    return quiet;
}

}  // namespace

EncodedAudio::EncodedAudio(const AudioOptions& options)
    : resampler_(options.rate, options.channels),
      encoder_(options, static_cast<std::uint32_t>(Media::audio)),
      ready_(options.channels) {}

ReadStatus EncodedAudio::read(FlowReader& flow, std::optional<AudioRecord>& record) {
    record.reset();
    AudioRecord candidate;
    Block block{};
    std::optional<AudioFormat> format;
    const ReadStatus status = flow.try_read([&](const Record& ring) {
        candidate.id = block.id = id_of(ring.index);
        candidate.pts_ns = ring.pts_ns;
        candidate.capture_time_ns = ring.capture_time_ns;
        candidate.session = ring.session;
        candidate.sample_index = ring.media_index;
        candidate.sample_count = ring.sample_count;
        candidate.discontinuity = (ring.flags & layout::kFlagDiscontinuity) != 0;
        candidate.explicit_pts = (ring.flags & layout::kFlagExplicitPts) != 0;
        format = audio_format_of(ring.caps);
        block.sample_bytes = sample_bytes(ring.caps);
        block.samples.assign(ring.payload.begin(), ring.payload.end());
    });
    if (status != ReadStatus::ok) return status;
    if (!format || block.samples.size() != std::size_t{candidate.sample_count} * block.sample_bytes) {
        return ReadStatus::damaged;
    }
    candidate.sample_rate = format->rate;
    candidate.format_id = format_id_of(*format);
    candidate.quiet = quiet_pieces(block.samples, *format);
    next_id_ = candidate.id + 1;
    bytes_held_ += block.samples.size();
    blocks_.push_back(std::move(block));
    record = candidate;
    return status;
}

std::uint32_t EncodedAudio::format_id_of(const AudioFormat& format) {
    const auto known = std::find(formats_.begin(), formats_.end(), format);
    if (known != formats_.end()) return static_cast<std::uint32_t>(known - formats_.begin());
    formats_.push_back(format);
    return static_cast<std::uint32_t>(formats_.size() - 1);
}

void EncodedAudio::forget_before(std::uint64_t id) {
    while (!blocks_.empty() && blocks_.front().id < id) {
        bytes_held_ -= blocks_.front().samples.size();
        blocks_.pop_front();
    }
}

void EncodedAudio::start_segment(const StartSegment& segment, const PacketHandler& handler) {
    end_segment(segment.position);
    AudioFormat format{SampleFormat::f32, resampler_.output_rate(), resampler_.output_channels()};
    if (!segment.silence_only && segment.format_id < formats_.size()) format = formats_[segment.format_id];
    resampler_.start(format, ready_);
    segment_open_ = true;
    encode_ready(handler);
}

/// The next segment begins where this one really ended, so a rounding never moves what follows.
void EncodedAudio::end_segment(std::int64_t position) {
    if (!segment_open_) return;
    const std::int64_t wanted = std::max<std::int64_t>(position - segment_begin_, 0);
    segment_begin_ += static_cast<std::int64_t>(resampler_.finish(static_cast<std::uint64_t>(wanted), ready_));
    segment_open_ = false;
}

void EncodedAudio::copy(const CopySamples& samples, const PacketHandler& handler) {
    const auto found = std::lower_bound(blocks_.begin(), blocks_.end(), samples.id,
                                        [](const Block& block, std::uint64_t id) { return block.id < id; });
    if (found == blocks_.end() || found->id != samples.id) return;
    const std::size_t begin = std::size_t{samples.offset} * found->sample_bytes;
    const std::size_t size = std::size_t{samples.count} * found->sample_bytes;
    if (begin + size > found->samples.size()) return;
    resampler_.push(std::span(found->samples).subspan(begin, size), ready_);
    encode_ready(handler);
}

void EncodedAudio::silence(const EmitSilence& samples, const PacketHandler& handler) {
    resampler_.push_silence(samples.count, ready_);
    encode_ready(handler);
}

void EncodedAudio::finish(std::int64_t total_samples, const PacketHandler& handler) {
    end_segment(total_samples);
    encode_ready(handler);
    encoder_.drain(handler);
}

void EncodedAudio::encode_ready(const PacketHandler& handler) {
    if (ready_.empty()) return;
    encoder_.encode(ready_, handler);
    ready_.clear();
}

}  // namespace ringcast::runtime
