// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "mux/sink_error.hpp"
#include "rtmp/target.hpp"

namespace ringcast::sink {
namespace {

struct Spelling {
    std::string url;
    std::string key;
    std::string host;
    int port;
    std::string app;
    std::string tc_url;
    std::string stream;
    std::string place;
};

class RtmpTargets : public testing::TestWithParam<Spelling> {};

TEST_P(RtmpTargets, keep_every_byte_of_app_address_and_key) {
    const Spelling& wanted = GetParam();
    const RtmpTarget target = read_rtmp_target(wanted.url, wanted.key);
    EXPECT_EQ(target.host, wanted.host);
    EXPECT_EQ(target.port, wanted.port);
    EXPECT_EQ(target.app, wanted.app);
    EXPECT_EQ(target.tc_url, wanted.tc_url);
    EXPECT_EQ(target.stream, wanted.stream);
    EXPECT_EQ(target.place, wanted.place);
    EXPECT_EQ(target.tls, wanted.url.starts_with("rtmps") || wanted.url.starts_with("RTMPS"));
}

const std::string kBili = "?streamname=live_1&key=abc%2Fd&schedule=rtmp";
INSTANTIATE_TEST_SUITE_P(
    spelt, RtmpTargets,
    testing::Values(
        Spelling{"rtmp://h/live", "k", "h", 1935, "live", "rtmp://h/live", "k", "rtmp://h/live"},
        Spelling{"rtmp://h/live/", "k", "h", 1935, "live", "rtmp://h/live", "k", "rtmp://h/live"},
        Spelling{"rtmp://h:1936/live/inst//", "k", "h", 1936, "live/inst", "rtmp://h:1936/live/inst", "k",
                 "rtmp://h:1936/live"},
        Spelling{"rtmp://h/live/k", "", "h", 1935, "live", "rtmp://h/live", "k", "rtmp://h/live"},
        Spelling{"rtmp://h/live/inst/k", "", "h", 1935, "live/inst", "rtmp://h/live/inst", "k", "rtmp://h/live"},
        Spelling{"rtmp://h/live/k?a=1/2&b=%20", "", "h", 1935, "live", "rtmp://h/live", "k?a=1/2&b=%20",
                 "rtmp://h/live"},
        Spelling{"rtmp://h/live-bvc/", kBili, "h", 1935, "live-bvc", "rtmp://h/live-bvc", kBili, "rtmp://h/live-bvc"},
        Spelling{"rtmp://h/live-bvc/" + kBili, "", "h", 1935, "live-bvc", "rtmp://h/live-bvc", kBili,
                 "rtmp://h/live-bvc"},
        Spelling{"rtmps://H.example:443/rtmp/", "FB-1-2-x", "H.example", 443, "rtmp", "rtmps://H.example:443/rtmp",
                 "FB-1-2-x", "rtmps://H.example:443/rtmp"},
        Spelling{"RTMPS://h/app", "k/with/slashes", "h", 443, "app", "RTMPS://h/app", "k/with/slashes",
                 "RTMPS://h/app"},
        Spelling{"rtmp://[2001:db8::1]:1940/a", "k", "2001:db8::1", 1940, "a", "rtmp://[2001:db8::1]:1940/a", "k",
                 "rtmp://[2001:db8::1]:1940/a"},
        Spelling{"rtmp://[::1]/a/k", "", "::1", 1935, "a", "rtmp://[::1]/a", "k", "rtmp://[::1]/a"},
        Spelling{"rtmp://h/app?token=YWJj/", "k", "h", 1935, "app?token=YWJj/", "rtmp://h/app?token=YWJj/", "k",
                 "rtmp://h/app"},
        Spelling{"rtmp://h/app?token=s3cret", "k", "h", 1935, "app?token=s3cret", "rtmp://h/app?token=s3cret", "k",
                 "rtmp://h/app"}));

TEST(RtmpTarget, wrong_ones_are_told_without_being_shown) {
    struct Wrong {
        std::string url;
        std::string key;
        std::string words;
    };
    for (const auto& [url, key, words] : {
             Wrong{"", "secretkey", "where to?"},
             Wrong{"http://h/secretapp", "secretkey", "not http://"},
             Wrong{"srt://h:1", "secretkey", "the sink srt"},
             Wrong{"h/secretapp", "secretkey", "must begin with rtmp://"},
             Wrong{"rtmp://h", "secretkey", "names no app"},
             Wrong{"rtmp:///app", "secretkey", "names no host"},
             Wrong{"rtmp://h/", "secretkey", "names no app"},
             Wrong{"rtmp://h/secretapp", "", "which stream key?"},
             Wrong{"rtmp://h/secretapp/", "", "which stream key?"},
             Wrong{"rtmp://h:0/a", "secretkey", "port"},
             Wrong{"rtmp://h:65536/a", "secretkey", "port"},
             Wrong{"rtmp://h:1x/a", "secretkey", "port"},
             Wrong{"rtmp://::1/a", "secretkey", "brackets"},
             Wrong{"rtmp://[::1/a", "secretkey", "closing bracket"},
             Wrong{"rtmp://[::1]x/a", "secretkey", "behind the brackets"},
             Wrong{"rtmp://secretuser:pw@h/a", "secretkey", "holds a login"},
             Wrong{"rtmp://h/a", "secretkey\n", "key= holds a line break"},
             Wrong{"rtmp://h/a\r", "secretkey", "url= holds a line break"},
             Wrong{"rtmp://h/" + std::string(1501, 'a'), "secretkey", "longer than 1500"},
             Wrong{"rtmp://h/a", std::string(4097, 'k'), "longer than 4096"},
         }) {
        try {
            read_rtmp_target(url, key);
            FAIL() << url;
        } catch (const SinkError& error) {
            EXPECT_EQ(error.code(), RINGCAST_SINK_E_CONFIG);
            EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
            EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos) << error.what();
        }
    }
}

TEST(RtmpTarget, a_server_that_repeats_key_name_or_arguments_is_not_quoted_with_them) {
    const RtmpTarget target = read_rtmp_target("rtmp://h/a", "stream-7123?expire=1699999999&sign=abcdef0123&n=1");
    EXPECT_EQ(without_key("stream-7123?expire=1699999999&sign=abcdef0123&n=1 is taken", target), "*** is taken");
    EXPECT_EQ(without_key("live/stream-7123 sign abcdef0123, n=1", target), "live/*** sign ***, n=1");
}

}  // namespace
}  // namespace ringcast::sink
