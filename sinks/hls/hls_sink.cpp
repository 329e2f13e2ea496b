// SPDX-License-Identifier: Apache-2.0
#include "hls/hls_sink.hpp"

#include <chrono>
#include <exception>
#include <utility>

#include "hls/playlist_reader.hpp"
#include "mux/sink_error.hpp"

namespace ringcast::sink {

using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds kPatienceWithViewers{4};  // the ABI allows disconnect() 5 s

std::string new_stream_name() {
    return std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
}

}  // namespace

HlsSink::HlsSink(Host host, const Options& options)
    : host_(host), options_(read_hls_options(options)), folder_(options_.dir, options_.form.names) {}

void HlsSink::connect() {
    audience_.welcome();
    folder_.open();
    if (!resumed_) refuse_foreign_playlist();
    serve();
    host_.set_info("path", (folder_.path() / kPlaylistName).string());
    if (server_) host_.set_info("url", server_->url());
}

// Another program's stream would be overwritten, and its segments with it where they are called like ours.
void HlsSink::refuse_foreign_playlist() const {
    const std::string text = folder_.saved_playlist();
    if (text.empty() || PlaylistReader(text).is_own()) return;
    throw SinkError(RINGCAST_SINK_E_CONFIG, (folder_.path() / kPlaylistName).string() +
                                                " is another program's; choose another dir=, or move it away");
}

// The port comes before anything in the folder is touched: a sink that cannot start has changed nothing.
void HlsSink::serve() {
    const bool has_port = !options_.listen.empty() && !server_;
    const int fd = has_port ? host_.get()->listen_socket(host_.get(), options_.listen.c_str()) : -1;
    if (has_port && fd < 0) throw SinkError::already_told(fd);
    if (!std::exchange(resumed_, true)) resume();
    if (has_port) server_ = std::make_unique<HttpServer>(fd, folder_, audience_);
}

void HlsSink::resume() {
    const std::string text = folder_.saved_playlist();
    if (text.empty()) return;
    const PlaylistReader saved(text);
    playlist_ = saved.resume(options_.form, [this](const std::string& name) { return folder_.size_of(name); });
    if (!playlist_) {
        // What plays stays until there is something to put in its place.
        counters_ = saved.counters();
        stale_ = saved.files();
        return;
    }
    folder_.adopt(*playlist_);
    host_.info("going on with the playlist found in " + folder_.path().string() + ", at segment " +
               std::to_string(playlist_->counters().next_number));
}

void HlsSink::begin_stream() {
    std::string stream = new_stream_name();
    folder_.begin_stream(stream, options_.form.mode, std::exchange(stale_, {}));
    playlist_.emplace(options_.form, std::move(stream), counters_);
}

/// After an end: a fresh playlist. After a lost connection, new encoder settings or a kill: the playlist goes on.
void HlsSink::headers(std::span<const ringcast_sink_stream* const> streams) {
    end_segmenter();
    if (!playlist_) begin_stream();
    discontinuity_ = true;
    const std::uint64_t number = playlist_->counters().next_number;
    const SegmentType type = options_.form.names.type();
    rendition_ = rendition_of(streams);
    segmenter_ = std::make_unique<Segmenter>(streams, options_.form, writer_, number,
                                             [this](const Segment& segment) { publish(segment); });
    playlist_->begin_encoding(streams.empty() ? 0 : streams.front()->epoch_realtime_ns,
                              type == SegmentType::fmp4 ? std::optional(number) : std::nullopt);
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
    segment.discontinuity = std::exchange(discontinuity_, false);
    if (!playlist_->fits(segment)) begin_next_playlist(segment);
    playlist_->add(segment);
    // The last segment and the end of the playlist appear together.
    if (!ending_) publish_playlist(*playlist_);
    host_.set_stat("segments", static_cast<std::int64_t>(segment.number + 1));
    host_.set_stat("published_ms", segment.end_us / 1000);
}

/// A playlist cannot change its TARGETDURATION, so this one ends before the segment that is too long for it.
void HlsSink::begin_next_playlist(const Segment& segment) {
    host_.warn("segment " + options_.form.names.segment(segment.number) + " is longer than TARGETDURATION " +
               std::to_string(playlist_->target_duration()) +
               " s, because keyframes come too seldom: a new playlist begins with it; set video.gop to the segment "
               "length, or segment= to the longest time between keyframes");
    Playlist next = playlist_->next(new_stream_name());
    playlist_->end();
    publish_playlist(*playlist_);
    playlist_ = std::move(next);
}

void HlsSink::publish_playlist(const Playlist& playlist) {
    folder_.publish_playlist(playlist, rendition_ ? master_playlist(*rendition_, playlist.form().names.type(),
                                                                    playlist.peak_bps(), playlist.average_bps())
                                                  : std::string());
    if (server_) server_->wake_held_requests();
    folder_.remove_before(playlist.oldest_kept());
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
        counters_ = ended.counters();
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
    if (!audience_.wait_until_served(counters_.next_number - 1, deadline)) {
        host_.info("a viewer had not fetched the last segment when the stream was closed");
    }
}

}  // namespace ringcast::sink
