// SPDX-License-Identifier: Apache-2.0
#include "ring_copy.hpp"

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace ringcast {
namespace {

/// Shorter runs are audio blocks and packets, which a reader takes at once and best finds in the cache they share.
constexpr std::size_t kStreamFrom = 256 * 1024;

#if defined(__x86_64__)
constexpr std::size_t kLine = 64;

/// Whole cache lines to an aligned target. SSE2 is in every x86-64 processor; wider stores fill a line no faster.
void stream_lines(std::byte* target, const std::byte* source, std::size_t lines) noexcept {
    auto* to = reinterpret_cast<__m128i*>(target);
    const auto* from = reinterpret_cast<const __m128i*>(source);
    for (; lines > 0; --lines, to += 4, from += 4) {
        const __m128i a = _mm_loadu_si128(from);
        const __m128i b = _mm_loadu_si128(from + 1);
        const __m128i c = _mm_loadu_si128(from + 2);
        const __m128i d = _mm_loadu_si128(from + 3);
        _mm_stream_si128(to, a);
        _mm_stream_si128(to + 1, b);
        _mm_stream_si128(to + 2, c);
        _mm_stream_si128(to + 3, d);
    }
}

void stream(std::byte* target, const std::byte* source, std::size_t size) noexcept {
    const std::size_t head = (kLine - reinterpret_cast<std::uintptr_t>(target) % kLine) % kLine;
    std::memcpy(target, source, head);
    const std::size_t lines = (size - head) / kLine;
    stream_lines(target + head, source + head, lines);
    const std::size_t done = head + lines * kLine;
    std::memcpy(target + done, source + done, size - done);
}
#endif

}  // namespace

void copy_into_ring(std::byte* target, const std::byte* source, std::size_t size) noexcept {
#if defined(__x86_64__)
    if (size >= kStreamFrom) return stream(target, source, size);
#endif
    if (size > 0) std::memcpy(target, source, size);
}

void copy_lines_into_ring(std::byte* target, std::size_t target_stride, const std::byte* source,
                          std::ptrdiff_t source_stride, std::size_t line_bytes, std::size_t lines) noexcept {
    if (source_stride == static_cast<std::ptrdiff_t>(line_bytes) && target_stride == line_bytes) {
        return copy_into_ring(target, source, line_bytes * lines);
    }
    for (; lines > 0; --lines, target += target_stride, source += source_stride)
        std::memcpy(target, source, line_bytes);
}

void copy_frame_into_ring(std::byte* target, const FrameView& frame, const layout::Caps& caps) noexcept {
    for (std::uint32_t plane = 0; plane < caps.plane_count; ++plane) {
        const auto line = static_cast<std::ptrdiff_t>(caps.stride[plane]);
        copy_lines_into_ring(target + caps.plane_offset[plane], caps.stride[plane], frame.planes[plane],
                             frame.strides[plane] == 0 ? line : frame.strides[plane], caps.stride[plane],
                             plane_lines(caps, plane));
    }
}

}  // namespace ringcast
