// SPDX-License-Identifier: Apache-2.0
#include "parser_words.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace ringcast::host {
namespace {

/// The parser's sentences begin with the name of the option, but for these words. A name further on is of a value.
std::string_view from_name(std::string_view message) {
    constexpr std::string_view kConversion = "Could not convert: ";
    constexpr std::string_view kCount = " arguments to ";
    if (message.starts_with(kConversion)) return message.substr(kConversion.size());
    const std::size_t count = message.starts_with("Expected ") ? message.find(kCount) : std::string_view::npos;
    return count == std::string_view::npos ? message : message.substr(count + kCount.size());
}

const CLI::Option* option_of(const CLI::App& app, std::string_view message) {
    message = from_name(message);
    const CLI::Option* found = nullptr;
    std::size_t longest = 0;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : {option->get_name(), option->get_name(true)}) {
            if (name.size() <= longest || !message.starts_with(name)) continue;
            found = option;
            longest = name.size();
        }
    }
    return found;
}

bool is_flag(const CLI::Option& option) {
    return option.get_type_name().empty();
}

/// A value as it could be, so that nobody has to look for what TEXT means.
std::string sample_of(const CLI::Option& option) {
    if (!option.get_default_str().empty()) return option.get_default_str();
    constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kSamples{{{"BUS", "talk"},
                                                                                     {"NAME", "talk"},
                                                                                     {"SECONDS", "10"},
                                                                                     {"TIME", "1s"},
                                                                                     {"SIZE", "1280x720"},
                                                                                     {"FPS", "25"},
                                                                                     {"N", "3"},
                                                                                     {"COUNT", "3"},
                                                                                     {"FILE", "FILE"}}};
    std::string type = option.get_type_name();
    for (const auto& [name, sample] : kSamples) {
        if (type == name) return std::string(sample);
    }
    return type;
}

bool is_name(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    return type == "BUS" || type == "NAME" || option.get_name() == "--bus" || option.get_name() == "--name";
}

/// "ringcast info BUS [--json]".
std::string usage_of(const CLI::App& app) {
    constexpr std::string_view kTitle = "Usage: ";
    std::string help = app.help();
    help.erase(0, std::min(help.find(kTitle), help.size()));
    help.erase(0, kTitle.size());
    return help.substr(0, help.find('\n'));
}

std::string needs_value(const CLI::App& app, const CLI::Option& option, const ParserWords& words) {
    const std::string name = option.get_name();
    if (option.get_positional()) return "which " + name + "? " + usage_of(app);
    return name + (is_name(option) ? " needs a name: " : " needs a value: ") + words.command + " " + name + " " +
           sample_of(option);
}

/// "a, b or c" of "{a,b,c}".
std::string choices_of(std::string_view list) {
    std::string text;
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const bool is_last = comma == list.size();
        if (!text.empty()) text += is_last ? " or " : ", ";
        text += list.substr(0, comma);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return text;
}

std::string quoted(std::string_view value, const ParserWords& words) {
    return words.may_quote ? ", not \"" + std::string(value) + "\"" : std::string();
}

/// A sentence of a form that is not known may hold the value.
std::string as_it_came(std::string_view message, const CLI::Option* option, const ParserWords& words) {
    if (words.may_quote) return std::string(message);
    return (option == nullptr ? "a word does not fit" : option->get_name() + " has a value that does not fit") +
           "; see " + words.command + " --help";
}

/// Of the parser's own checks; ours speak for themselves. "--x: VALUE not in {a,b}", "--x: Value 5 not in range 1 to
/// 8".
std::string out_of_place(std::string_view message, const CLI::Option* option, const ParserWords& words) {
    constexpr std::string_view kChoices = " not in {";
    constexpr std::string_view kRange = " not in range ";
    const std::size_t colon = message.find(": ");
    if (colon == std::string_view::npos) return as_it_came(message, option, words);
    const std::string name(message.substr(0, colon));
    const std::string_view rest = message.substr(colon + 2);
    if (const std::size_t at = rest.find(kChoices); at != std::string_view::npos) {
        const std::string_view list = rest.substr(at + kChoices.size());
        return name + " takes " + choices_of(list.substr(0, list.rfind('}'))) + quoted(rest.substr(0, at), words);
    }
    if (const std::size_t at = rest.find(kRange); at != std::string_view::npos) {
        std::string_view value = rest.substr(0, at);
        constexpr std::string_view kValue = "Value ";
        if (value.starts_with(kValue)) value.remove_prefix(kValue.size());
        return name + " takes a number from " + std::string(rest.substr(at + kRange.size())) + quoted(value, words);
    }
    return as_it_came(message, option, words);
}

std::string two_names(std::string_view message, std::string_view between, const std::string& meant,
                      std::string_view behind) {
    const std::size_t at = message.find(between);
    if (at == std::string_view::npos) return std::string(message);
    return std::string(message.substr(0, at)) + meant + std::string(message.substr(at + between.size())) +
           std::string(behind);
}

std::string unconvertible(std::string_view message, const CLI::Option* option, const ParserWords& words) {
    if (option == nullptr) return "a value is of the wrong kind; see " + words.command + " --help";
    if (is_flag(*option)) return option->get_name() + " stands alone: it takes no value";
    const std::size_t equals = message.rfind(" = ");
    const std::string value =
        equals == std::string_view::npos ? std::string() : quoted(message.substr(equals + 3), words);
    return option->get_name() + " takes a value like " + sample_of(*option) + value;
}

}  // namespace

std::string parser_words(const CLI::App& app, const CLI::ParseError& error, const ParserWords& words) {
    const std::string_view message = error.what();
    const CLI::Option* option = option_of(app, message);
    if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr)
        return two_names(message, " excludes ", " and ", " do not go together");
    if (dynamic_cast<const CLI::RequiresError*>(&error) != nullptr)
        return two_names(message, " requires ", " needs ", " as well");
    if (dynamic_cast<const CLI::ValidationError*>(&error) != nullptr) return out_of_place(message, option, words);
    if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) return unconvertible(message, option, words);
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
        return option == nullptr ? "which verb? see " + words.command + " --help" : needs_value(app, *option, words);
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && option != nullptr) {
        if (is_flag(*option)) return option->get_name() + " stands alone: it takes no value";
        const bool is_missing = message.find("missing") != std::string_view::npos || message.ends_with("received 0") ||
                                message.ends_with("got 0");
        return is_missing ? needs_value(app, *option, words) : option->get_name() + " is given more than once";
    }
    return as_it_came(message, option, words);
}

}  // namespace ringcast::host
