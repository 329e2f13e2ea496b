// SPDX-License-Identifier: Apache-2.0
/// H.264 from Annex B (start codes) to what containers and RTMP want: 4-byte lengths, and an avcC record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringcast::runtime::h264 {

/// The NAL units between 3- and 4-byte start codes, without trailing zero bytes. Bytes before the first start code are
/// not part of any unit.
std::vector<std::span<const std::uint8_t>> split_annex_b(std::span<const std::uint8_t> bytes);

/// Bytes that write_length_prefixed() needs.
std::size_t length_prefixed_size(std::span<const std::span<const std::uint8_t>> units);
/// A unit may already stand where it goes (lengths written over 4-byte start codes).
void write_length_prefixed(std::span<const std::span<const std::uint8_t>> units, std::uint8_t* target);

/// avcC from extradata with SPS and PPS in Annex B; returned as it is when it already is an avcC record. Throws
/// Error(unsupported) when there is no SPS or no PPS in it.
std::vector<std::uint8_t> make_avcc(std::span<const std::uint8_t> extradata);

}  // namespace ringcast::runtime::h264
