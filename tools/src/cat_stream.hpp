// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attach.hpp"
#include "media_output.hpp"
#include "stop_signal.hpp"

namespace ringcast::tools {

struct CatOptions {
    std::string bus;
    MediaFormat format = MediaFormat::nut;
    bool video = true;
    bool audio = true;
    bool lossless = false;
    std::optional<std::int64_t> limit_ns;
    std::optional<std::uint64_t> limit_frames;
};

struct CatCounts {
    std::uint64_t records = 0;  ///< written
    std::uint64_t overrun = 0;
    std::uint64_t aborted = 0;
};

/// One bus, over the lives of its producers, as one stream with one timeline.
/// The timeline starts near 0. A new session and a step back of pts are joined to the end of what was written, both
/// flows by the same shift. Thread safety: none.
class CatStream {
public:
    CatStream(const CatOptions& options, ByteOutput& out) : options_(options), out_(out) {
        out_.set_stop_fd(stop_.fd());
    }

    /// Until the end of the stream, the limit, a stop or a reader that left.
    void run();

    [[nodiscard]] const CatCounts& counts(FlowKind kind) const { return counts_.at(static_cast<std::size_t>(kind)); }
    [[nodiscard]] std::int64_t duration_ns() const noexcept { return horizon_ns_; }
    [[nodiscard]] const char* end_reason() const noexcept { return reason_; }

private:
    enum class Outcome { finished, attach_again };
    struct Lane {
        FlowKind kind{};
        FlowReader* flow = nullptr;
        bool damaged = false;
        bool done = false;  ///< the limit is reached
        std::int64_t last_ns = INT64_MIN;
        std::optional<layout::Caps> caps;
    };

    std::unique_ptr<BusReader> attach();
    Outcome limit_reached() {
        reason_ = "limit reached";
        return Outcome::finished;
    }
    Outcome follow(BusReader& reader);
    void open_flows(BusReader& reader);
    void tell_left_out(FlowKind kind);
    void start_at(BusReader& reader);
    bool read_next(BusReader& reader);
    Lane* earliest();
    void begin_output();
    void write(Lane& lane, BusReader& reader);
    void check_caps(Lane& lane);
    std::int64_t place(const Lane& lane, const Record& record);
    void write_video(Lane& lane, std::int64_t at_ns);
    void write_audio(Lane& lane, std::int64_t at_ns);
    void show(BusReader& reader);
    void account();
    [[nodiscard]] bool complete() const;
    [[nodiscard]] CatCounts& counts_of(const Lane& lane) { return counts_.at(static_cast<std::size_t>(lane.kind)); }

    const CatOptions& options_;
    ByteOutput& out_;
    StopSignal stop_;
    std::unique_ptr<MediaOutput> output_;
    std::vector<Lane> lanes_;
    CopiedRecord copy_;
    std::array<CatCounts, layout::kFlowCount> counts_{};
    std::array<bool, layout::kFlowCount> left_out_{};
    std::optional<Deadline> begin_by_;   // a missing flow is waited for until then
    std::optional<Deadline> last_lane_;  // the flow behind the limit gets until then
    std::uint64_t session_ = 0;
    std::int64_t shift_ns_ = 0;
    std::int64_t horizon_ns_ = 0;  // end of what was written
    std::optional<std::int64_t> limit_ns_;
    bool from_oldest_ = false;
    const char* reason_ = "end of stream";
};

}  // namespace ringcast::tools
