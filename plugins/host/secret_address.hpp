// SPDX-License-Identifier: Apache-2.0
/// Where secrets stand in an address: rtmp://USER:PASSWORD@host/app/KEY?TOKEN, srt://host:port?streamid=KEY
#pragma once

#include <string_view>
#include <vector>

namespace ringcast::host {

/// "scheme://..."
[[nodiscard]] bool is_address(std::string_view text);

/// What stands before '@', and behind host and first path segment (and "_definst_", the default instance of an app)
/// without the separator in front; of an srt:// address streamid, passphrase and what nobody knows. Views into
/// `address`. Empty when there is nothing to hide.
[[nodiscard]] std::vector<std::string_view> secret_parts(std::string_view address);

/// Whether a secret stands there for certain: of what nobody knows in an srt:// address, which is hidden in case it is
/// one, that cannot be said.
[[nodiscard]] bool carries_secret(std::string_view address);

/// The value of a word "key=value"; a word whose key could not be an option's name is a bare value, such as an address
/// with a query.
[[nodiscard]] std::string_view value_of_word(std::string_view word);

}  // namespace ringcast::host
