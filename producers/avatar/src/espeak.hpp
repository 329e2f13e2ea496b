// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ringcast::producers {

/// Runs the espeak-ng program (no shell) and returns the WAV bytes it made of one text.
/// Throws Error(not_found) when the program or the voice is missing, Error(system) otherwise.
std::vector<std::byte> run_espeak(const std::string& text, const std::string& voice);

}  // namespace ringcast::producers
