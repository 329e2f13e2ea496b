// SPDX-License-Identifier: Apache-2.0
/// What the parser of the command line refuses, in the words of this project.
#pragma once

#include <string>

namespace CLI {
class App;
class Option;
class ParseError;
}  // namespace CLI

namespace ringcast::host {

struct ParserWords {
    std::string command;    ///< what an example begins with; when empty, the full name: "ringcast info"
    bool may_quote = true;  ///< false: a word that stands in a wrong place may be a secret
};

/// One line, without the name of the command: what is wrong, and how it would be right.
std::string parser_words(const CLI::App& app, const CLI::ParseError& error, const ParserWords& words);

}  // namespace ringcast::host
