// SPDX-License-Identifier: Apache-2.0
/// The sound side of a timeline: which input samples stand at which output sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "runtime/media_time.hpp"
#include "runtime/timeline.hpp"

namespace ringcast::runtime {

/// Input is counted in samples of its own rate, segment by segment; an output position is always
/// segment start + input count · output rate / input rate, never a sum of rounded pieces.
class AudioTrack {
public:
    explicit AudioTrack(const OutputGrid& grid) : grid_(grid) {}

    /// From now on `pts_ns` stands at output sample `sample`; silence fills up to it, and the next segment begins
    /// there.
    void join(std::int64_t sample, std::int64_t pts_ns);

    /// Places the record by its sample index where that continues, by its pts otherwise: silence before it, or its
    /// first samples trimmed.
    void place(const AudioRecord& record);

    void fill_to(std::int64_t sample);  ///< silence; nothing when the end is past it
    void cut_to(std::int64_t sample);   ///< takes back what is queued from there on
    void void_queued();                 ///< takes back all that is queued

    /// Inserts so many output samples of silence at the output sample `at` of what is queued (at its end, when that is
    /// sooner); what stands there, and what comes later, is shifted by exactly that much. Returns where it ends.
    std::int64_t hold(std::int64_t at, std::int64_t samples);
    /// The same once the sound has come as far as `at`, which lies behind its end: what belongs before stays there.
    void hold_later(std::int64_t at, std::int64_t samples) { later_ = Hold{at, samples}; }
    [[nodiscard]] std::int64_t held_later() const { return later_ ? later_->samples : 0; }
    void shift(std::int64_t samples);  ///< only of what comes later; the hole is filled when it comes
    /// The first output sample in [from, to] where what is queued is quiet; else `from`.
    [[nodiscard]] std::int64_t quiet_place(std::int64_t from, std::int64_t to) const;

    [[nodiscard]] std::int64_t end_sample() const;  ///< of what is queued, rounded to nearest
    [[nodiscard]] std::int64_t end_ns() const;
    [[nodiscard]] std::int64_t pts_to_ns(std::int64_t pts_ns) const;  ///< output time of a bus pts
    [[nodiscard]] std::int64_t pts_at(std::int64_t output_ns) const;  ///< the way back
    [[nodiscard]] bool has_input() const { return has_input_; }       ///< a record's samples were placed
    [[nodiscard]] std::uint64_t last_id() const { return last_id_; }  ///< of the last such record
    [[nodiscard]] std::uint64_t trimmed() const { return trimmed_; }
    [[nodiscard]] std::uint64_t late() const { return late_; }  ///< of those: others stood there already
    void count_trim(std::uint64_t samples) { trimmed_ += samples; }

    [[nodiscard]] std::optional<std::int64_t> front_sample() const;
    /// True when something can be popped that ends no later than `limit_sample`.
    [[nodiscard]] bool can_pop(std::int64_t limit_sample) const;
    /// The next operation, when can_pop(); it ends no later than the limit.
    Operation pop(std::int64_t limit_sample);
    [[nodiscard]] std::int64_t popped_end() const { return popped_end_; }
    /// The first record a queued operation names.
    [[nodiscard]] std::optional<std::uint64_t> first_id() const;

private:
    struct Segment {
        std::int64_t start = 0;  // output sample
        std::uint32_t rate = 0;  // input
        std::uint32_t format_id = 0;
        bool silence_only = false;
    };
    enum class SpanKind { start, copy, silence };
    struct Span {
        SpanKind kind;
        Segment segment;
        std::int64_t begin;  // input samples since the segment's start
        std::int64_t count;
        std::uint64_t id;
        std::int64_t offset;
        std::int64_t pts_ns;
        std::uint64_t quiet;  // AudioRecord::quiet, of the whole record
    };

    struct Hold {
        std::int64_t at;
        std::int64_t samples;
    };

    [[nodiscard]] std::int64_t position(const Segment& segment, std::int64_t input) const {
        return segment.start + scale(input, grid_.rate(), segment.rate);
    }
    /// How many whole input samples fit before the output sample.
    [[nodiscard]] std::int64_t input_before(const Segment& segment, std::int64_t sample) const;
    [[nodiscard]] std::int64_t gap_before(const AudioRecord& record) const;
    void begin_segment(std::uint32_t rate, std::uint32_t format_id, bool silence_only);
    void append_silence(std::int64_t count);
    void insert_silence(std::size_t index, std::int64_t at, std::int64_t samples);
    /// Input samples for so many output samples more of holds; of all holds of the segment together it is exact.
    std::int64_t hold_input(std::int64_t samples);

    OutputGrid grid_;
    std::int64_t map_sample_ = 0;  // pts map_pts_ns_ stands at this output sample
    std::int64_t map_pts_ns_ = 0;
    std::optional<Segment> segment_;          // the last one queued
    std::int64_t count_ = 0;                  // input samples queued in it
    std::optional<std::int64_t> next_start_;  // where the next segment must begin; the segment before it is over
    std::optional<Hold> later_;
    std::int64_t held_output_ = 0;  // samples of hold() in it, and the input samples they made
    std::int64_t held_input_ = 0;
    bool resync_ = true;  // the next record is placed by its pts to the sample, however small the difference
    std::optional<std::uint64_t> expected_index_;
    std::deque<Span> spans_;
    std::int64_t popped_end_ = 0;  // output sample
    bool has_input_ = false;
    std::uint64_t last_id_ = 0;
    std::uint64_t trimmed_ = 0;
    std::uint64_t late_ = 0;
};

}  // namespace ringcast::runtime
