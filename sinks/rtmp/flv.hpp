// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ringcast/sink.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ringcast::sink {

/// FLV's way to say what a message holds: the bytes in front of the codec's own.

/// In front of a picture; `shift_ms` is presentation minus decoding time.
std::array<std::uint8_t, 5> flv_video_head(bool key, std::int32_t shift_ms);
/// In front of an avcC.
std::array<std::uint8_t, 5> flv_video_config_head();
std::array<std::uint8_t, 2> flv_audio_head();
/// In front of an AudioSpecificConfig.
std::array<std::uint8_t, 2> flv_audio_config_head();

/// The body of the data message that describes the streams.
std::vector<std::uint8_t> flv_metadata(std::span<const ringcast_sink_stream* const> streams, std::string_view encoder);

}  // namespace ringcast::sink
