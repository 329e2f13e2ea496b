// SPDX-License-Identifier: Apache-2.0
#include "safe_words.hpp"

namespace ringcast::tools {

SafeWords& safe_words(int argc, char** argv) {
    static SafeWords words(argc, argv);
    return words;
}

}  // namespace ringcast::tools
