// SPDX-License-Identifier: Apache-2.0
/// The writing end of a packets flow: codec configuration goes before every keyframe, so that a reader may start there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "flow_memory.hpp"
#include "ringcast/producer.hpp"

namespace ringcast {

/// One thread.
class PacketWriter {
public:
    /// One record of the flow.
    using Publish = std::function<void(const RecordFields&, std::span<const std::byte>)>;

    PacketWriter(std::string bus, Publish publish) : bus_(std::move(bus)), publish_(std::move(publish)) {}

    void set_stream(const PacketStream& stream);
    /// Throws Error(invalid_argument) for a stream nobody declared and for a dts that does not rise.
    void check(const PacketView& packet) const;
    /// A packet that was checked.
    void write(const PacketView& packet);

private:
    struct Stream {
        layout::Caps caps{};
        std::uint32_t generation = 0;
        std::vector<std::byte> config;
        std::int64_t last_dts_ns = INT64_MIN;
        std::uint64_t count = 0;
        bool config_due = true;
    };
    void write_configs(const PacketView& packet, bool of_all);
    [[nodiscard]] bool has_video() const;

    std::string bus_;
    Publish publish_;
    std::map<std::uint32_t, Stream> streams_;
    std::int64_t last_config_dts_ns_ = INT64_MIN;
};

}  // namespace ringcast
