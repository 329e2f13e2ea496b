// SPDX-License-Identifier: Apache-2.0
#include "hls/page_assets.hpp"

#include <array>

// The assembler copies the file; the symbols around it are hidden like everything else in the plugin.
#define EMBED(symbol, path)                                                           \
    asm(".pushsection .rodata\n"                                                      \
        ".hidden " #symbol                                                            \
        "_begin\n"                                                                    \
        ".hidden " #symbol                                                            \
        "_end\n"                                                                      \
        ".global " #symbol                                                            \
        "_begin\n"                                                                    \
        ".global " #symbol "_end\n" #symbol "_begin:\n.incbin \"" path "\"\n" #symbol \
        "_end:\n"                                                                     \
        ".byte 0\n"                                                                   \
        ".popsection\n");                                                             \
    extern "C" const char symbol##_begin[];                                           \
    extern "C" const char symbol##_end[]

EMBED(ringcast_page_html, RINGCAST_PLAYER_DIR "/index.html");
EMBED(ringcast_page_css, RINGCAST_PLAYER_DIR "/player.css");
EMBED(ringcast_page_js, RINGCAST_PLAYER_DIR "/player.js");
EMBED(ringcast_page_hls, RINGCAST_HLS_JS);

namespace ringcast::sink {

namespace {

struct Entry {
    std::string_view path;
    std::string_view mime;
    const char* begin;
    const char* end;
};

const std::array<Entry, 4> kEntries{{
    {"/", "text/html; charset=utf-8", ringcast_page_html_begin, ringcast_page_html_end},
    {"/player.css", "text/css; charset=utf-8", ringcast_page_css_begin, ringcast_page_css_end},
    {"/player.js", "text/javascript; charset=utf-8", ringcast_page_js_begin, ringcast_page_js_end},
    {"/hls.min.js", "text/javascript; charset=utf-8", ringcast_page_hls_begin, ringcast_page_hls_end},
}};

}  // namespace

std::optional<PageAsset> find_page_asset(std::string_view path) {
    for (const Entry& entry : kEntries) {
        if (entry.path == path) {
            return PageAsset{entry.mime, {entry.begin, static_cast<std::size_t>(entry.end - entry.begin)}};
        }
    }
    return std::nullopt;
}

}  // namespace ringcast::sink
