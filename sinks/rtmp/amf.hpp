// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librtmp/amf.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ringcast::sink {

/// librtmp's strings are not const, but it never writes to them.
AVal aval(std::string_view text);

/// AMF0 values one after the other, as command and data messages hold them.
class AmfWriter {
public:
    using Value = std::variant<double, bool, std::string_view>;
    using Named = std::pair<std::string_view, Value>;

    AmfWriter& value(const Value& value);
    AmfWriter& null();
    /// An ECMA array, as onMetaData holds one.
    AmfWriter& array(const std::vector<Named>& members);
    /// An object, as answers hold one.
    AmfWriter& object(const std::vector<Named>& members);

    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return bytes_; }

private:
    AmfWriter& members(const std::vector<Named>& members);

    std::vector<std::uint8_t> bytes_;
};

/// A command of the peer, as far as a publisher, or who takes one in, cares.
struct AmfCommand {
    std::string name;
    double transaction = 0;
    std::vector<std::string> texts;  ///< the strings that follow: the key and the kind of a publish
    std::string app;                 ///< of a connect
    std::optional<double> number;    ///< the stream that createStream made
    std::string level;
    std::string code;
    std::string description;

    /// "NetStream.Publish.BadName: Stream already publishing"
    [[nodiscard]] std::string words() const;
};

/// nullopt: no AMF0 command, or one nested deeper than any that is meant. Values behind one that is not known are left
/// out.
std::optional<AmfCommand> read_command(std::span<const std::uint8_t> body);

}  // namespace ringcast::sink
