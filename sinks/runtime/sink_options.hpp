// SPDX-License-Identifier: Apache-2.0
/// The host's own options of a sink: encoders, timeline, end. One table drives parsing, help and completion.
///
/// Precedence: built-in defaults < the plugin's defaults < the user's words. Parsing is strict: an unknown key, a wrong
/// type or a wrong unit throws Error(invalid_argument) with one line that names key, value, what is expected with an
/// example, and the nearest valid name.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/option_values.hpp"

namespace ringcast::runtime {

enum class RateControl { cbr, vbr, crf };
enum class Scale { fit, fill, stretch };
enum class OnStall { wait, fill };
enum class OnEnd { hold, close };
/// What a viewer sees once a stall has lasted stall_timeout.
struct StallScreen {
    enum class Kind { hold, slate, stop } kind = Kind::hold;
    std::string file;  ///< of a slate
};
enum class ReaderMode { live, lossless };

struct VideoOptions {
    Codec codec = Codec::h264;  ///< h264 or h265
    std::string encoder;        ///< any libavcodec encoder that makes one of the two; empty: the codec's own
    std::string fallback;       ///< encoder to use when the first cannot open; empty: none
    std::string pix_fmt;        ///< what the encoder is given; empty: yuv420p, or nv12 where it takes no yuv420p
    std::optional<RateControl> rate_control;  ///< none: vbr; cbr with NVENC
    std::optional<std::uint64_t> bitrate;     ///< bit/s; none: by picture size, see default_bitrate()
    std::optional<std::uint64_t> maxrate;     ///< bit/s; none: the bitrate; with crf: no limit
    std::optional<std::uint64_t> bufsize;     ///< bits; none: one second of maxrate
    double crf = 20;                          ///< used with rate_control=crf
    MediaSpan gop{std::chrono::seconds(2), 0};
    std::optional<Size> size;  ///< even; none: the first input's, rounded up to even
    Scale scale = Scale::fit;
    std::optional<Rational> fps;  ///< none: the first input's
    std::string preset;           ///< empty: veryfast for libx264 and libx265, p4 for NVENC, else the encoder's own
    std::string tune;
    bool tune_is_preset = false;  ///< the plugin's word: an encoder that has no such tuning goes without
    std::string profile;
    std::string level;
    std::optional<std::uint32_t> threads;  ///< none: min(4, cores); 1 with tune=zerolatency (frame threads add delay)
    std::optional<MediaSpan> lookahead;    ///< none: the preset's own
    Pairs options;                         ///< passed to the encoder as they stand; they win

    [[nodiscard]] std::string encoder_name() const {
        return !encoder.empty() ? encoder : codec == Codec::h265 ? "libx265" : "libx264";
    }
};

struct AudioOptions {
    Codec codec = Codec::aac;  ///< aac or opus
    std::string encoder;       ///< any libavcodec encoder that makes one of the two; empty: the codec's own
    std::uint64_t bitrate = 128000;
    std::uint32_t rate = 48000;
    std::uint32_t channels = 2;
    Pairs options;

    [[nodiscard]] std::string encoder_name() const {
        return !encoder.empty() ? encoder : codec == Codec::opus ? "libopus" : "aac";
    }
};

struct SinkOptions {
    VideoOptions video;
    AudioOptions audio;
    OnStall on_stall = OnStall::wait;
    OnEnd on_end = OnEnd::hold;
    std::chrono::nanoseconds track_wait = std::chrono::seconds(1);
    std::chrono::nanoseconds stall_timeout = std::chrono::seconds(10);
    StallScreen stall_show;
    std::optional<std::chrono::nanoseconds> lag_limit;  ///< none: 500 ms, or half the ring when that is less
    /// How much media may wait for a peer that is too slow, before it is dropped; none: nothing is, the reading waits.
    std::optional<std::chrono::nanoseconds> queue;
    bool shortest = false;
    std::optional<ReaderMode> reader;  ///< none: by on_stall

    /// Whether a lossless writer waits for this sink: unless said otherwise, when the output is media time.
    [[nodiscard]] bool is_lossless() const {
        return reader ? *reader == ReaderMode::lossless : on_stall == OnStall::wait;
    }
    /// Who gets every record decides how long the output is, not the clock.
    [[nodiscard]] bool fills() const { return on_stall == OnStall::fill && !is_lossless(); }
    /// To a peer on the network, who gets what it can take, as it is made.
    [[nodiscard]] bool sends_live() const { return queue && fills(); }
};

/// One row of the table, for help and completion.
struct OptionRow {
    std::string_view key;       ///< "video.gop"
    std::string_view help;      ///< one line
    std::string_view expected;  ///< "a time or a number of frames"
    std::string_view example;   ///< "2s"
    std::string_view choices;   ///< "cbr|vbr|crf"; empty: free
    std::string_view fallback;  ///< built-in default as shown in help; empty: none
};
std::span<const OptionRow> option_rows();

/// True when `key` is one of the host's own options.
bool is_sink_option(std::string_view key);

/// Sets one option. `origin` says where the word came from when it is not the user's ("plugin hls"): shown in errors.
void set_sink_option(SinkOptions& options, std::string_view key, std::string_view value, std::string_view origin = {});

/// Applies one layer of "key=value" words in order; a word without "=" is an error. Within a layer a bitrate or a crf
/// without video.rate_control picks the rate control it belongs to, so that video.bitrate=3M works on a crf sink.
void apply_sink_options(SinkOptions& options, std::span<const std::string> words, std::string_view origin = {});

/// Contradictions between options that are each right alone (crf without rate_control=crf, maxrate below bitrate).
void check_sink_options(const SinkOptions& options);

/// The nearest of the host's keys and `more` (a plugin's own), for "did you mean"; empty when nothing is near.
std::string nearest_option(std::string_view key, std::span<const std::string_view> more = {});

/// One line for an unknown key: `unknown option video.bitrat=3M: did you mean video.bitrate? ...`.
std::string unknown_option_text(std::string_view word, std::span<const std::string_view> more = {});

/// The options section of `--help`, 100 columns; `defaults` are the plugin's own, "key=value".
std::string sink_options_help(std::span<const std::string> defaults = {});

/// Bits per second for a picture of this size and rate: 512x512 1.0, 1280x720 3.0, 1920x1080 4.5 Mb/s at 25 fps.
std::uint64_t default_bitrate(Size size, Rational fps);

}  // namespace ringcast::runtime
