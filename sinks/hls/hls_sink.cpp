// SPDX-License-Identifier: Apache-2.0
#include "hls/hls_sink.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "mux/sink_error.hpp"

namespace ringcast::sink {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds kPatienceWithViewers{4};  // the ABI allows disconnect() 5 s

}  // namespace

HlsSink::HlsSink(Host host, const Options& options)
    : host_(host),
      listen_(options.text("listen")),
      segment_us_(std::chrono::microseconds(options.duration("segment", 500ms, 60s)).count()),
      folder_(options.text("dir")) {
    static_cast<void>(options.choice("mode", "event"));
}

void HlsSink::connect() {
    audience_.welcome();
    folder_.open();
    if (!listen_.empty() && !server_) {
        const int fd = host_.get()->listen_socket(host_.get(), listen_.c_str());
        if (fd < 0) throw SinkError::already_told(fd);
        server_ = std::make_unique<HttpServer>(fd, folder_, audience_);
    }
    announce();
}

void HlsSink::announce() const {
    host_.set_info("path", (folder_.path() / kPlaylistName).string());
    if (server_) host_.set_info("url", server_->url());
}

void HlsSink::headers(std::span<const ringcast_sink_stream* const> streams) {
    end_segmenter();
    discontinuity_ = playlist_.has_value();
    if (!playlist_) {
        folder_.clear();
        playlist_.emplace(segment_us_, streams.empty() ? 0 : streams.front()->epoch_realtime_ns);
    }
    segmenter_ = std::make_unique<Segmenter>(streams, segment_us_, writer_, next_number_,
                                             [this](Segment segment) { publish(segment); });
}

void HlsSink::packet(const ringcast_sink_packet& packet) {
    try {
        segmenter_->packet(packet);
    } catch (...) {
        // The muxer is in an unknown state: what is published stays, the open segment goes.
        segmenter_.reset();
        writer_.abandon();
        throw;
    }
}

void HlsSink::publish(Segment segment) {
    next_number_ = segment.number + 1;
    segment.discontinuity = std::exchange(discontinuity_, false);
    const bool fits = playlist_->add(segment);
    if (!fits && !std::exchange(told_too_long_, true)) {
        host_.warn("segment " + segment_name(segment.number) + " is longer than TARGETDURATION " +
                   std::to_string(playlist_->target_duration()) +
                   " s, because keyframes come too seldom; set video.gop to the segment length");
    }
    // The last segment and the end of the playlist appear together.
    if (!ending_) publish_playlist(*playlist_);
    host_.set_stat("segments", static_cast<std::int64_t>(next_number_));
    host_.set_stat("published_ms", segment.end_us / 1000);
}

void HlsSink::publish_playlist(const Playlist& playlist) {
    folder_.publish_playlist(playlist.text(), playlist.ended());
    if (server_) server_->wake_held_requests();
}

void HlsSink::end_segmenter() {
    if (!segmenter_) return;
    const std::unique_ptr<Segmenter> ending = std::move(segmenter_);
    try {
        ending->end();
    } catch (...) {
        writer_.abandon();
        throw;
    }
}

void HlsSink::disconnect(bool final) {
    ending_ = final;
    std::exception_ptr failure;
    try {
        end_segmenter();
    } catch (...) {
        failure = std::current_exception();  // the playlist is closed all the same: what it lists plays
    }
    if (final && playlist_) {
        Playlist ended = *std::exchange(playlist_, std::nullopt);
        ended.end();
        if (!ended.empty()) {
            publish_playlist(ended);
            stay_for_viewers();
        }
    }
    ending_ = false;
    if (failure) std::rethrow_exception(failure);
}

// A viewer plays a segment or so behind the end, and after this call the server may go, or the files.
void HlsSink::stay_for_viewers() {
    if (!server_) return;
    const auto deadline = Audience::Clock::now() + kPatienceWithViewers;
    if (!audience_.wait_until_served(next_number_ - 1, deadline)) {
        host_.info("a viewer had not fetched the last segment when the stream was closed");
    }
}

}  // namespace ringcast::sink
