// SPDX-License-Identifier: Apache-2.0
/// Copies into the ring.
#pragma once

#include <cstddef>

#include "ringcast/layout.hpp"
#include "ringcast/producer.hpp"

namespace ringcast {

/// Copies `size` bytes into the ring. Large runs go past the caches with streaming stores: the writer does not read
/// them again, and need not read the target's lines only to overwrite them (figures:
/// docs/decisions/0008-streaming-stores.md). They are weakly ordered: FlowWriter::commit() fences before the stamp.
void copy_into_ring(std::byte* target, const std::byte* source, std::size_t size) noexcept;

/// `lines` lines of `line_bytes`, the source's `source_stride` apart, the target's `target_stride`.
void copy_lines_into_ring(std::byte* target, std::size_t target_stride, const std::byte* source,
                          std::ptrdiff_t source_stride, std::size_t line_bytes, std::size_t lines) noexcept;

/// A frame whose lines lie anywhere, in the places that `caps` names.
void copy_frame_into_ring(std::byte* target, const FrameView& frame, const layout::Caps& caps) noexcept;

}  // namespace ringcast
