// SPDX-License-Identifier: Apache-2.0
#include "demuxer.hpp"

#include <algorithm>
#include <iterator>
#include <new>
#include <stdexcept>
#include <utility>

#include "runtime/av_log.hpp"

namespace ringcast::ingest {
namespace {

constexpr int kBuffer = 64 * 1024;

}  // namespace

// Exceptions do not go through libavformat: they are kept, and thrown when it has returned.
int Demuxer::pull(void* self, std::uint8_t* into, int size) {
    auto& demuxer = *static_cast<Demuxer*>(self);
    try {
        const std::size_t got = demuxer.pull_({into, static_cast<std::size_t>(size)});
        demuxer.pulled_ += got;
        demuxer.bytes_ended_ = got == 0;
        return got > 0 ? static_cast<int>(got) : AVERROR_EOF;
    } catch (...) {
        demuxer.failure_ = std::current_exception();
        return AVERROR_EXIT;
    }
}

int Demuxer::is_interrupted(void* self) {
    auto& demuxer = *static_cast<Demuxer*>(self);
    try {
        return demuxer.interrupt_ && demuxer.interrupt_() ? 1 : 0;
    } catch (...) {
        demuxer.failure_ = std::current_exception();
        return 1;
    }
}

void Demuxer::throw_kept() {
    if (failure_) std::rethrow_exception(std::exchange(failure_, {}));
}

Demuxer::Demuxer(const char* format, Pull pull_bytes, Torn torn)
    : pull_(std::move(pull_bytes)), torn_(std::move(torn)) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
    if (buffer == nullptr) throw std::bad_alloc();
    io_ = avio_alloc_context(buffer, kBuffer, 0, this, pull, nullptr, nullptr);
    if (io_ == nullptr) {
        av_free(buffer);
        throw std::bad_alloc();
    }
    open(format, {}, nullptr);
}

Demuxer::Demuxer(const char* format, const std::string& url, const std::map<std::string, std::string>& options,
                 Interrupt interrupt)
    : interrupt_(std::move(interrupt)) {
    AVDictionary* words = nullptr;
    for (const auto& [key, value] : options)
        av_dict_set(&words, key.c_str(), value.c_str(), 0);
    try {
        open(format, url, &words);
    } catch (...) {
        av_dict_free(&words);
        throw;
    }
    av_dict_free(&words);
}

void Demuxer::open(const char* format, const std::string& url, AVDictionary** options) {
    context_ = avformat_alloc_context();
    if (context_ == nullptr) throw std::bad_alloc();
    context_->pb = io_;
    context_->interrupt_callback = {is_interrupted, this};
    context_->flags |= AVFMT_FLAG_NOBUFFER;
    context_->correct_ts_overflow = 0;  // it goes around once only; TickUnwrapper does for ever
    runtime::AvLogCapture words;
    const AVInputFormat* demuxer = av_find_input_format(format);
    const int code = avformat_open_input(&context_, url.empty() ? nullptr : url.c_str(), demuxer, options);
    if (code >= 0) return;
    // avformat_open_input() has freed the context.
    if (io_ != nullptr) {
        av_freep(&io_->buffer);
        avio_context_free(&io_);
    }
    throw_kept();
    throw std::runtime_error(words.text().empty() ? runtime::av_error_text(code) : words.text());
}

Demuxer::~Demuxer() {
    avformat_close_input(&context_);
    if (io_ == nullptr) return;
    av_freep(&io_->buffer);
    avio_context_free(&io_);
}

/// A parser is one packet behind: which was the last of its stream is known only when there is no more.
runtime::AVPacketPtr Demuxer::read() {
    if (!has_rest_) {
        auto packet = next();
        if (!torn_ || !bytes_ended_) return packet;
        has_rest_ = true;
        for (; packet; packet = next())
            rest_.push_back(std::move(packet));
        leave_out_torn();
    }
    if (rest_.empty()) return nullptr;
    auto packet = std::move(rest_.front());
    rest_.pop_front();
    return packet;
}

/// A decoder would show what is there of a picture, and sinks hold it until the sender is back.
void Demuxer::leave_out_torn() {
    for (const AVStream* stream : streams()) {
        if (!torn_(stream->id)) continue;
        const auto last = std::find_if(rest_.rbegin(), rest_.rend(), [stream](const runtime::AVPacketPtr& packet) {
            return packet->stream_index == stream->index;
        });
        if (last != rest_.rend()) rest_.erase(std::next(last).base());
    }
}

runtime::AVPacketPtr Demuxer::next() {
    auto packet = runtime::av_owned<runtime::AVPacketPtr>(av_packet_alloc());
    runtime::AvLogCapture words;
    for (;;) {
        const int code = av_read_frame(context_, packet.get());
        if (code >= 0) return packet;
        throw_kept();
        if (code == AVERROR(EAGAIN)) continue;
        if (code != AVERROR_EOF && code != AVERROR_EXIT) {
            end_text_ = words.text().empty() ? runtime::av_error_text(code) : words.text();
        }
        return nullptr;
    }
}

std::span<AVStream* const> Demuxer::streams() const {
    return {context_->streams, context_->nb_streams};
}

std::uint64_t Demuxer::received() const {
    if (io_ != nullptr) return pulled_;
    const std::int64_t at = context_->pb != nullptr ? avio_tell(context_->pb) : 0;
    return at > 0 ? static_cast<std::uint64_t>(at) : 0;
}

}  // namespace ringcast::ingest
