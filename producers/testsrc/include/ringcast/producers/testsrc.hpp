// SPDX-License-Identifier: Apache-2.0
/// The test source: a moving picture and sound whose marks (DESIGN section 9) every end-to-end test reads back.
#pragma once

#include <memory>

#include "ringcast/producers/loop.hpp"

namespace ringcast::producers {

/// Throws Error(invalid_argument) when the marks have no room or the caps are outside the bus's limits.
std::unique_ptr<Source> make_testsrc(const VideoFormat& video, const AudioFormat& audio);

}  // namespace ringcast::producers
