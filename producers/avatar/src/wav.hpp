// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "ringcast/producers/avatar.hpp"

namespace ringcast::producers {

/// Parses the bytes of a WAV file; they may be anything. `name` stands in messages.
/// A data chunk of unknown length (a stream's header) reaches to the end and is no reason for a warning.
Speech parse_wav(std::span<const std::byte> bytes, const std::string& name);

}  // namespace ringcast::producers
