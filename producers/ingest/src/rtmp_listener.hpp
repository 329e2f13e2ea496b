// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "rtmp_address.hpp"
#include "rtmp_guest.hpp"
#include "source.hpp"

namespace ringcast::ingest {

/// A port that takes one publisher at a time; it stays bound from one to the next. Everybody who connects is served by
/// the one thread that waits here, so that neither garbage nor somebody who says nothing keeps the publisher out.
class RtmpListener final : public Source {
public:
    /// Throws IngestError when the port cannot be had.
    explicit RtmpListener(RtmpAddress address);
    std::unique_ptr<Connection> connect(const GoesOn& goes_on) override;
    [[nodiscard]] bool listens() const override { return true; }
    [[nodiscard]] const std::string& place() const override { return place_; }
    [[nodiscard]] std::uint64_t refused() const override { return refused_; }
    [[nodiscard]] std::vector<std::string> take_notes() override { return std::exchange(notes_, {}); }

private:
    class Publication;

    /// Serves everybody for a moment.
    void serve();
    void welcome();
    void replace_by(const RtmpGuest& guest);
    /// Lets those go that are over, or have not said in time what they want.
    void dismiss(std::chrono::steady_clock::time_point now);
    void make_room();
    void say_goodbye(const RtmpGuest& guest);

    RtmpAddress address_;
    std::string place_;
    sink::UniqueFd socket_;
    std::list<RtmpGuest> guests_;
    RtmpGuest* publisher_ = nullptr;
    bool is_taken_ = false;  ///< a publisher is there, and has been heard of late
    std::chrono::steady_clock::time_point deaf_until_{};
    std::uint64_t refused_ = 0;
    std::vector<std::string> notes_;
};

}  // namespace ringcast::ingest
