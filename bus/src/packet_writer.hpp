// SPDX-License-Identifier: Apache-2.0
/// The writing end of a packets flow: codec configuration goes before every keyframe, so that a reader may start there.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "bus_session.hpp"
#include "ringcast/producer.hpp"

namespace ringcast {

/// One thread.
class PacketWriter {
public:
    explicit PacketWriter(std::string bus) : bus_(std::move(bus)) {}

    void set_stream(const PacketStream& stream);
    /// Throws Error(invalid_argument) for a stream nobody declared and for a dts that does not rise.
    void write(BusSession& session, OwnedFlow& flow, const PacketView& packet);

private:
    struct Stream {
        layout::Caps caps{};
        std::uint32_t generation = 0;
        std::vector<std::byte> config;
        std::int64_t last_dts_ns = INT64_MIN;
        std::uint64_t count = 0;
        bool config_due = true;
    };
    void write_configs(BusSession& session, OwnedFlow& flow, const PacketView& packet, bool of_all);
    [[nodiscard]] bool has_video() const;

    std::string bus_;
    std::map<std::uint32_t, Stream> streams_;
    std::int64_t last_config_dts_ns_ = INT64_MIN;
};

}  // namespace ringcast
