// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rtmp_address.hpp"
#include "source.hpp"

namespace ringcast::ingest {

/// Plays a stream of an RTMP server, through libavformat's own protocol.
class RtmpCaller final : public Source {
public:
    explicit RtmpCaller(RtmpAddress address) : address_(std::move(address)) {}
    std::unique_ptr<Connection> connect(const GoesOn& goes_on) override;
    [[nodiscard]] bool listens() const override { return false; }
    [[nodiscard]] const std::string& place() const override { return address_.place; }
    [[nodiscard]] std::vector<std::string> take_notes() override { return std::exchange(notes_, {}); }

private:
    RtmpAddress address_;
    std::vector<std::string> notes_;
};

}  // namespace ringcast::ingest
