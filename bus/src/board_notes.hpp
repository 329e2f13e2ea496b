// SPDX-License-Identifier: Apache-2.0
/// Figures and texts under names in shared memory: one process publishes them, anybody reads them at any time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ringcast/inspect.hpp"
#include "ringcast/layout.hpp"

namespace ringcast {

/// One thread publishes; a name or text that is too long is cut.
void publish(layout::BoardFigure& figure, std::string_view name, std::int64_t value) noexcept;
void publish(layout::BoardText& entry, std::string_view name, std::string_view text) noexcept;
/// For the next owner of the cell: as if never used, whoever reads meanwhile.
void clear(layout::BoardNotes& notes) noexcept;

/// What stands there, sanitised; nothing when that is none, or changes all the time.
std::optional<FigureInfo> read(const layout::BoardFigure& figure);
std::optional<TextInfo> read(const layout::BoardText& entry);

}  // namespace ringcast
