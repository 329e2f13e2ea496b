// SPDX-License-Identifier: Apache-2.0
#include <srt/access_control.h>

#include <algorithm>
#include <array>

#include "srt/srt_connect.hpp"

namespace ringcast::srt {

namespace {

struct Reason {
    int code;
    Failure failure;
    const char* words;
};

// What lies with the words that were given is a rejection; what may be over in a moment is not.
constexpr auto kReasons = std::to_array<Reason>({
    {SRT_REJ_BADSECRET, Failure::rejected, "wrong passphrase"},
    {SRT_REJ_UNSECURE, Failure::rejected, "one side has a passphrase and the other has none"},
    {SRT_REJ_PEER, Failure::rejected, "the peer gives no reason; streamid or passphrase may be wrong"},
    {SRT_REJ_VERSION, Failure::rejected, "the peer's version of SRT is too old, or ours is for it"},
    {SRT_REJ_MESSAGEAPI, Failure::rejected, "the peer is not in live mode"},
    {SRT_REJ_CONGESTION, Failure::rejected, "the peer is not in live mode"},
    {SRT_REJ_FILTER, Failure::rejected, "the peer wants a packet filter"},
    {SRT_REJ_GROUP, Failure::rejected, "the peer wants a bonded connection"},
    {SRT_REJ_SYSTEM, Failure::transient, "a system function failed"},
    {SRT_REJ_RESOURCE, Failure::transient, "it has no resources left"},
    {SRT_REJ_ROGUE, Failure::transient, "its handshake makes no sense; is that an SRT port?"},
    {SRT_REJ_BACKLOG, Failure::transient, "too many connections wait there"},
    {SRT_REJ_IPE, Failure::transient, "libsrt failed inside"},
    {SRT_REJ_CLOSE, Failure::transient, "it is closing"},
    {SRT_REJ_RDVCOOKIE, Failure::transient, "both ends drew the same number"},
    {SRT_REJX_KEY_NOTSUP, Failure::rejected, "a key of the streamid is not supported there"},
    {SRT_REJX_FILEPATH, Failure::rejected, "the path in the streamid is wrong"},
    {SRT_REJX_HOSTNOTFOUND, Failure::rejected, "the host in the streamid (h=) is not known there"},
    {SRT_REJX_BAD_REQUEST, Failure::rejected, "it does not understand the streamid"},
    {SRT_REJX_UNAUTHORIZED, Failure::rejected, "not authorised: user or password in the streamid"},
    {SRT_REJX_OVERLOAD, Failure::transient, "it is overloaded"},
    {SRT_REJX_FORBIDDEN, Failure::rejected, "forbidden: the streamid may not be used"},
    {SRT_REJX_NOTFOUND, Failure::rejected, "not found: no such stream"},
    {SRT_REJX_BAD_MODE, Failure::rejected, "the mode in the streamid (m=) is not possible there"},
    {SRT_REJX_UNACCEPTABLE, Failure::rejected, "what the streamid asks for cannot be had"},
    {SRT_REJX_CONFLICT, Failure::rejected, "conflict: somebody else publishes that stream"},
    {SRT_REJX_NOTSUP_MEDIA, Failure::rejected, "the media type in the streamid (t=) is not supported"},
    {SRT_REJX_LOCKED, Failure::rejected, "the stream is locked"},
    {SRT_REJX_FAILED_DEPEND, Failure::rejected, "a session it depends on is gone"},
    {SRT_REJX_ISE, Failure::transient, "internal error of the server"},
    {SRT_REJX_UNIMPLEMENTED, Failure::rejected, "the server does not know such a request"},
    {SRT_REJX_GW, Failure::transient, "the server behind it refused"},
    {SRT_REJX_DOWN, Failure::transient, "the service is down"},
    {SRT_REJX_VERSION, Failure::rejected, "the server does not take this version of SRT"},
    {SRT_REJX_NOROOM, Failure::transient, "no room to store the stream"},
});

}  // namespace

Refusal refusal_of(int reason) {
    const std::string code = " (SRT reason " + std::to_string(reason) + ")";
    const auto known = std::ranges::find(kReasons, reason, &Reason::code);
    if (known != kReasons.end()) return {known->failure, known->words + code};
    return {Failure::rejected, "for a reason of its own" + code};
}

}  // namespace ringcast::srt
