// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace ringcast::sink {

/// One file of the player page, built into the plugin.
struct PageAsset {
    std::string_view mime;
    std::string_view bytes;
};

/// The asset at this path of the server ("/" is the page), if there is one.
std::optional<PageAsset> find_page_asset(std::string_view path);

}  // namespace ringcast::sink
