// SPDX-License-Identifier: Apache-2.0
#include "command_parser.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <sstream>
#include <utility>

namespace ringcast::host {
namespace {

class FixedUsage : public CLI::Formatter {
public:
    explicit FixedUsage(std::string usage) : usage_(std::move(usage)) { column_width(28); }
    std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override {
        return "Usage: " + usage_ + "\n";
    }

private:
    std::string usage_;
};

}  // namespace

Option& Option::required() {
    option_->required();
    return *this;
}

Option& Option::check(ValueCheck check) {
    option_->check(std::move(check));
    return *this;
}

Option& Option::one_of(const std::vector<std::string>& choices) {
    option_->check(CLI::IsMember(choices).description(""));
    return type_name(CLI::detail::join(choices, "|"));
}

Option& Option::between(unsigned least, unsigned most) {
    option_->check(CLI::Range(least, most).description(""));
    return *this;
}

Option& Option::type_name(const std::string& name) {
    option_->type_name(name);
    return *this;
}

Option& Option::show_default() {
    option_->capture_default_str();
    return *this;
}

Option& Option::one_value_each() {
    option_->allow_extra_args(false);
    return *this;
}

Option& Option::excludes(const Option& other) {
    option_->excludes(other.option_);
    return *this;
}

std::string Option::name() const {
    return option_->get_single_name();
}

std::string Option::help() const {
    return option_->get_description();
}

std::string Option::type_name() const {
    return option_->get_type_name();
}

std::vector<std::string> Option::long_names() const {
    std::vector<std::string> names = option_->get_lnames();
    for (std::string& name : names)
        name.insert(0, "--");
    return names;
}

bool Option::is_positional() const {
    return option_->get_positional();
}

bool Option::takes_value_after(const std::string& word) const {
    return option_->nonpositional() && option_->get_items_expected_max() > 0 && option_->check_name(word);
}

Command Command::add_verb(const std::string& name, const std::string& help) {
    return Command(app_->add_subcommand(name, help));
}

template <class Value>
Option Command::option(const std::string& names, Value& value, const std::string& help) {
    return Option(app_->add_option(names, value, help));
}

template Option Command::option(const std::string&, std::string&, const std::string&);
template Option Command::option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Command::option(const std::string&, std::optional<std::string>&, const std::string&);
template Option Command::option(const std::string&, std::optional<double>&, const std::string&);
template Option Command::option(const std::string&, std::optional<std::uint32_t>&, const std::string&);
template Option Command::option(const std::string&, std::uint32_t&, const std::string&);
template Option Command::option(const std::string&, std::uint64_t&, const std::string&);

Option Command::flag(const std::string& names, bool& value, const std::string& help) {
    return Option(app_->add_flag(names, value, help));
}

void Command::set_usage(const std::string& words) {
    app_->formatter(std::make_shared<FixedUsage>(full_name() + " " + words));
}

void Command::set_footer(const std::string& text) {
    app_->footer(text);
}

void Command::set_group(const std::string& title) {
    app_->group(title);
}

void Command::set_version(const std::string& text) {
    app_->set_version_flag("--version", text, "Print the version and exit.");
}

void Command::require_verb() {
    app_->require_subcommand(1);
}

void Command::pass_words_on() {
    app_->prefix_command();
}

void Command::on_call(std::function<void()> body) {
    app_->callback(std::move(body));
}

void Command::replace_help(const std::string& names, bool& asked, const std::string& help) {
    app_->set_help_flag();
    app_->add_flag(names, asked, help);
}

std::string Command::name() const {
    return app_->get_name();
}

std::string Command::full_name() const {
    const CLI::App* parent = app_->get_parent();
    return parent == nullptr ? name() : parent->get_name() + " " + name();
}

std::string Command::description() const {
    return app_->get_description();
}

std::string Command::help() const {
    return app_->help();
}

std::vector<Option> Command::options() const {
    std::vector<Option> all;
    for (CLI::Option* option : app_->get_options())
        all.push_back(Option(option));
    return all;
}

std::vector<Command> Command::verbs() const {
    std::vector<Command> all;
    for (CLI::App* verb : app_->get_subcommands([](CLI::App*) { return true; }))
        all.push_back(Command(verb));
    return all;
}

std::optional<Command> Command::verb(const std::string& name) const {
    for (const Command& verb : verbs()) {
        if (verb.name() == name) return verb;
    }
    return {};
}

std::vector<std::string> Command::passed_words() const {
    return app_->remaining();
}

CommandParser::CommandParser(const std::string& help, const std::string& name)
    : CommandParser(std::make_unique<CLI::App>(help, name)) {}

CommandParser::CommandParser(std::unique_ptr<CLI::App> app) : Command(app.get()), owned_(std::move(app)) {}

CommandParser::~CommandParser() = default;

std::string CommandParser::parse(std::vector<std::string> words, ParserWords wording) {
    std::reverse(words.begin(), words.end());  // CLI11 takes them from the last to the first
    try {
        app_->parse(std::move(words));
    } catch (const CLI::Success& success) {
        std::ostringstream text;
        app_->exit(success, text, text);
        return text.str();
    } catch (const CLI::ParseError& error) {
        const auto called = app_->get_subcommands();
        CLI::App* where = called.empty() ? app_ : called.front();
        const bool is_extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
        const std::vector<std::string> extras = app_->remaining(true);
        const Command command(where);
        if (wording.command.empty()) wording.command = command.full_name();
        throw WrongWords(parser_words(*where, error, wording), command,
                         is_extra && !extras.empty() ? extras.front() : std::string());
    }
    return {};
}

}  // namespace ringcast::host
