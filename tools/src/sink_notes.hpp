// SPDX-License-Identifier: Apache-2.0
/// What a sink's plugin shows under names of its own, for people and for programs. Nothing is known of the names but
/// the unit at their end, and "client.N." in front of those of one of many peers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bus_json.hpp"

namespace ringcast::tools {

/// "rtt", "retransmitted": the name without its unit.
std::string figure_label(std::string_view name);
/// "12.3 ms", "4.2 Mbit/s", "3 packets": the value with its unit.
std::string figure_value(const FigureInfo& figure);

/// One of many peers.
struct ClientNotes {
    unsigned number = 0;
    std::vector<FigureInfo> figures;  ///< names without "client.N."
    std::vector<TextInfo> texts;
};

/// What a sink shows, sorted by whom it is of.
struct SinkNotes {
    std::vector<FigureInfo> figures;
    std::vector<TextInfo> texts;
    std::vector<ClientNotes> clients;  ///< by number
};
SinkNotes notes_of(const CellInfo& reader);

/// "2 clients, 12.3 ms, 3 lost": peers, round trip (of the worst) and loss (of all); empty when nothing of it is known.
std::string net_text(const CellInfo& reader);

/// "stats", "texts" and "clients".
Json notes_json(const CellInfo& reader);

}  // namespace ringcast::tools
