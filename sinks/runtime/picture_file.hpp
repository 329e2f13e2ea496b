// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "ringcast/caps.hpp"

namespace ringcast::runtime {

/// A still picture as the bus would carry it.
struct PictureFile {
    layout::Caps caps{};
    std::vector<std::byte> pixels;
};

/// The first picture of any file libav reads (PNG, JPEG, WebP ...), as BGR. Throws Error(invalid_argument) with one
/// line that names the file.
PictureFile load_picture(const std::string& path);

}  // namespace ringcast::runtime
