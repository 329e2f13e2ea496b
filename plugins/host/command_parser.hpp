// SPDX-License-Identifier: Apache-2.0
/// The parser of the commands' words. CLI11 stays behind it: a file that includes CLI11 takes seconds to compile.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "parser_words.hpp"

namespace ringcast::host {

/// Returns the error, empty when the value is good.
using ValueCheck = std::function<std::string(const std::string& value)>;

/// An option, a flag or a positional word of a command. Copies mean the same one; it lives as long as the parser.
class Option {
public:
    Option& required();
    Option& check(ValueCheck check);
    Option& one_of(const std::vector<std::string>& choices);  ///< the help calls its value "a|b"
    Option& between(unsigned least, unsigned most);
    Option& type_name(const std::string& name);  ///< what the help calls its value
    Option& show_default();                      ///< the help shows the value that the variable has now
    Option& one_value_each();                    ///< of a vector: one for each time the option is given
    Option& excludes(const Option& other);

    [[nodiscard]] std::string name() const;  ///< without dashes
    [[nodiscard]] std::string help() const;
    [[nodiscard]] std::string type_name() const;
    [[nodiscard]] std::vector<std::string> long_names() const;  ///< with their dashes
    [[nodiscard]] bool is_positional() const;
    [[nodiscard]] bool takes_value_after(const std::string& word) const;  ///< never true of a flag or a positional

private:
    friend class Command;
    explicit Option(CLI::Option* option) : option_(option) {}

    CLI::Option* option_;
};

/// A command or one of its verbs: the words it knows, its help. Copies mean the same one, as those of Option do.
class Command {
public:
    /// Verbs are parsed and called, and appear in the help, in this order.
    Command add_verb(const std::string& name, const std::string& help);
    /// `names` is "-f,--flow", or a bare word for a positional. `value` must outlive the parser's run. The types there
    /// are: std::string, std::uint32_t, std::optional of these and of double, std::uint64_t, a vector of strings.
    template <class Value>
    Option option(const std::string& names, Value& value, const std::string& help);
    Option flag(const std::string& names, bool& value, const std::string& help);

    void set_usage(const std::string& words);  ///< in place of the parser's own; the full name goes before them
    void set_footer(const std::string& text);
    void set_group(const std::string& title);  ///< of verbs, in the help of their command
    void set_version(const std::string& text);
    void require_verb();
    void pass_words_on();  ///< from the first on that is not an option here; see passed_words()
    void on_call(std::function<void()> body);
    void replace_help(const std::string& names, bool& asked, const std::string& help);  ///< a flag, as any other

    [[nodiscard]] std::string name() const;
    [[nodiscard]] std::string full_name() const;  ///< "ringcast info"
    [[nodiscard]] std::string description() const;
    [[nodiscard]] std::string help() const;  ///< the whole text
    [[nodiscard]] std::vector<Option> options() const;
    [[nodiscard]] std::vector<Command> verbs() const;
    [[nodiscard]] std::optional<Command> verb(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> passed_words() const;

private:
    friend class CommandParser;
    explicit Command(CLI::App* app) : app_(app) {}

    CLI::App* app_;
};

/// Words that do not fit; what() is one line in the words of this project (parser_words()), without the command.
class WrongWords : public std::runtime_error {
public:
    WrongWords(const std::string& what, Command verb, std::string word)
        : std::runtime_error(what), where(verb), extra(std::move(word)) {}

    Command where;      ///< the verb, when it came to one
    std::string extra;  ///< the first word that has no place; empty when that is not what is wrong
};

class CommandParser : public Command {
public:
    explicit CommandParser(const std::string& help, const std::string& name = {});
    ~CommandParser();
    CommandParser(const CommandParser&) = delete;
    CommandParser& operator=(const CommandParser&) = delete;

    /// Sets the variables and calls the verb. Returns the text that --help or --version asked for. Throws WrongWords.
    std::string parse(std::vector<std::string> words, ParserWords wording = {});

private:
    explicit CommandParser(std::unique_ptr<CLI::App> app);

    std::unique_ptr<CLI::App> owned_;
};

}  // namespace ringcast::host
