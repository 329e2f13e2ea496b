// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "hls/playlist.hpp"
#include "mux/options.hpp"

namespace ringcast::sink {

/// The words of the HLS sink, checked.
struct HlsOptions {
    std::filesystem::path dir;
    std::string listen;  ///< empty: no web server
    PlaylistForm form;
};

/// Throws SinkError(E_CONFIG).
HlsOptions read_hls_options(const Options& options);

}  // namespace ringcast::sink
