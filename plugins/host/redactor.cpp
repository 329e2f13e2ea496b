// SPDX-License-Identifier: Apache-2.0
#include "redactor.hpp"

#include <algorithm>
#include <cctype>

#include "key_parts.hpp"
#include "secret_address.hpp"

namespace ringcast::host {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kWholeWord = kLeastKeyPart;  // shorter ones are hidden as whole words only
constexpr std::string_view kMask = "***";

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const int high = text[at] == '%' && at + 2 < text.size() ? hex_digit(text[at + 1]) : -1;
        const int low = high < 0 ? -1 : hex_digit(text[at + 2]);
        out += low < 0 ? text[at] : static_cast<char>(high * 16 + low);
        at += low < 0 ? 0 : 2;
    }
    return out;
}

/// How many characters of `text` say `secret`, any of them percent-encoded; 0: it does not begin here. Which characters
/// a library encodes differs, so each is tried both ways.
std::size_t length_of(std::string_view text, std::string_view secret) {
    std::size_t at = 0;
    for (const char wanted : secret) {
        if (at >= text.size()) return 0;
        if (text[at] == wanted) {
            ++at;
            continue;
        }
        if (text[at] != '%' || at + 2 >= text.size()) return 0;
        const int high = hex_digit(text[at + 1]);
        const int low = hex_digit(text[at + 2]);
        if (high < 0 || low < 0 || static_cast<char>(high * 16 + low) != wanted) return 0;
        at += 3;
    }
    return at;
}

}  // namespace

void Redactor::hide(std::string_view secret) {
    const std::scoped_lock lock(mutex_);
    for (const std::string_view one : key_parts(secret)) {
        if (one.size() < kShortest) continue;
        if (std::find(secrets_.begin(), secrets_.end(), one) == secrets_.end()) secrets_.emplace_back(one);
    }
    std::stable_sort(secrets_.begin(), secrets_.end(),
                     [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

void Redactor::hide_in_address(std::string_view address) {
    for (const std::string_view part : secret_parts(address)) {
        hide(part);
        hide(percent_decoded(part));  // a library may say it as it was meant
    }
}

std::string Redactor::clean(std::string_view text) const {
    const std::scoped_lock lock(mutex_);
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        std::size_t length = 0;
        for (const std::string& secret : secrets_) {
            length = length_of(text.substr(at), secret);
            const std::size_t end = at + length;
            const bool inside = (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
            if (secret.size() < kWholeWord && inside) length = 0;
            if (length > 0) break;
        }
        if (length == 0) {
            out += text[at++];
        } else {
            out += kMask;
            at += length;
        }
    }
    return out;
}

}  // namespace ringcast::host
