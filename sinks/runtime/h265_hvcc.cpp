// SPDX-License-Identifier: Apache-2.0
#include "runtime/h265_hvcc.hpp"

#include <array>

#include "ringcast/error.hpp"

namespace ringcast::runtime::h265 {

namespace {

using Unit = std::span<const std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

constexpr std::array<unsigned, 3> kParameterSets{32, 33, 34};  // VPS, SPS, PPS
constexpr std::size_t kSps = 1;
constexpr std::size_t kProfileBytes = 12;  // general_profile_space ... general_level_idc

unsigned type_of(Unit unit) {
    return unit[0] >> 1U & 0x3FU;
}

/// The first `count` bytes of the payload without emulation prevention (00 00 03 stands for 00 00).
Bytes payload_start(Unit unit, std::size_t count) {
    Bytes bytes;
    unsigned zeros = 0;
    for (std::size_t i = 2; i < unit.size() && bytes.size() < count; ++i) {
        if (zeros >= 2 && unit[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = unit[i] == 0 ? zeros + 1 : 0;
        bytes.push_back(unit[i]);
    }
    return bytes;
}

void append_16(Bytes& record, std::size_t value) {
    record.push_back(static_cast<std::uint8_t>(value >> 8U));
    record.push_back(static_cast<std::uint8_t>(value & 0xFFU));
}

}  // namespace

Bytes make_hvcc(std::span<const std::uint8_t> extradata, h264::SampleShape samples) {
    if (extradata.size() >= 23 && extradata[0] == 1) return {extradata.begin(), extradata.end()};

    std::array<std::vector<Unit>, kParameterSets.size()> sets;
    for (const Unit unit : h264::split_annex_b(extradata))
        for (std::size_t i = 0; i < sets.size(); ++i)
            if (unit.size() > 2 && type_of(unit) == kParameterSets[i]) sets[i].push_back(unit);
    for (const auto& units : sets)
        if (units.empty())
            throw Error(ErrorCode::unsupported,
                        "the encoder's headers lack an H.265 video, sequence or picture "
                        "parameter set");
    // An SPS begins with 4 bits of VPS id, 3 of sub-layers - 1, 1 of temporal nesting; then, byte-aligned, the profile.
    const Bytes sps = payload_start(sets[kSps].front(), 1 + kProfileBytes);
    if (sps.size() != 1 + kProfileBytes)
        throw Error(ErrorCode::unsupported, "the encoder's H.265 sequence parameter set is cut short");
    const unsigned layers = (sps[0] >> 1U & 7U) + 1;
    const unsigned nested = sps[0] & 1U;
    const unsigned depth = samples.bit_depth - 8U;

    Bytes record{1};
    record.insert(record.end(), sps.begin() + 1, sps.end());
    append_16(record, 0xF000);  // min_spatial_segmentation_idc: not said
    record.push_back(0xFC);     // parallelismType: not said
    record.push_back(static_cast<std::uint8_t>(0xFCU | samples.chroma_format_idc));
    record.push_back(static_cast<std::uint8_t>(0xF8U | depth));
    record.push_back(static_cast<std::uint8_t>(0xF8U | depth));
    append_16(record, 0);  // average frame rate: not said
    record.push_back(static_cast<std::uint8_t>(layers << 3U | nested << 2U | 3U /* 4-byte lengths */));
    record.push_back(static_cast<std::uint8_t>(sets.size()));
    for (std::size_t i = 0; i < sets.size(); ++i) {
        record.push_back(static_cast<std::uint8_t>(0x80U | kParameterSets[i]));  // all of them are here
        append_16(record, sets[i].size());
        for (const Unit unit : sets[i]) {
            append_16(record, unit.size());
            record.insert(record.end(), unit.begin(), unit.end());
        }
    }
    return record;
}

}  // namespace ringcast::runtime::h265
