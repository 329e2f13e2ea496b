// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/packet.hpp"

namespace ringcast::runtime {

class OutputNotes;

/// The class of a plugin's answer; it alone decides the next move. Same order as the codes of sink.h, negated.
enum class OutputStatus {
    ok = 0,
    again = 1,        ///< peer congested: drop to the next keyframe
    transient = 2,    ///< connection lost: disconnect, back off, connect again
    rejected = 3,     ///< the peer said no: the same, slower and loud
    config = 4,       ///< wrong options: failed
    interrupted = 5,  ///< interrupt() ended the call
    unsupported = 6,  ///< wrong codec: failed
    storage = 7,      ///< disk full or gone: failed
    internal = 8,     ///< a bug: failed
};

[[nodiscard]] constexpr std::string_view name_of(OutputStatus status) noexcept {
    constexpr std::string_view kNames[] = {"ok",          "congested",   "connection lost", "rejected", "configuration",
                                           "interrupted", "unsupported", "storage",         "internal"};
    return kNames[static_cast<int>(status)];
}

/// Where packets leave the process: the loaded plugin, or a test's recorder. Calls follow the states of sink.h and come
/// from one thread, but interrupt(), bytes_sent() and last_error() from any.
class Output {
public:
    virtual ~Output() = default;

    virtual OutputStatus connect() = 0;
    virtual OutputStatus headers(std::span<const StreamInfo> streams) = 0;
    virtual OutputStatus packet(const Packet& packet) = 0;
    virtual OutputStatus disconnect(bool final) = 0;
    /// Ends the call that runs; when none does, the next one may end at once, up to the next connect().
    virtual void interrupt() noexcept = 0;

    /// New values of some options (a stream key, an address), while disconnected; connect() follows. Not ok: the old
    /// values stay.
    virtual OutputStatus replace_options(std::span<const std::pair<std::string, std::string>> /*options*/) {
        return OutputStatus::unsupported;
    }

    /// Of an output that peers come to: how many take what is sent. Nothing: it goes to its one peer itself.
    [[nodiscard]] virtual std::optional<std::uint32_t> peers() const { return std::nullopt; }
    /// What is waited for while there are none; one line.
    [[nodiscard]] virtual std::string waits_for() const { return {}; }

    [[nodiscard]] virtual std::uint64_t bytes_sent() const = 0;
    /// The reason behind the last status that was not ok; one line.
    [[nodiscard]] virtual std::string last_error() const = 0;
    /// What it shows under names of its own; nullptr: nothing, ever.
    [[nodiscard]] virtual const OutputNotes* notes() const { return nullptr; }
};

}  // namespace ringcast::runtime
