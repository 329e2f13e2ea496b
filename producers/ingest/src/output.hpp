// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ringcast/producers/ingest.hpp"
#include "sample.hpp"

namespace ringcast::ingest {

/// Where the packets of a source go. One thread.
class Output {
public:
    /// One line for a person.
    using Warn = std::function<void(const std::string&)>;

    virtual ~Output() = default;
    /// Times on the bus; of each track they rise.
    virtual void write(const Sample& sample) = 0;
    /// Gives up what is held of a stream that the bus does not take; the next connection begins anew.
    virtual void discard() = 0;
    /// Puts out what is still held, and ends the stream.
    virtual void end() = 0;
    [[nodiscard]] virtual std::uint64_t frames() const = 0;

    /// Throws ringcast::Error when the bus cannot be had.
    static std::unique_ptr<Output> make(const IngestOptions& options, Warn warn);
};

}  // namespace ringcast::ingest
