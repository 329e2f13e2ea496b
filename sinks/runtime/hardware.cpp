// SPDX-License-Identifier: Apache-2.0
#include "runtime/hardware.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "ringcast/error.hpp"
#include "runtime/av_log.hpp"
#include "runtime/encoder_open.hpp"

extern "C" {
#include <libavutil/hwcontext.h>
}

namespace ringcast::runtime {

namespace {

constexpr int kPoolPictures = 20;  // what vaapi_encode may hold, and some more
constexpr const char* kRenderNode = "/dev/dri/renderD128";

bool can_load(const char* library) {
    void* handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (handle == nullptr) return false;
    dlclose(handle);
    return true;
}

std::string missing_nvenc(const std::string& log) {
    if (!can_load("libcuda.so.1")) return "this machine has no NVENC (no NVIDIA driver: libcuda.so.1 not found)";
    if (!can_load("libnvidia-encode.so.1"))
        return "the NVIDIA driver here has no NVENC (libnvidia-encode.so.1 not found; in a container set "
               "NVIDIA_DRIVER_CAPABILITIES=video,compute)";
    // Compute cards (A100, H100, H200) come without the encoder unit.
    const bool no_unit =
        log.find("unsupported device") != std::string::npos || log.find("No capable devices") != std::string::npos;
    return no_unit ? "this GPU has no NVENC" : "";
}

std::string missing_render_node(const char* what) {
    if (access(kRenderNode, R_OK | W_OK) == 0) return {};
    const bool absent = errno == ENOENT;
    return std::string("this machine has no ") + what + " (" + kRenderNode + ": " + std::strerror(errno) +
           (absent ? ")" : "; the user must be in the group render)");
}

}  // namespace

std::string missing_hardware(const std::string& encoder, const std::string& log) {
    if (encoder.ends_with("_nvenc")) return missing_nvenc(log);
    if (encoder.ends_with("_vaapi")) return missing_render_node("VAAPI device");
    if (encoder.ends_with("_qsv")) return missing_render_node("Quick Sync device");
    return {};
}

HardwareUpload::HardwareUpload(AVCodecContext& context, AVPixelFormat software, const std::string& device) {
    const std::string missing = device.empty() ? missing_hardware(context.codec->name, {}) : "";
    if (!missing.empty()) throw cannot_open(kVideoRole, *context.codec, missing);
    AVBufferRef* raw = nullptr;
    AvLogCapture log;
    const char* node = device.empty() ? kRenderNode : device.c_str();
    int code = av_hwdevice_ctx_create(&raw, AV_HWDEVICE_TYPE_VAAPI, node, nullptr, 0);
    device_.reset(raw);
    if (code >= 0) {
        frames_ = av_owned<AVBufferRefPtr>(av_hwframe_ctx_alloc(device_.get()));
        auto& frames = *reinterpret_cast<AVHWFramesContext*>(frames_->data);
        frames.format = AV_PIX_FMT_VAAPI;
        frames.sw_format = software;
        frames.width = context.width;
        frames.height = context.height;
        frames.initial_pool_size = kPoolPictures;
        code = av_hwframe_ctx_init(frames_.get());
    }
    if (code < 0) {
        const std::string why = log.text().empty() ? av_error_text(code) : log.text();
        throw cannot_open(kVideoRole, *context.codec, std::string("VAAPI device ") + node + ": " + why);
    }
    context.pix_fmt = AV_PIX_FMT_VAAPI;
    context.hw_frames_ctx = av_owned<AVBufferRefPtr>(av_buffer_ref(frames_.get())).release();
}

AVFramePtr HardwareUpload::upload(const AVFrame& picture) {
    AVFramePtr copy = av_owned<AVFramePtr>(av_frame_alloc());
    int code = av_hwframe_get_buffer(frames_.get(), copy.get(), 0);
    if (code >= 0) code = av_hwframe_transfer_data(copy.get(), &picture, 0);
    if (code >= 0) code = av_frame_copy_props(copy.get(), &picture);
    if (code < 0) throw Error(ErrorCode::system, "copying a picture to the VAAPI device: " + av_error_text(code));
    return copy;
}

}  // namespace ringcast::runtime
