// SPDX-License-Identifier: Apache-2.0
/// What the tests of the RTMP plugin share: the driver, the media, and what the peer got.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugin_driver.hpp"
#include "rtmp_peer.hpp"
#include "test_media.hpp"

namespace ringcast::test {

inline constexpr std::uint8_t kAck = 3;
inline constexpr std::uint8_t kControl = 4;
inline constexpr std::uint8_t kWindow = 5;
inline constexpr std::uint8_t kPeerWindow = 6;
inline constexpr std::uint8_t kAudio = 8;
inline constexpr std::uint8_t kVideo = 9;
inline constexpr std::uint8_t kData = 18;
inline constexpr std::uint8_t kCommand = 20;
inline const std::string kKey = "?streamname=live_1&key=0a1b2c3d&schedule=rtmp";

inline std::unique_ptr<PluginDriver> driver_for(const RtmpPeer& peer, const std::string& key = kKey) {
    return std::make_unique<PluginDriver>(RTMP_SINK_SO, std::vector<std::string>{"url=" + peer.url(), "key=" + key});
}

inline const TestMedia& media() {
    static const TestMedia made = make_media({.frames = 30, .rate = 44100});
    return made;
}

inline std::vector<PeerMessage> of_type(const RtmpPeer& peer, std::uint8_t type) {
    std::vector<PeerMessage> found;
    for (PeerMessage& message : peer.messages()) {
        if (message.type == type) found.push_back(std::move(message));
    }
    return found;
}

}  // namespace ringcast::test
