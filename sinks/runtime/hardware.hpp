// SPDX-License-Identifier: Apache-2.0
/// What hardware encoders need beyond libavcodec: a device, pictures in its memory, and words for when it is not there.
#pragma once

#include <string>

#include "runtime/av_handles.hpp"

namespace ringcast::runtime {

/// Why the hardware encoder of this name cannot open here, in words people can act on; empty when the hardware is not
/// what is missing. `log` is what libavcodec said.
std::string missing_hardware(const std::string& encoder, const std::string& log);

/// Pictures on their way into the memory of a VAAPI device. One thread.
class HardwareUpload {
public:
    /// Opens the device (a render node; empty: the first) and makes `context` take pictures of its size in that memory,
    /// uploaded from `software` format. Throws CannotOpen.
    HardwareUpload(AVCodecContext& context, AVPixelFormat software, const std::string& device);

    /// A copy in the device's memory. Throws Error(system).
    [[nodiscard]] AVFramePtr upload(const AVFrame& picture);

private:
    AVBufferRefPtr device_;
    AVBufferRefPtr frames_;
};

}  // namespace ringcast::runtime
