// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "source.hpp"
#include "srt/srt_connect.hpp"

namespace ringcast::ingest {

/// MPEG-TS over SRT: as caller, in rendezvous, or from a port that takes one sender at a time and stays bound.
class SrtSource final : public Source {
public:
    /// Throws IngestError when the port cannot be had.
    explicit SrtSource(srt::SrtAddress address);
    ~SrtSource() override;
    SrtSource(const SrtSource&) = delete;
    SrtSource& operator=(const SrtSource&) = delete;

    std::unique_ptr<Connection> connect(const GoesOn& goes_on) override;
    [[nodiscard]] bool listens() const override { return listener_ != nullptr; }
    [[nodiscard]] const std::string& place() const override { return place_; }
    [[nodiscard]] std::uint64_t refused() const override { return refused_; }
    [[nodiscard]] std::vector<std::string> take_notes() override;

private:
    class Reception;
    /// A sender who was not heard for so long may be replaced: it died, and comes again before libsrt sees that.
    static constexpr std::chrono::milliseconds kSilence{500};

    [[nodiscard]] int admit(const std::string& client, std::string_view streamid);
    void note(std::string text);
    std::unique_ptr<Connection> accept(const GoesOn& goes_on);
    [[nodiscard]] bool is_silent() const { return std::chrono::steady_clock::now() - heard_.load() > kSilence; }
    /// True when another sender takes the place of one that is silent.
    bool turn_away();
    std::unique_ptr<Connection> call(const GoesOn& goes_on);

    srt::SrtLibrary library_;
    srt::SrtAddress address_;
    std::string place_;
    srt::SrtPoll poll_;
    std::atomic<bool> is_taken_{false};
    std::atomic<std::chrono::steady_clock::time_point> heard_{};  ///< when the one who sends was heard last
    std::atomic<std::uint64_t> refused_{0};
    std::mutex mutex_;
    std::vector<std::string> notes_;
    std::optional<srt::SrtClient> next_;
    std::unique_ptr<srt::SrtListener> listener_;  ///< last: its callbacks use the rest
};

}  // namespace ringcast::ingest
