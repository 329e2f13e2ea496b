// SPDX-License-Identifier: Apache-2.0
#include "runtime/h264_avcc.hpp"

#include <cstring>

#include "ringcast/error.hpp"

namespace ringcast::runtime::h264 {

namespace {

using Unit = std::span<const std::uint8_t>;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr unsigned kTypeSps = 7;
constexpr unsigned kTypePps = 8;

/// Position of the next 00 00 01 at or after `from`.
std::size_t find_start_code(std::span<const std::uint8_t> bytes, std::size_t from) {
    // memchr for the rare byte: payload is full of zeros less often than of ones, and emulation prevention keeps
    // 00 00 01 itself out of it.
    for (std::size_t at = from + 2; at < bytes.size(); ++at) {
        const void* hit = std::memchr(bytes.data() + at, 1, bytes.size() - at);
        if (hit == nullptr) return kNone;
        at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - bytes.data());
        if (bytes[at - 1] == 0 && bytes[at - 2] == 0) return at - 2;
    }
    return kNone;
}

unsigned type_of(Unit unit) {
    return unit[0] & 0x1FU;
}

/// Profiles whose avcC carries chroma format and bit depth.
bool has_chroma_fields(std::uint8_t profile) {
    return profile == 100 || profile == 110 || profile == 122 || profile == 144 || profile == 244;
}

void append_set(std::vector<std::uint8_t>& record, Unit unit) {
    record.push_back(static_cast<std::uint8_t>(unit.size() >> 8U));
    record.push_back(static_cast<std::uint8_t>(unit.size() & 0xFFU));
    record.insert(record.end(), unit.begin(), unit.end());
}

}  // namespace

std::vector<Unit> split_annex_b(std::span<const std::uint8_t> bytes) {
    std::vector<Unit> units;
    std::size_t code = find_start_code(bytes, 0);
    while (code != kNone) {
        const std::size_t begin = code + 3;
        code = find_start_code(bytes, begin);
        std::size_t end = code == kNone ? bytes.size() : code;
        // A unit never ends in a zero byte: such bytes belong to a 4-byte start code or are trailing padding.
        while (end > begin && bytes[end - 1] == 0)
            --end;
        if (end > begin) units.push_back(bytes.subspan(begin, end - begin));
    }
    return units;
}

std::size_t length_prefixed_size(std::span<const Unit> units) {
    std::size_t size = 0;
    for (const Unit unit : units)
        size += 4 + unit.size();
    return size;
}

void write_length_prefixed(std::span<const Unit> units, std::uint8_t* target) {
    for (const Unit unit : units) {
        const std::size_t size = unit.size();
        *target++ = static_cast<std::uint8_t>(size >> 24U);
        *target++ = static_cast<std::uint8_t>(size >> 16U);
        *target++ = static_cast<std::uint8_t>(size >> 8U);
        *target++ = static_cast<std::uint8_t>(size);
        if (target != unit.data()) std::memcpy(target, unit.data(), size);
        target += size;
    }
}

std::vector<std::uint8_t> make_avcc(std::span<const std::uint8_t> extradata, SampleShape samples) {
    if (extradata.size() >= 7 && extradata[0] == 1) return {extradata.begin(), extradata.end()};

    std::vector<Unit> sps;
    std::vector<Unit> pps;
    for (const Unit unit : split_annex_b(extradata)) {
        if (type_of(unit) == kTypeSps && unit.size() >= 4 && sps.size() < 31) sps.push_back(unit);
        if (type_of(unit) == kTypePps && pps.size() < 255) pps.push_back(unit);
    }
    if (sps.empty() || pps.empty())
        throw Error(ErrorCode::unsupported, "the encoder's headers hold no H.264 sequence and picture parameter set");

    const std::uint8_t profile = sps.front()[1];
    std::vector<std::uint8_t> record{1, profile, sps.front()[2], sps.front()[3], 0xFF /* 4-byte lengths */};
    record.push_back(static_cast<std::uint8_t>(0xE0U | sps.size()));
    for (const Unit unit : sps)
        append_set(record, unit);
    record.push_back(static_cast<std::uint8_t>(pps.size()));
    for (const Unit unit : pps)
        append_set(record, unit);
    if (has_chroma_fields(profile)) {
        const auto depth = static_cast<std::uint8_t>(0xF8U | (samples.bit_depth - 8U));
        record.push_back(static_cast<std::uint8_t>(0xFCU | samples.chroma_format_idc));
        record.push_back(depth);  // of luma
        record.push_back(depth);  // of chroma
        record.push_back(0);      // sequence parameter set extensions
    }
    return record;
}

}  // namespace ringcast::runtime::h264
