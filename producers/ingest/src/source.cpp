// SPDX-License-Identifier: Apache-2.0
#include "source.hpp"

#include <algorithm>
#include <cctype>

#include "rtmp_caller.hpp"
#include "rtmp_listener.hpp"
#include "srt_source.hpp"

namespace ringcast::ingest {
namespace {

bool is_srt(const IngestAddress& address) {
    std::string scheme = address.url.substr(0, address.url.find("://"));
    std::ranges::transform(scheme, scheme.begin(), [](unsigned char c) { return std::tolower(c); });
    if (scheme.size() < address.url.size()) {
        if (scheme == "srt") return true;
        if (scheme == "rtmp" || scheme == "rtmps") return false;
    }
    throw AddressError("the address must begin with srt://, rtmp:// or rtmps://, as in srt://:9000 or rtmp://host/app");
}

srt::SrtAddress srt_address(const IngestAddress& words) {
    if (!words.key.empty()) throw AddressError("--key is RTMP's; SRT has --streamid and --passphrase");
    if (words.listen) throw AddressError("--listen is RTMP's; an SRT address listens without a host: srt://:9000");
    if (!words.tls_ca.empty() || !words.tls_verify)
        throw AddressError("--tls-ca and --tls-verify are RTMPS's; SRT has --passphrase");
    srt::SrtWords given;
    if (!words.passphrase.empty()) given["passphrase"] = words.passphrase;
    if (!words.streamid.empty()) given["streamid"] = words.streamid;
    if (!words.latency.empty()) given["latency"] = words.latency;
    try {
        return srt::read_srt_address(words.url, given);
    } catch (const srt::SrtError& error) {
        throw AddressError(error.what());
    }
}

RtmpAddress rtmp_address(const IngestAddress& words) {
    if (!words.passphrase.empty() || !words.streamid.empty() || !words.latency.empty())
        throw AddressError("--passphrase, --streamid and --latency are SRT's; RTMP has --key");
    return read_rtmp_address(words);
}

}  // namespace

std::unique_ptr<Source> make_source(const IngestAddress& address) {
    if (is_srt(address)) return std::make_unique<SrtSource>(srt_address(address));
    RtmpAddress rtmp = rtmp_address(address);
    if (rtmp.listens) return std::make_unique<RtmpListener>(std::move(rtmp));
    return std::make_unique<RtmpCaller>(std::move(rtmp));
}

void check_address(const IngestAddress& address) {
    is_srt(address) ? static_cast<void>(srt_address(address)) : static_cast<void>(rtmp_address(address));
}

}  // namespace ringcast::ingest
