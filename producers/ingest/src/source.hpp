// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "demuxer.hpp"
#include "ringcast/producers/ingest.hpp"

namespace ringcast::ingest {

/// A connection that did not come about.
class SourceError : public std::runtime_error {
public:
    enum class Kind { transient, rejected, waited };  ///< waited: reached, and nobody sends there yet
    SourceError(Kind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
    [[nodiscard]] Kind kind() const noexcept { return kind_; }

private:
    Kind kind_;
};

/// Asked at least ten times a second by whoever waits: false when it is to give up.
using GoesOn = std::function<bool()>;

/// One connection that brings media.
class Connection {
public:
    virtual ~Connection() = default;
    /// Blocks until the container's first bytes are there. Throws SourceError, std::runtime_error.
    virtual Demuxer& demuxer() = 0;
    [[nodiscard]] virtual std::string peer() const = 0;
    /// Bytes since it began.
    [[nodiscard]] virtual std::uint64_t received() const = 0;
    [[nodiscard]] virtual std::optional<SrtFigures> srt_figures() { return std::nullopt; }
    /// Why it ended, when that is known better than libavformat knows it.
    [[nodiscard]] virtual std::string end_text() const { return {}; }
};

/// Where connections come from.
class Source {
public:
    virtual ~Source() = default;
    /// The next connection; nullptr when `goes_on` said no. Throws SourceError.
    virtual std::unique_ptr<Connection> connect(const GoesOn& goes_on) = 0;
    [[nodiscard]] virtual bool listens() const = 0;
    /// For people, without secrets.
    [[nodiscard]] virtual const std::string& place() const = 0;
    /// Others that wanted to send while somebody did, or were not who is expected.
    [[nodiscard]] virtual std::uint64_t refused() const { return 0; }
    /// What is worth a line on stderr since the last call; one line each, kMostNotes at most.
    [[nodiscard]] virtual std::vector<std::string> take_notes() { return {}; }

protected:
    static constexpr std::size_t kMostNotes = 16;
};

/// Throws AddressError; IngestError when a port cannot be listened at.
std::unique_ptr<Source> make_source(const IngestAddress& address);

}  // namespace ringcast::ingest
