// SPDX-License-Identifier: Apache-2.0
/// `ringcast clean`: removes what dead producers left in shared memory.
#include <memory>
#include <optional>

#include "bus_json.hpp"
#include "command.hpp"
#include "ringcast/error.hpp"
#include "text.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    std::string bus;
    bool dry_run = false;
    bool json = false;
};

/// Asked for by name and still live: the one case where doing nothing is not what was wanted.
void refuse_live(const std::string& bus) {
    try {
        const BusInfo info = inspect_bus(bus);
        if (!info.alive) return;
        throw VerbError("bus \"" + bus + "\" is live (producer " + info.producer + ", pid " +
                        std::to_string(info.writer_pid) + ") and was left alone; stop its producer first");
    } catch (const Error& error) {
        if (error.code() != ErrorCode::not_found) throw;
    }
}

std::string counted(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

bool is_lock_file(const std::string& object) {
    return object.ends_with(".lock") || object.ends_with(".live");
}

/// Lock files are named in JSON only: they hold no bytes and nobody looks for them.
std::string text_of(const std::vector<CleanedObject>& objects, std::uint64_t total, bool dry_run) {
    if (objects.empty()) return "nothing stale is there\n";
    Table table({{"OBJECT", Align::left, true}, {"MEMORY", Align::right}});
    std::size_t with_memory = 0;
    for (const CleanedObject& object : objects) {
        if (is_lock_file(object.object)) continue;
        table.add({{object.object}, {human_bytes(object.bytes)}});
        ++with_memory;
    }
    const std::string did = (dry_run ? "would remove " : "removed ") + counted(with_memory, "object") + " (" +
                            human_bytes(total) + ") and " + counted(objects.size() - with_memory, "lock file") + "\n";
    return (with_memory == 0 ? std::string() : table.render(Screen::of_stdout())) + did;
}

int run(const Options& options) {
    std::optional<std::string> bus;
    if (!options.bus.empty()) {
        bus = options.bus;
        refuse_live(options.bus);
    }
    const std::vector<CleanedObject> objects = clean_buses(bus, options.dry_run);
    std::uint64_t total = 0;
    for (const CleanedObject& object : objects)
        total += object.bytes;
    if (!options.json) {
        print(text_of(objects, total, options.dry_run));
        return kExitOk;
    }
    Json json = {{"dry_run", options.dry_run}, {"total_bytes", total}, {"objects", Json::array()}};
    for (const CleanedObject& object : objects) {
        json["objects"].push_back({{"object", object.object}, {"bytes", object.bytes}});
    }
    print(pretty(json));
    return kExitOk;
}

}  // namespace

void add_clean(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb = command.add_verb("clean", "Remove what dead producers left in shared memory.");
    verb.set_usage("[BUS] [--dry-run] [--json]");
    verb.option("bus", options->bus, "Only this bus; without it, every stale one.")
        .check(check_bus_name)
        .type_name("NAME");
    verb.flag("-n,--dry-run", options->dry_run, "Only say what would be removed.");
    add_json_flag(verb, options->json);
    verb.set_footer(
        "A live bus is never touched. Nothing to remove is no error.\n\n"
        "Examples:\n"
        "  ringcast clean --dry-run\n"
        "  ringcast clean\n"
        "  ringcast clean talk --json");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
