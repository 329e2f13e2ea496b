// SPDX-License-Identifier: Apache-2.0
#include "sink_notes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "text.hpp"

namespace ringcast::tools {

namespace {

struct Unit {
    std::string_view suffix;
    std::string (*words)(std::int64_t value);  ///< of values from 0 on
};

/// Any value may come from shared memory.
template <std::int64_t Nanoseconds>
std::string duration(std::int64_t value) {
    std::int64_t ns = 0;
    return human_duration(__builtin_mul_overflow(value, Nanoseconds, &ns) ? INT64_MAX : ns);
}

constexpr std::array<Unit, 7> kUnits{{
    {"_ns", duration<1>},
    {"_us", duration<1'000>},
    {"_ms", duration<1'000'000>},
    {"_bps", [](std::int64_t value) { return human_bit_rate(static_cast<double>(value)); }},
    {"_bytes", [](std::int64_t value) { return human_bytes(static_cast<std::uint64_t>(value)); }},
    {"_packets", [](std::int64_t value) { return std::to_string(value) + (value == 1 ? " packet" : " packets"); }},
    {"_fps", [](std::int64_t value) { return std::to_string(value) + " fps"; }},
}};

const Unit* unit_of(std::string_view name) {
    const auto found = std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& unit) {
        return name.size() > unit.suffix.size() && name.ends_with(unit.suffix);
    });
    return found == kUnits.end() ? nullptr : &*found;
}

/// "client.7.rtt_us" is "rtt_us" of client 7.
std::optional<std::pair<unsigned, std::string>> client_part(std::string_view name) {
    constexpr std::string_view kPrefix = "client.";
    constexpr unsigned kMost = 9999;
    if (!name.starts_with(kPrefix)) return std::nullopt;
    name.remove_prefix(kPrefix.size());
    unsigned number = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data(), end, number);
    if (error != std::errc{} || number > kMost || end - rest < 2 || *rest != '.') return std::nullopt;
    return std::pair(number, std::string(rest + 1, end));
}

const FigureInfo* figure_of(const std::vector<FigureInfo>& figures, std::string_view name) {
    const auto found =
        std::find_if(figures.begin(), figures.end(), [&](const FigureInfo& figure) { return figure.name == name; });
    return found == figures.end() ? nullptr : &*found;
}

}  // namespace

std::string figure_label(std::string_view name) {
    const Unit* unit = unit_of(name);
    std::string label(name.substr(0, name.size() - (unit == nullptr ? 0 : unit->suffix.size())));
    std::replace(label.begin(), label.end(), '_', ' ');
    return label;
}

std::string figure_value(const FigureInfo& figure) {
    const Unit* unit = unit_of(figure.name);
    if (unit == nullptr) return std::to_string(figure.value);
    if (figure.value >= 0) return unit->words(figure.value);
    return figure.value == INT64_MIN ? "-" : "-" + unit->words(-figure.value);
}

SinkNotes notes_of(const CellInfo& reader) {
    SinkNotes notes;
    std::map<unsigned, ClientNotes> clients;
    for (const FigureInfo& figure : reader.figures) {
        if (auto part = client_part(figure.name)) {
            clients[part->first].figures.push_back({std::move(part->second), figure.value});
        } else {
            notes.figures.push_back(figure);
        }
    }
    for (const TextInfo& text : reader.texts) {
        if (auto part = client_part(text.name)) {
            clients[part->first].texts.push_back({std::move(part->second), text.text});
        } else {
            notes.texts.push_back(text);
        }
    }
    for (auto& [number, client] : clients) {
        client.number = number;
        notes.clients.push_back(std::move(client));
    }
    return notes;
}

std::string net_text(const CellInfo& reader) {
    const SinkNotes notes = notes_of(reader);
    std::vector<std::string> parts;
    const FigureInfo* clients = figure_of(notes.figures, "clients");
    if (clients != nullptr || !notes.clients.empty()) {
        const std::int64_t count =
            clients != nullptr ? clients->value : static_cast<std::int64_t>(notes.clients.size());
        parts.push_back(std::to_string(count) + (count == 1 ? " client" : " clients"));
    }
    // A sink with many peers may show these of each of them only.
    const FigureInfo* rtt = figure_of(notes.figures, "rtt_us");
    const FigureInfo* loss = figure_of(notes.figures, "loss_packets");
    std::uint64_t lost = loss == nullptr ? 0 : static_cast<std::uint64_t>(loss->value);
    bool is_loss_known = loss != nullptr;
    for (const ClientNotes& client : notes.clients) {
        const FigureInfo* its_rtt = figure_of(client.figures, "rtt_us");
        if (its_rtt != nullptr && (rtt == nullptr || its_rtt->value > rtt->value)) rtt = its_rtt;
        const FigureInfo* its_loss = figure_of(client.figures, "loss_packets");
        if (loss != nullptr || its_loss == nullptr) continue;
        lost += static_cast<std::uint64_t>(its_loss->value);
        is_loss_known = true;
    }
    if (rtt != nullptr) parts.push_back(figure_value(*rtt));
    if (is_loss_known) parts.push_back(std::to_string(static_cast<std::int64_t>(lost)) + " lost");
    std::string text;
    for (const std::string& part : parts)
        text += (text.empty() ? "" : ", ") + part;
    return text;
}

Json notes_json(const CellInfo& reader) {
    const SinkNotes notes = notes_of(reader);
    Json stats = Json::object();
    Json texts = Json::object();
    Json clients = Json::array();
    for (const FigureInfo& figure : notes.figures)
        stats[figure.name] = figure.value;
    for (const TextInfo& text : notes.texts)
        texts[text.name] = text.text;
    for (const ClientNotes& client : notes.clients) {
        Json one = {{"client", client.number}};
        // emplace() changes nothing that is there: no name of a plugin's hides the number.
        for (const TextInfo& text : client.texts)
            one.emplace(text.name, text.text);
        for (const FigureInfo& figure : client.figures)
            one.emplace(figure.name, figure.value);
        clients.push_back(std::move(one));
    }
    return {{"stats", std::move(stats)},
            {"texts", std::move(texts)},
            {"clients", std::move(clients)},
            {"left_out", reader.left_out}};
}

}  // namespace ringcast::tools
