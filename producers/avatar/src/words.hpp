// SPDX-License-Identifier: Apache-2.0
/// What the avatar must know about a text: is it UTF-8, is it Chinese, where do sentences end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ringcast::producers {

/// The code points, or an empty vector for an empty text; `ok` tells whether all of it is UTF-8 without control
/// characters other than white space.
std::vector<char32_t> decode_utf8(std::string_view text, bool& ok);
std::string encode_utf8(char32_t code);

bool is_chinese(char32_t code);  ///< a CJK ideograph
bool has_chinese(std::string_view text);

/// Sentences in order, trimmed, white space joined to single spaces, none empty.
std::vector<std::string> split_sentences(std::string_view text);

}  // namespace ringcast::producers
