// SPDX-License-Identifier: Apache-2.0
/// GStreamer's shmsink and shmsrc, fed and drained by appsrc and appsink.
#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "transport.hpp"

namespace ringcast::bench {
namespace {

class GStreamer final : public Transport {
public:
    GStreamer() : socket_(std::filesystem::temp_directory_path() / ("ringcast-bench-" + std::to_string(getpid()))) {}
    ~GStreamer() override { unlink(socket_.c_str()); }

    void open_writer() override {
        start("appsrc name=end max-bytes=0 block=true ! shmsink sync=false wait-for-connection=false shm-size=" +
              std::to_string(kSlots * (kFrameBytes + 4096)) + " socket-path=" + socket_);
    }
    std::span<std::byte> prepare() override {
        buffer_ = gst_buffer_new_allocate(nullptr, kFrameBytes, nullptr);
        gst_buffer_map(buffer_, &map_, GST_MAP_WRITE);
        return {reinterpret_cast<std::byte*>(map_.data), map_.size};
    }
    void publish() override {
        gst_buffer_unmap(buffer_, &map_);
        if (gst_app_src_push_buffer(GST_APP_SRC(end_), buffer_) != GST_FLOW_OK) throw std::runtime_error("appsrc");
    }

    void close_writer() override { gst_element_set_state(pipeline_, GST_STATE_NULL); }

    void open_reader(unsigned) override {
        start("shmsrc is-live=true socket-path=" + socket_ + " ! appsink name=end sync=false max-buffers=2");
    }
    std::uint64_t receive() override {
        GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(end_));
        if (sample == nullptr) throw std::runtime_error("appsink");
        std::uint64_t stamp = 0;
        gst_buffer_extract(gst_sample_get_buffer(sample), 0, &stamp, sizeof stamp);
        gst_sample_unref(sample);
        return stamp;
    }

private:
    void start(const std::string& description) {
        gst_init(nullptr, nullptr);
        GError* error = nullptr;
        pipeline_ = gst_parse_launch(description.c_str(), &error);
        if (pipeline_ == nullptr || error != nullptr)
            throw std::runtime_error(error != nullptr ? error->message : "gst_parse_launch");
        end_ = gst_bin_get_by_name(GST_BIN(pipeline_), "end");
        gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    }

    std::string socket_;
    GstElement* pipeline_ = nullptr;
    GstElement* end_ = nullptr;
    GstBuffer* buffer_ = nullptr;
    GstMapInfo map_{};
};

}  // namespace

std::unique_ptr<Transport> make_gstreamer(unsigned) {
    return std::make_unique<GStreamer>();
}

}  // namespace ringcast::bench
