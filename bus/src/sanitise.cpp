// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "ringcast/inspect.hpp"

namespace ringcast {
namespace {

constexpr std::string_view kReplacement = "?";

/// Length of the well-formed UTF-8 sequence at the front (RFC 3629), 0 when malformed.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    std::size_t length = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
        length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
        length = 3;
        if (lead == 0xE0) low = 0xA0;   // overlong
        if (lead == 0xED) high = 0x9F;  // surrogates
    } else if (lead >= 0xF0 && lead <= 0xF4) {
        length = 4;
        if (lead == 0xF0) low = 0x90;
        if (lead == 0xF4) high = 0x8F;  // past U+10FFFF
    }
    if (length == 0 || text.size() < length || byte(1) < low || byte(1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
    }
    return length;
}

/// C0, DEL and the C1 controls (U+0080..U+009F), which terminals obey too.
bool is_control(std::string_view sequence) {
    const auto lead = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) return lead < 0x20 || lead == 0x7F;
    return sequence.size() == 2 && lead == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

}  // namespace

std::string sanitise(std::string_view text, std::size_t max) {
    std::string clean;
    while (!text.empty() && text.front() != '\0') {
        const std::size_t length = utf8_length(text);
        const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
        const std::string_view shown = length == 0 || is_control(sequence) ? kReplacement : sequence;
        if (clean.size() + shown.size() > max) break;
        clean += shown;
        text.remove_prefix(sequence.size());
    }
    return clean;
}

}  // namespace ringcast
