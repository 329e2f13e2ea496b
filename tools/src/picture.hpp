// SPDX-License-Identifier: Apache-2.0
/// One raw frame as a picture file in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ringcast/layout.hpp"

namespace ringcast::tools {

enum class PictureFormat { png, jpg };

/// By the name of a file: .png, .jpg or .jpeg, in any case.
std::optional<PictureFormat> picture_format_of(std::string_view file_name);

/// PNG: 8-bit RGB without alpha, exact for the RGB formats. JPEG: JFIF, 4:4:4, quality near lossless. YUV frames are
/// taken for BT.709 in limited range. `payload` is followed by CopiedRecord::kSlack readable bytes. Throws VerbError
/// when caps and payload do not fit together.
std::vector<std::uint8_t> encode_picture(const layout::Caps& caps, std::span<const std::byte> payload,
                                         PictureFormat format);

}  // namespace ringcast::tools
