// SPDX-License-Identifier: Apache-2.0
/// H.264 from Annex B (start codes) to what containers and RTMP want: 4-byte lengths, and an avcC record. H.265 frames
/// its NAL units alike, so h265_hvcc uses the first half of this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringcast::runtime::h264 {

/// How the samples of a picture are coded.
struct SampleShape {
    std::uint8_t chroma_format_idc = 1;  ///< 1: 4:2:0, 2: 4:2:2, 3: 4:4:4
    std::uint8_t bit_depth = 8;
};

/// The NAL units between 3- and 4-byte start codes, without trailing zero bytes. Bytes before the first start code are
/// not part of any unit.
std::vector<std::span<const std::uint8_t>> split_annex_b(std::span<const std::uint8_t> bytes);

/// Bytes that write_length_prefixed() needs.
std::size_t length_prefixed_size(std::span<const std::span<const std::uint8_t>> units);
/// A unit may already stand where it goes (lengths written over 4-byte start codes).
void write_length_prefixed(std::span<const std::span<const std::uint8_t>> units, std::uint8_t* target);

/// avcC from extradata with SPS and PPS in Annex B; returned as it is when it already is an avcC record. Throws
/// Error(unsupported) when there is no SPS or no PPS in it. `samples` is what the encoder was given: avcC repeats it
/// for the high profiles.
std::vector<std::uint8_t> make_avcc(std::span<const std::uint8_t> extradata, SampleShape samples = {});

}  // namespace ringcast::runtime::h264
