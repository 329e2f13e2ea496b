// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "http_client.hpp"
#include "plugin_driver.hpp"
#include "test_media.hpp"

namespace ringcast::test {
namespace {

namespace fs = std::filesystem;

const TestMedia& media() {
    static const TestMedia made = make_media();
    return made;
}

std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// An HLS sink that listens on a free port; feed() gives it a whole stream.
class HttpServer : public testing::Test {
protected:
    HttpServer() : sink_(HLS_SINK_SO, {"dir=" + folder_.path().string(), "listen=0"}) {
        if (sink_.connect() != RINGCAST_SINK_OK) throw std::runtime_error(sink_.host().error());
        url_ = sink_.host().info("url");
    }
    void feed(bool end = true) {
        ASSERT_EQ(sink_.feed(media()), RINGCAST_SINK_OK) << sink_.host().error();
        if (end) {
            ASSERT_EQ(sink_.disconnect(true), RINGCAST_SINK_OK);
        }
    }

    [[nodiscard]] bool says(const std::string& text) const {
        return std::ranges::any_of(sink_.host().log(),
                                   [&](const std::string& line) { return line.find(text) != std::string::npos; });
    }

    TemporaryFolder folder_;
    PluginDriver sink_;
    std::string url_;
};

TEST_F(HttpServer, page_is_up_before_the_first_segment_with_all_its_parts) {
    HttpClient client(url_);
    const HttpAnswer page = client.get("/");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_NE(page.body.find("<video"), std::string::npos);
    for (const char* part : {"player.css", "player.js", "hls.min.js"}) {
        EXPECT_NE(page.body.find(part), std::string::npos) << part;
        const HttpAnswer answer = client.get(std::string("/") + part);
        EXPECT_EQ(answer.status, 200) << part;
        EXPECT_EQ(answer.body.size(), std::stoul(answer.headers.at("content-length"))) << part;
        EXPECT_GT(answer.body.size(), 500u) << part;
    }
}

TEST_F(HttpServer, playlist_and_segments_have_their_types_and_headers) {
    feed();
    HttpClient client(url_);
    const HttpAnswer playlist = client.get("/index.m3u8?x=1");
    EXPECT_EQ(playlist.status, 200);
    EXPECT_EQ(playlist.headers.at("content-type"), "application/vnd.apple.mpegurl");
    EXPECT_EQ(playlist.headers.at("cache-control"), "no-cache");
    EXPECT_EQ(playlist.headers.at("access-control-allow-origin"), "*");
    EXPECT_EQ(playlist.body, contents(folder_ / "index.m3u8"));
    const HttpAnswer segment = client.get("/segment-00002.ts");
    EXPECT_EQ(segment.status, 200);
    EXPECT_EQ(segment.headers.at("content-type"), "video/mp2t");
    EXPECT_EQ(segment.body, contents(folder_ / "segment-00002.ts"));
}

TEST_F(HttpServer, every_answer_says_the_time_of_the_server) {
    HttpClient client(url_);
    const std::time_t before = std::time(nullptr);
    for (const char* path : {"/", "/ready", "/nothing-here"}) {
        const std::string text = client.get(path).headers.at("date");
        std::tm utc{};
        const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
        ASSERT_TRUE(end != nullptr && *end == '\0') << text;
        EXPECT_GE(timegm(&utc), before) << text;
        EXPECT_LE(timegm(&utc), std::time(nullptr)) << text;
    }
}

TEST_F(HttpServer, head_says_what_get_would_send_and_sends_no_body) {
    feed();
    HttpClient client(url_);
    const HttpAnswer head = client.request("HEAD", "/segment-00000.ts");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.headers.at("content-length"), std::to_string(fs::file_size(folder_ / "segment-00000.ts")));
    // On the same connection: a body after HEAD would be read as the next answer.
    EXPECT_EQ(client.get("/index.m3u8").status, 200);
}

TEST_F(HttpServer, byte_ranges_give_exactly_those_bytes) {
    feed();
    const std::string whole = contents(folder_ / "segment-00001.ts");
    const std::string size = std::to_string(whole.size());
    HttpClient client(url_);
    const HttpAnswer inner = client.get("/segment-00001.ts", "Range: bytes=188-375\r\n");
    EXPECT_EQ(inner.status, 206);
    EXPECT_EQ(inner.headers.at("content-range"), "bytes 188-375/" + size);
    EXPECT_EQ(inner.body, whole.substr(188, 188));
    const HttpAnswer tail = client.get("/segment-00001.ts", "Range: bytes=-100\r\n");
    EXPECT_EQ(tail.status, 206);
    EXPECT_EQ(tail.body, whole.substr(whole.size() - 100));
    const HttpAnswer beyond = client.get("/segment-00001.ts", "Range: bytes=" + size + "-\r\n");
    EXPECT_EQ(beyond.status, 416);
    EXPECT_EQ(beyond.headers.at("content-range"), "bytes */" + size);
    EXPECT_EQ(client.get("/segment-00001.ts", "Range: bytes=9-1\r\n").body, whole);
    EXPECT_EQ(client.get("/segment-00001.ts", "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n").body, whole);
}

TEST_F(HttpServer, unchanged_files_are_answered_with_304) {
    feed();
    HttpClient client(url_);
    const std::string tag = client.get("/segment-00000.ts").headers.at("etag");
    EXPECT_EQ(client.get("/segment-00000.ts", "If-None-Match: " + tag + "\r\n").status, 304);
    EXPECT_EQ(client.get("/segment-00001.ts", "If-None-Match: " + tag + "\r\n").status, 200);
}

TEST_F(HttpServer, only_published_files_are_served) {
    feed();
    std::ofstream(folder_ / "secret.txt") << "secret";
    std::ofstream(folder_ / "segment-00099.ts") << "secret";
    std::ofstream(folder_.path().parent_path() / (folder_.path().filename().string() + ".txt")) << "secret";
    const std::string outside = folder_.path().filename().string() + ".txt";
    HttpClient client(url_);
    const std::vector<std::string> targets{"/secret.txt",
                                           "/segment-00099.ts",
                                           "/../" + outside,
                                           "/%2e%2e/" + outside,
                                           "/%2e%2e%2f" + outside,
                                           "//" + outside,
                                           "/./index.m3u8",
                                           "/segment-00000.ts/../../" + outside,
                                           "/../../../../../../etc/passwd",
                                           "/.segment-00004.ts.part",
                                           "/segment-0.ts",
                                           "/segment-000000.ts",
                                           "/player/",
                                           "/index.m3u8%00.ts",
                                           "/" + std::string(4000, 'a')};
    for (const std::string& target : targets) {
        const HttpAnswer answer = client.get(target);
        EXPECT_EQ(answer.status, 404) << target;
        EXPECT_EQ(answer.body.find("secret"), std::string::npos) << target;
    }
    fs::remove(folder_.path().parent_path() / outside);
}

TEST_F(HttpServer, other_methods_are_405_and_preflight_is_answered) {
    feed();
    for (const char* method : {"POST", "PUT", "DELETE", "PATCH"}) {
        HttpClient client(url_);
        const HttpAnswer answer = client.request(method, "/index.m3u8", "Content-Length: 0\r\n");
        EXPECT_EQ(answer.status, 405) << method;
        EXPECT_EQ(answer.headers.at("allow"), "GET, HEAD, OPTIONS");
    }
    HttpClient with_body(url_);
    with_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(with_body.receive().status, 405);
    HttpClient client(url_);
    const HttpAnswer preflight = client.request("OPTIONS", "/index.m3u8", "Origin: http://elsewhere\r\n");
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.headers.at("access-control-allow-methods"), "GET, HEAD, OPTIONS");
}

