// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "ringcast/producer.hpp"
#include "runtime/av_handles.hpp"

namespace ringcast::ingest {

/// Decoded sound as interleaved floats, at its own rate.
class SoundWriter {
public:
    [[nodiscard]] static AudioFormat format_of(const AVFrame& frame);
    void write(Producer& producer, const AVFrame& frame);

private:
    void open(const AVFrame& frame);

    runtime::SwrContextPtr converter_;
    int rate_ = 0;
    int channels_ = 0;
    int format_ = -1;
    std::vector<std::byte> samples_;
};

}  // namespace ringcast::ingest
