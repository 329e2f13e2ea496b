// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "srt/srt_address.hpp"
#include "srt/srt_error.hpp"
#include "srt/srt_query.hpp"

namespace ringcast::srt {
namespace {

using std::chrono::milliseconds;

const std::string kSrs = "#!::h=live.example,r=app/stream,m=publish";
const std::string kMediaMtx = "publish:my/path:user:p%ss";
const std::string kTencent = "#!::h=d.example,r=live/room?txSecret=0123456789abcdef&txTime=65F1A2B3,m=publish";
const std::string kAlibaba = "#!::h=p.example,r=/app/room?auth_key=1700000000-0-0-abcdef0123456789,m=publish";
const std::string kOrdinary =
    "#!::r=live/x?txSecret=ab&timeout=60&port=1&bind=2&ttl=3&tos=4&fc=5&mss=6&blocking=7&smoother=live&adapter=8";
constexpr int kPort = 9000;

struct Spelling {
    std::string url;
    Mode mode;
    std::string host;
    std::string streamid;
    SrtWords words = {};
    std::string place = "srt://h:9000";
};

class SrtAddresses : public testing::TestWithParam<Spelling> {};

TEST_P(SrtAddresses, are_read_as_platforms_hand_them_out) {
    const Spelling& wanted = GetParam();
    const SrtAddress address = read_srt_address(wanted.url, wanted.words);
    EXPECT_EQ(address.mode, wanted.mode);
    EXPECT_EQ(address.host, wanted.host);
    EXPECT_EQ(address.port, kPort);
    EXPECT_EQ(address.streamid, wanted.streamid);
    EXPECT_EQ(address.place(), wanted.place);
    EXPECT_EQ(address.warnings, std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(
    spelt, SrtAddresses,
    testing::Values(
        Spelling{"srt://h:9000", Mode::caller, "h", ""}, Spelling{"SRT://h:9000/", Mode::caller, "h", ""},
        Spelling{"srt://:9000", Mode::listener, "", "", {}, "srt://:9000"},
        Spelling{"srt://:9000?mode=listener", Mode::listener, "", "", {}, "srt://:9000"},
        Spelling{"srt://h:9000?mode=server", Mode::listener, "h", ""},
        Spelling{"srt://h:9000?mode=client", Mode::caller, "h", ""},
        Spelling{"srt://h:9000?mode=rendezvous", Mode::rendezvous, "h", ""},
        Spelling{"srt://h:9000?mode=listener", Mode::caller, "h", "", {{"mode", "caller"}}},
        Spelling{"srt://[::1]:9000", Mode::caller, "::1", "", {}, "srt://[::1]:9000"},
        Spelling{"srt://[2001:db8::1]:9000?mode=listener",
                 Mode::listener,
                 "2001:db8::1",
                 "",
                 {},
                 "srt://[2001:db8::1]:9000"},
        Spelling{"srt://h:9000?streamid=" + kSrs, Mode::caller, "h", kSrs},
        Spelling{"srt://h:9000/?streamid=" + kSrs + "&latency=200", Mode::caller, "h", kSrs},
        Spelling{"srt://h:9000?latency=200&streamid=" + kSrs, Mode::caller, "h", kSrs},
        Spelling{"srt://h:9000?srt_streamid=" + kSrs + "&transtype=live&pkt_size=1316", Mode::caller, "h", kSrs},
        Spelling{"srt://h:9000?streamid=%23%21%3A%3Ah%3Dlive.example%2Cr%3Dapp%2Fstream%2Cm%3Dpublish&mode=caller",
                 Mode::caller, "h", kSrs},
        Spelling{"srt://h:9000?streamid=" + kMediaMtx, Mode::caller, "h", kMediaMtx},
        Spelling{"srt://h:9000?streamid=publish:a:u:p%2525", Mode::caller, "h", "publish:a:u:p%25"},
        Spelling{"srt://h:9000?streamid=a+b%20c", Mode::caller, "h", "a+b c"},
        Spelling{"srt://h:9000?streamid=" + kTencent, Mode::caller, "h", kTencent},
        Spelling{"srt://h:9000?streamid=" + kTencent + "&mode=caller", Mode::caller, "h", kTencent},
        Spelling{"srt://h:9000?streamid=r%3Dlive%2Froom%3FtxSecret%3Dab%26txTime%3D65F1", Mode::caller, "h",
                 "r=live/room?txSecret=ab&txTime=65F1"},
        Spelling{"srt://h:9000?streamid=" + kOrdinary, Mode::caller, "h", kOrdinary},
        Spelling{"srt://h:9000?streamid=" + kOrdinary + "&latency=200ms", Mode::caller, "h", kOrdinary},
        Spelling{"srt://h:9000?streamid=" + kAlibaba, Mode::caller, "h", kAlibaba},
        Spelling{"srt://h:9000?streamid=live?user=a&latency", Mode::caller, "h", "live?user=a&latency"},
        Spelling{"srt://h:9000?streamid=old", Mode::caller, "h", "new%20&one", {{"streamid", "new%20&one"}}},
        Spelling{"srt://h:9000?streamid=" + std::string(512, 'x'), Mode::caller, "h", std::string(512, 'x')}));

TEST(SrtAddress, latency_is_in_milliseconds_unless_it_says_otherwise) {
    const auto latency = [](const std::string& word) { return read_srt_address("srt://h:1?latency=" + word).latency; };
    EXPECT_EQ(read_srt_address("srt://h:1").latency, milliseconds(200));
    EXPECT_EQ(latency("120"), milliseconds(120));
    EXPECT_EQ(latency("120ms"), milliseconds(120));
    EXPECT_EQ(latency("1.5s"), milliseconds(1500));
    EXPECT_EQ(latency("200000us"), milliseconds(200));
    EXPECT_EQ(latency("8000"), milliseconds(8000));
    EXPECT_EQ(latency("0"), milliseconds(0));
    EXPECT_EQ(read_srt_address("srt://h:1?latency=120", {{"latency", "400ms"}}).latency, milliseconds(400));
}

TEST(SrtAddress, a_passphrase_means_the_longest_key_unless_told) {
    const SrtAddress plain = read_srt_address("srt://h:1");
    EXPECT_EQ(plain.pbkeylen, 0);
    EXPECT_EQ(plain.passphrase, "");
    const SrtAddress longest = read_srt_address("srt://h:1?passphrase=0123456789");
    EXPECT_EQ(longest.passphrase, "0123456789");
    EXPECT_EQ(longest.pbkeylen, 32);
    EXPECT_EQ(read_srt_address("srt://h:1?passphrase=a%26b=c%20defghi&pbkeylen=16").passphrase, "a&b=c defghi");
    EXPECT_EQ(read_srt_address("srt://h:1?passphrase=0123456789&pbkeylen=16").pbkeylen, 16);
    EXPECT_EQ(read_srt_address("srt://h:1?passphrase=0123456789&pbkeylen=0").pbkeylen, 32);
    EXPECT_EQ(read_srt_address("srt://h:1?pbkeylen=16", {{"passphrase", "0123456789"}, {"pbkeylen", "24"}}).pbkeylen,
              24);
}

TEST(SrtAddress, a_rate_is_in_bits_with_a_unit_like_every_rate) {
    EXPECT_EQ(read_srt_address("srt://h:1").maxbw_bps, -1);
    EXPECT_EQ(read_srt_address("srt://h:1?maxbw=10M").maxbw_bps, 10'000'000);
    EXPECT_EQ(read_srt_address("srt://h:1", {{"maxbw", "2500k"}}).maxbw_bps, 2'500'000);
    EXPECT_EQ(read_srt_address("srt://h:1?maxbw=0").maxbw_bps, 0);
    EXPECT_EQ(read_srt_address("srt://h:1?maxbw=-1").maxbw_bps, -1);
}

TEST(SrtAddress, a_bare_rate_of_an_address_is_libsrts_and_that_is_told) {
    const SrtAddress address = read_srt_address("srt://h:1?maxbw=1250000");
    EXPECT_EQ(address.maxbw_bps, 10'000'000);
    EXPECT_EQ(address.warnings,
              std::vector<std::string>{"url=: maxbw=1250000 is taken as libsrt's bytes per second: maxbw=10000k"});
    const SrtAddress overruled = read_srt_address("srt://h:1?maxbw=1250000", {{"maxbw", "5M"}});
    EXPECT_EQ(overruled.maxbw_bps, 5'000'000);
    EXPECT_EQ(overruled.warnings, std::vector<std::string>{});
}

TEST(SrtAddress, what_ringcast_chooses_itself_is_left_out_with_a_warning) {
    const auto warnings = [](const std::string& query) { return read_srt_address("srt://h:1?" + query).warnings; };
    EXPECT_EQ(warnings("tlpktdrop=1&nakreport=true&linger=0&payload_size=1316&enforced_encryption=yes"),
              std::vector<std::string>{});
    EXPECT_EQ(warnings("connect_timeout=3000000"), std::vector<std::string>{"url=: connect_timeout= is left out"});
    EXPECT_EQ(warnings("pkt_size=1128&rcvlatency=120"),
              (std::vector<std::string>{"url=: pkt_size= is left out; ringcast sends with pkt_size=1316",
                                        "url=: rcvlatency= is left out; latency= holds for both directions"}));
}

TEST(SrtAddress, wrong_ones_are_told_without_secrets) {
    struct Wrong {
        std::string url;
        SrtWords words;
        std::string told;
    };
    for (const auto& [url, words, told] : {
             Wrong{"", {}, "where to?"},
             Wrong{"h:9000", {}, "must begin with srt://"},
             Wrong{"http://h:9000?streamid=s3cret", {}, "not http://"},
             Wrong{"rtmp://h/s3cret", {}, "that is RTMP"},
             Wrong{"srt://h", {}, "names no port"},
             Wrong{"srt://h:", {}, "names no port"},
             Wrong{"srt://h?streamid=s3cret", {}, "names no port"},
             Wrong{"srt://", {}, "names no port"},
             Wrong{"srt://h:0", {}, "port 0"},
             Wrong{"srt://h:65536", {}, "from 1 to 65535"},
             Wrong{"srt://h:9000x", {}, "from 1 to 65535"},
             Wrong{"srt://::1:9000", {}, "in brackets"},
             Wrong{"srt://[::1:9000", {}, "closing bracket"},
             Wrong{"srt://[::1]9000", {}, "only :PORT"},
             Wrong{"srt://s3cret:s3cret@h:9000", {}, "holds a login"},
             Wrong{"srt://h:9000/live/s3cret", {}, "has a path"},
             Wrong{"srt://h:9000#!::r=s3cret", {}, "behind ?streamid="},
             Wrong{"srt://:9000?mode=caller", {}, "names no host"},
             Wrong{"srt://:9000", {{"mode", "rendezvous"}}, "names no host"},
             Wrong{"srt://h:9000?mode=push", {}, "mode=push: must be caller, listener or rendezvous"},
             Wrong{"srt://h:9000?latncy=200", {}, "does not know: latncy;"},
             Wrong{"srt://h:9000?latency=200&s3=s3cret", {}, "does not know: s3;"},
             Wrong{"srt://h:9000?latency=8001", {}, "latency=8001: more than 8000 ms"},
             Wrong{"srt://h:9000?latency=200000", {}, "microseconds, ours is in milliseconds; latency=200ms?"},
             Wrong{"srt://h:9000", {{"latency", "9s"}}, "latency=9s: more than 8000 ms"},
             Wrong{"srt://h:9000", {{"latency", "-5"}}, "latency=-5: not a time"},
             Wrong{"srt://h:9000?latency=200?s3cret", {}, "latency=...: not a time"},
             Wrong{"srt://h:9000?passphrase=s3cret", {}, "10 to 79 characters"},
             Wrong{"srt://h:9000?passphrase=", {}, "10 to 79 characters"},
             Wrong{"srt://h:9000", {{"passphrase", std::string(80, 'x')}}, "10 to 79 characters"},
             Wrong{"srt://h:9000?pbkeylen=32", {}, "encrypts nothing"},
             Wrong{"srt://h:9000?pbkeylen=20&passphrase=0123456789", {}, "pbkeylen=20: must be 16, 24 or 32"},
             Wrong{"srt://h:9000", {{"maxbw", "1250000"}}, "maxbw=1250000: not a rate"},
             Wrong{"srt://h:9000?maxbw=1250000", {{"maxbw", "2500000"}}, "maxbw=2500000: not a rate"},
             Wrong{"srt://h:9000?maxbw=12499", {}, "maxbw=12499: not a rate from 100k on"},
             Wrong{"srt://h:9000?maxbw=99999999999999999999", {}, "not a rate"},
             Wrong{"srt://h:9000?transtype=file", {}, "transtype=live"},
             Wrong{"srt://h:9000?latency=1&latency=2", {}, "latency= twice"},
             Wrong{"srt://h:9000?streamid=" + std::string(513, 'x'), {}, "longer than 512 bytes"},
             Wrong{"srt://h:9000?streamid=s3cret%0A", {}, "streamid= holds a line break"},
             Wrong{"srt://h:9000\n", {}, "url= holds a line break"},
         }) {
        try {
            static_cast<void>(read_srt_address(url, words));
            ADD_FAILURE() << url << " was taken";
        } catch (const SrtError& error) {
            const std::string line = error.what();
            EXPECT_EQ(error.failure(), Failure::config) << url;
            EXPECT_NE(line.find(told), std::string::npos) << url << ": " << line;
            EXPECT_EQ(line.find("s3cret"), std::string::npos) << line;
            EXPECT_EQ(line.find('\n'), std::string::npos) << line;
        }
    }
}

TEST(SrtQuery, a_streamid_ends_only_where_a_known_key_begins) {
    EXPECT_EQ(split_query("streamid=a?b=c&d=e&MODE=caller&latency=1"),
              (QueryPairs{{"streamid", "a?b=c&d=e"}, {"MODE", "caller"}, {"latency", "1"}}));
    EXPECT_EQ(split_query("latency=1&x=2"), (QueryPairs{{"latency", "1"}, {"x", "2"}}));
    EXPECT_EQ(split_query("streamid=a&&latency=1&"), (QueryPairs{{"streamid", "a&"}, {"latency", "1"}}));
    EXPECT_EQ(split_query("latency"), (QueryPairs{{"latency", ""}}));
    EXPECT_EQ(split_query(""), QueryPairs{});
}

TEST(SrtQuery, a_key_ends_a_streamid_only_with_a_value_that_fits_it) {
    for (const char* ends : {"mode=listener", "Latency=200", "latency=1.5s", "latency=200000", "pbkeylen=16",
                             "passphrase=x", "maxbw=10M", "streamid=b", "transtype=live", "pkt_size=1316",
                             "connect_timeout=3000000", "tlpktdrop=1", "payload_size=1316", "latency=%3200"})
        EXPECT_EQ(split_query("streamid=a&" + std::string(ends)).size(), 2U) << ends;
    for (const char* stays : {"mode=push", "mode=", "latency=low", "latency=5min", "latency", "pbkeylen=20",
                              "transtype=x", "pkt_size=a", "connect_timeout=", "tlpktdrop=2", "timeout=60", "x=1"})
        EXPECT_EQ(split_query("streamid=a&" + std::string(stays)),
                  (QueryPairs{{"streamid", "a&" + std::string(stays)}}));
}

TEST(SrtAddress, a_word_of_ours_that_ended_in_a_secret_is_told) {
    const SrtAddress address = read_srt_address("srt://h:1?passphrase=0123456789&pbkeylen=20");
    EXPECT_EQ(address.passphrase, "0123456789&pbkeylen=20");
    EXPECT_EQ(address.warnings,
              std::vector<std::string>{"url=: what follows pbkeylen= does not fit it, so it is part of passphrase="});
}

TEST(SrtQuery, percent_signs_that_encode_nothing_stay) {
    EXPECT_EQ(percent_decoded("a%2fb%2Fc%%2%zz+"), "a/b/c%%2%zz+");
}

}  // namespace
}  // namespace ringcast::srt