TEST_F(HttpServer, nonsense_is_400_and_endless_headers_are_cut_off) {
    HttpClient nonsense(url_);
    nonsense.send("\x16\x03\x01 this is not HTTP\r\n\r\n");
    EXPECT_EQ(nonsense.receive().status, 400);
    HttpClient endless(url_);
    endless.send("GET / HTTP/1.1\r\nX: " + std::string(100'000, 'y'));
    const int status = endless.receive().status;
    EXPECT_TRUE(status == 400 || status == 0) << status;
    EXPECT_EQ(HttpClient(url_).get("/").status, 200) << "the server lives on";
}

TEST_F(HttpServer, playlist_request_is_held_until_there_is_one) {
    HttpClient playlist(url_);
    HttpClient ready(url_);
    playlist.send("GET /index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n");
    ready.send("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_FALSE(playlist.has_answer_within(300));
    EXPECT_FALSE(ready.has_answer_within(0));
    EXPECT_EQ(HttpClient(url_).get("/").status, 200) << "others are served meanwhile";
    feed(false);
    const HttpAnswer answer = playlist.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body.starts_with("#EXTM3U"));
    EXPECT_TRUE(ready.receive().body.starts_with("{\"ready\":true,\"stream\":\""));
}

TEST_F(HttpServer, reload_that_names_the_next_segment_is_held_until_it_is_listed) {
    ASSERT_EQ(sink_.headers(media()), RINGCAST_SINK_OK);
    HttpClient first(url_);
    HttpClient second(url_);
    first.send("GET /index.m3u8?_HLS_msn=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    second.send("GET /index.m3u8?_HLS_msn=2 HTTP/1.1\r\nHost: x\r\n\r\n");
    std::size_t at = 0;
    const auto feed_until = [&](std::int64_t dts_us) {
        for (; media().packets[at].dts_us < dts_us; ++at)
            ASSERT_EQ(sink_.packet(media().packets[at]), RINGCAST_SINK_OK);
    };
    feed_until(3'000'000);
    EXPECT_FALSE(first.has_answer_within(200)) << "segment 0 alone is listed";
    feed_until(5'000'000);
    const std::string listing = first.receive().body;
    EXPECT_NE(listing.find("segment-00001.ts"), std::string::npos) << listing;
    EXPECT_FALSE(second.has_answer_within(200)) << "its segment is not yet there";
    sink_.interrupt();  // no wait for these two
    ASSERT_EQ(sink_.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_NE(second.receive().body.find("ENDLIST"), std::string::npos);
    EXPECT_EQ(second.get("/index.m3u8?_HLS_msn=99").status, 200) << "an ended playlist grows no more";
}

TEST_F(HttpServer, held_request_ends_after_its_time_with_503_and_retry_after) {
    HttpClient playlist(url_);
    HttpClient ready(url_);
    playlist.send("GET /index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n");
    ready.send("GET /ready HTTP/1.1\r\nHost: x\r\n\r\n");
    const HttpAnswer answer = playlist.receive();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
    EXPECT_EQ(ready.receive().body, "{\"ready\":false}\n");
}

TEST_F(HttpServer, client_that_reads_nothing_does_not_block_others) {
    feed();
    std::string requests;
    for (int i = 0; i < 400; ++i)
        requests += "GET /segment-00001.ts HTTP/1.1\r\nHost: x\r\n\r\n";
    const std::size_t asked = 400 * fs::file_size(folder_ / "segment-00001.ts");
    ASSERT_GT(asked, 20'000'000u) << "more than socket buffers hold";
    HttpClient stuck(url_);
    stuck.send(requests);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(HttpClient(url_).get("/segment-00002.ts").status, 200);
    // It was stuck, not refused: when it reads at last, its answers are there.
    for (int i = 0; i < 400; ++i)
        ASSERT_EQ(stuck.receive().status, 200) << i;
}

TEST_F(HttpServer, viewers_can_finish_after_the_end) {
    HttpClient client(url_);
    feed();
    EXPECT_NE(client.get("/index.m3u8").body.find("ENDLIST"), std::string::npos);
    EXPECT_EQ(client.get("/segment-00003.ts").status, 200);
}

TEST_F(HttpServer, the_end_stays_for_a_viewer_until_it_has_the_last_segment) {
    feed(false);
    HttpClient viewer(url_);
    ASSERT_EQ(viewer.get("/index.m3u8").status, 200);
    ASSERT_EQ(viewer.get("/segment-00002.ts").status, 200);
    std::thread end([this] { EXPECT_EQ(sink_.disconnect(true), RINGCAST_SINK_OK); });
    EXPECT_NE(viewer.get("/index.m3u8?_HLS_msn=3").body.find("ENDLIST"), std::string::npos);
    // As a player does: over another of its connections.
    EXPECT_EQ(HttpClient(url_).get("/segment-00003.ts").body, contents(folder_ / "segment-00003.ts"));
    end.join();
    EXPECT_FALSE(says("had not fetched the last segment"));
}

TEST_F(HttpServer, the_end_does_not_stay_for_ever_and_not_for_nobody) {
    feed();
    EXPECT_FALSE(says("had not fetched the last segment")) << "nobody watched";
    feed(false);
    HttpClient viewer(url_);
    ASSERT_EQ(viewer.get("/segment-00005.ts").status, 200);
    ASSERT_EQ(viewer.get("/ready").status, 200);  // the server has noted the answer before
    ASSERT_EQ(sink_.disconnect(true), RINGCAST_SINK_OK);
    EXPECT_TRUE(says("had not fetched the last segment")) << "one watched, and never came back";
}

TEST_F(HttpServer, segments_of_the_stream_before_are_gone_with_the_next) {
    feed();
    HttpClient client(url_);
    const std::string before = client.get("/ready").body;
    EXPECT_EQ(client.get("/ready").body, before);
    feed();
    EXPECT_EQ(client.get("/segment-00003.ts").status, 404);
    EXPECT_EQ(client.get("/segment-00004.ts").status, 200);
    EXPECT_NE(client.get("/ready").body, before) << "a page can tell that it is another stream";
}

TEST(HttpServerSetup, port_the_host_cannot_open_fails_with_the_hosts_own_words) {
    const TemporaryFolder folder;
    PluginDriver sink(HLS_SINK_SO, {"dir=" + folder.path().string(), "listen=taken:1"});
    EXPECT_EQ(sink.connect(), RINGCAST_SINK_E_CONFIG);
    EXPECT_EQ(sink.host().error(), "port 1 is taken");
}

TEST(HttpServerSetup, destroying_the_sink_ends_held_requests_and_frees_the_port) {
    const TemporaryFolder folder;
    auto sink = std::make_unique<PluginDriver>(HLS_SINK_SO,
                                               std::vector<std::string>{"dir=" + folder.path().string(), "listen=0"});
    ASSERT_EQ(sink->connect(), RINGCAST_SINK_OK);
    const std::string url = sink->host().info("url");
    HttpClient held(url);
    held.send("GET /index.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_FALSE(held.has_answer_within(100));
    sink.reset();
    EXPECT_EQ(held.receive().status, 0);
    EXPECT_THROW(HttpClient{url}, std::runtime_error);
}

}  // namespace
}  // namespace ringcast::test
