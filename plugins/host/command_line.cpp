// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "handed_value.hpp"
#include "plugin_error.hpp"
#include "secret_address.hpp"
#include "secret_source.hpp"

namespace ringcast::host {
namespace {

/// Stars rather than zeros: a cut word would look like a wrong one to whoever looks into the list of processes. Their
/// number says nothing of the length.
void erase(char* at, std::size_t size) {
    constexpr std::size_t kStars = 3;
    explicit_bzero(at, size);
    memset(at, '*', std::min(size, kStars));
}

}  // namespace

CommandLine::CommandLine(int argc, char** argv, Redactor& redactor) {
    std::vector<int> descriptors;
    for (int i = 1; i < argc; ++i) {
        if (const auto fd = flagged_descriptor(argv[i])) descriptors.push_back(*fd);
    }
    for (int i = 1; i < argc; ++i) {
        std::string word = argv[i];
        if (flagged_descriptor(word)) continue;
        const std::string value(value_of_word(word));
        const auto fd = handed_descriptor(value);
        if (fd && std::find(descriptors.begin(), descriptors.end(), *fd) != descriptors.end()) {
            word.resize(word.size() - value.size());
            handed_.push_back(read_value(*fd, word + value));
            close(*fd);
            word += handed_.back();
        }
        const auto parts = secret_parts(value_of_word(argv[i]));
        if (carries_secret(value_of_word(argv[i]))) warnings_.push_back(exposed_warning(word));
        redactor.hide_in_address(value_of_word(argv[i]));  // while it stands there
        for (const std::string_view part : parts) {
            erase(argv[i] + (part.data() - argv[i]), part.size());
        }
        words_.push_back(std::move(word));
    }
}

bool CommandLine::was_handed(std::string_view value) const {
    return std::find(handed_.begin(), handed_.end(), value) != handed_.end();
}

}  // namespace ringcast::host
