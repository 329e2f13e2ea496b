// SPDX-License-Identifier: Apache-2.0
#include "words.hpp"

#include <algorithm>

namespace ringcast::producers {
namespace {

constexpr char32_t kBad = 0xFFFFFFFF;

/// One code point at `at`, which moves past it; kBad for bytes that are not UTF-8.
char32_t next_code(std::string_view text, std::size_t& at) {
    const auto lead = static_cast<unsigned char>(text[at++]);
    if (lead < 0x80) return lead;
    const int more = lead >= 0xF0 && lead < 0xF5   ? 3
                     : lead >= 0xE0 && lead < 0xF0 ? 2
                     : lead >= 0xC2 && lead < 0xE0 ? 1
                                                   : 0;
    if (more == 0) return kBad;
    char32_t code = lead & (0x3FU >> more);
    for (int i = 0; i < more; ++i) {
        if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80) return kBad;
        code = code << 6 | (static_cast<unsigned char>(text[at++]) & 0x3FU);
    }
    constexpr char32_t kSmallest[] = {0, 0x80, 0x800, 0x10000};
    const bool is_surrogate = code >= 0xD800 && code < 0xE000;
    return code < kSmallest[more] || code > 0x10FFFF || is_surrogate ? kBad : code;
}

bool is_space(char32_t code) {
    return code == ' ' || (code >= '\t' && code <= '\r') || code == 0x3000 || code == 0xA0;
}

bool ends_sentence(char32_t code) {
    return code == '.' || code == '!' || code == '?' || code == 0x3002 || code == 0xFF01 || code == 0xFF1F ||
           code == 0x2026 || code == ';' || code == 0xFF1B;
}

bool closes_quote(char32_t code) {
    return code == '"' || code == '\'' || code == ')' || code == 0x201D || code == 0x2019 || code == 0x300D ||
           code == 0xFF09;
}

/// A Latin full stop ends a sentence only before white space: 3.5 and example.com stay whole.
bool is_end(const std::vector<char32_t>& codes, std::size_t i) {
    if (!ends_sentence(codes[i])) return false;
    if (codes[i] >= 0x80) return true;
    return i + 1 == codes.size() || is_space(codes[i + 1]) || closes_quote(codes[i + 1]);
}

bool is_letter(char32_t code) {
    return (code >= '0' && code <= '9') || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
           (code >= 0xC0 && code != 0x2026 && (code < 0x2000 || code > 0x206F) && (code < 0x3000 || code > 0x303F) &&
            (code < 0xFF00 || code > 0xFF0F));
}

}  // namespace

std::vector<char32_t> decode_utf8(std::string_view text, bool& ok) {
    std::vector<char32_t> codes;
    ok = true;
    for (std::size_t at = 0; at < text.size();) {
        const char32_t code = next_code(text, at);
        if (code == kBad || (code < 0x20 && !is_space(code)) || code == 0x7F) {
            ok = false;
            continue;
        }
        codes.push_back(code);
    }
    return codes;
}

std::string encode_utf8(char32_t code) {
    const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
    if (code < 0x10000) return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
    return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
            byte(0x80 | (code & 0x3F))};
}

bool is_chinese(char32_t code) {
    return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x20000 && code <= 0x323AF);
}

bool has_chinese(std::string_view text) {
    bool ok = true;
    const auto codes = decode_utf8(text, ok);
    return std::any_of(codes.begin(), codes.end(), is_chinese);
}

std::vector<std::string> split_sentences(std::string_view text) {
    bool ok = true;
    const auto codes = decode_utf8(text, ok);
    std::vector<std::string> sentences;
    std::string sentence;
    bool has_words = false;
    const auto finish = [&] {
        while (!sentence.empty() && sentence.back() == ' ')
            sentence.pop_back();
        // Stray marks belong to the sentence before them.
        if (!has_words && !sentences.empty()) sentences.back() += sentence;
        if (has_words) sentences.push_back(sentence);
        sentence.clear();
        has_words = false;
    };
    for (std::size_t i = 0; i < codes.size(); ++i) {
        if (is_space(codes[i])) {
            if (!sentence.empty() && sentence.back() != ' ') sentence += ' ';
            continue;
        }
        sentence += encode_utf8(codes[i]);
        has_words = has_words || is_letter(codes[i]);
        if (!is_end(codes, i)) continue;
        while (i + 1 < codes.size() && (ends_sentence(codes[i + 1]) || closes_quote(codes[i + 1]))) {
            sentence += encode_utf8(codes[++i]);
        }
        finish();
    }
    finish();
    return sentences;
}

}  // namespace ringcast::producers
