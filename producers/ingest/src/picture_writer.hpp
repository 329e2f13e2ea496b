// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ringcast/producer.hpp"
#include "runtime/av_handles.hpp"

namespace ringcast::ingest {

/// Decoded pictures in a format of the bus: I420 and NV12 as they are, what else there is converted to I420.
class PictureWriter {
public:
    [[nodiscard]] static VideoFormat format_of(const AVFrame& frame, Rational fps);
    void write(Producer& producer, const AVFrame& frame);

private:
    const AVFrame& converted(const AVFrame& frame);

    runtime::SwsContextPtr converter_;
    runtime::AVFramePtr target_;
};

}  // namespace ringcast::ingest
