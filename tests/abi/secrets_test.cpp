// SPDX-License-Identifier: Apache-2.0
/// Where secrets stand, how they come in, and how they are taken out of text.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "host/command_line.hpp"
#include "host/handed_value.hpp"
#include "host/option_words.hpp"
#include "host/plugin_error.hpp"
#include "host/redactor.hpp"
#include "host/secret_address.hpp"
#include "host/secret_source.hpp"

namespace ringcast::host {
namespace {

namespace fs = std::filesystem;

using Parts = std::vector<std::string_view>;

TEST(SecretAddress, what_stands_behind_host_and_app_is_secret) {
    EXPECT_EQ(secret_parts("rtmp://host/live/abc"), Parts{"abc"});
    EXPECT_EQ(secret_parts("rtmp://host:1935/live/abc?t=1&u=2"), Parts{"abc?t=1&u=2"});
    EXPECT_EQ(secret_parts("rtmp://host/live?t=1"), Parts{"t=1"});
    EXPECT_EQ(secret_parts("rtmp://host/live/?t=1"), Parts{"t=1"});
    EXPECT_EQ(secret_parts("rtmp://host/live//abc"), Parts{"abc"});
    EXPECT_EQ(secret_parts("rtmps://me:pass@host/live/abc"), (Parts{"me:pass", "abc"}));
    EXPECT_EQ(secret_parts("rtmp://host/live/_definst_/abc?t=1"), Parts{"abc?t=1"});
    EXPECT_EQ(secret_parts("rtmp://host/live/_definst_abc"), Parts{"_definst_abc"});
}

TEST(SecretAddress, an_address_of_host_and_app_holds_none) {
    for (const char* address :
         {"rtmp://host", "rtmp://host/", "rtmp://host/live", "rtmp://host/live/", "rtmp://host/live/_definst_",
          "rtmp://host/live/_definst_/", "rtmp://host/a#", "srt://[::1]:9000", "live/abc", "C:/a/b", "a/b://c/d/e", ""})
        EXPECT_EQ(secret_parts(address), Parts{}) << address;
}

TEST(SecretAddress, of_srt_only_streamid_and_passphrase_and_what_nobody_knows_are_secret) {
    EXPECT_EQ(secret_parts("srt://host:9000?passphrase=abc"), Parts{"abc"});
    EXPECT_EQ(secret_parts("SRT://host:9000/?latency=200&streamid=#!::r=a?b=c&d=e,m=publish&mode=caller"),
              Parts{"#!::r=a?b=c&d=e,m=publish"});
    EXPECT_EQ(secret_parts("srt://host:9000?streamid=a&passphrase=b"), (Parts{"a", "b"}));
    EXPECT_EQ(secret_parts("srt://host:9000?passphrase=a&pbkeylen=16&streamid=b"), (Parts{"a", "b"}));
    EXPECT_EQ(secret_parts("srt://host:9000?Passphrase=abc&SRT_STREAMID=d"), (Parts{"abc", "d"}));
    EXPECT_EQ(secret_parts("srt://host:9000?streamid=r=x?txSecret=a&timeout=60&latency=200"),
              Parts{"r=x?txSecret=a&timeout=60"});
    EXPECT_EQ(secret_parts("srt://host:9000?txSecret=a&mode=caller"), Parts{"txSecret=a"});
    EXPECT_EQ(secret_parts("srt://host:9000?tx=a&txSecret=b&mode=caller&c"), (Parts{"tx=a&txSecret=b", "c"}));
    EXPECT_EQ(secret_parts("srt://host:9000#!::r=a"), Parts{"#!::r=a"});
    EXPECT_EQ(secret_parts("srt://host:9000/live/a"), Parts{"live/a"});
    EXPECT_EQ(secret_parts("srt://me:pass@host:9000"), Parts{"me:pass"});
    for (const char* address :
         {"srt://host:9000", "srt://:9000/", "srt://:9000?mode=listener&latency=200ms",
          "srt://host:9000?transtype=live&pkt_size=1316", "srt://host:9000?",
          "srt://h:1?streamid=", "srt://host:9000?tlpktdrop=1&linger=0&Latency=200&timeout=60", "srt://h:9000?&"})
        EXPECT_EQ(secret_parts(address), Parts{}) << address;
}

TEST(SecretAddress, an_address_is_said_to_carry_a_secret_only_when_it_does) {
    for (const char* address : {"srt://host:9000?passphrase=abc", "SRT://host:9000?mode=caller&srt_streamid=a",
                                "srt://me:pass@host:9000", "rtmp://host/live/key", "https://host/a?token=b"})
        EXPECT_TRUE(carries_secret(address)) << address;
    for (const char* address : {"srt://host:9000?foo=1", "srt://host:9000?streamid=", "srt://host:9000/live",
                                "srt://host:9000", "rtmp://host/live", "passphrase=abc", ""})
        EXPECT_FALSE(carries_secret(address)) << address;
}

TEST(Redactor, hides_streamid_and_passphrase_of_an_address_and_leaves_the_rest) {
    Redactor redactor;
    redactor.hide_in_address("srt://host:9000?mode=listener&passphrase=0123456789&streamid=%23!::r=live%2Froom");
    EXPECT_EQ(redactor.clean("srt://host:9000?mode=listener&passphrase=0123456789"),
              "srt://host:9000?mode=listener&passphrase=***");
    EXPECT_EQ(redactor.clean("asked for #!::r=live/room"), "asked for ***");
    EXPECT_EQ(redactor.clean("asked for %23!::r=live%2Froom"), "asked for ***");
    EXPECT_EQ(redactor.clean("xx0123456789xx"), "xx***xx");
}

TEST(SecretAddress, a_bare_address_with_a_query_is_no_key_and_value) {
    EXPECT_EQ(value_of_word("rtmp://host/live/abc?t=1"), "rtmp://host/live/abc?t=1");
    EXPECT_EQ(value_of_word("url=rtmp://host/live/abc?t=1"), "rtmp://host/live/abc?t=1");
    EXPECT_EQ(value_of_word("key=?t=1&u=2"), "?t=1&u=2");
    EXPECT_EQ(value_of_word("bare"), "bare");
    EXPECT_EQ(value_of_word("key="), "");
}

TEST(Redactor, hides_a_secret_however_it_is_encoded) {
    Redactor redactor;
    redactor.hide("live_9527?a=b&c");
    EXPECT_EQ(redactor.clean("publish live_9527?a=b&c now"), "publish *** now");
    EXPECT_EQ(redactor.clean("publish live_9527%3Fa%3Db%26c now"), "publish *** now");
    EXPECT_EQ(redactor.clean("publish live_9527%3fa=b%26c now"), "publish *** now");
    EXPECT_EQ(redactor.clean("xlive_9527?a=b&cx"), "x***x") << "whatever it is glued to";
    EXPECT_EQ(redactor.clean("9527?a=b&c"), "9527?a=b&c") << "a part that is no secret by itself";
    EXPECT_EQ(redactor.clean("%6Cive_952%37%3"), "***%3") << "its name, cut short behind";
}

TEST(Redactor, hides_name_and_values_of_a_key_by_themselves) {
    Redactor redactor;
    redactor.hide("?streamname=live_1&key=0123456789abcdef0123456789abcdef&pflag=1&schedule=rtmp");
    EXPECT_EQ(redactor.clean("key 0123456789abcdef0123456789abcdef, live_1, pflag, schedule by rtmp"),
              "key ***, ***, pflag, schedule by rtmp");
    redactor.hide("inst/stream-7123?expire=1699999999");
    EXPECT_EQ(redactor.clean("live/stream-7123 until 1699999999, expire"), "live/*** until ***, expire");
}

TEST(Redactor, hides_a_name_that_holds_signs_of_a_query_by_itself) {
    Redactor redactor;
    redactor.hide("bGl2ZV8xMjM0NTY=?token=0123456789");
    redactor.hide("app&room1?sign=abcdef0123");
    EXPECT_EQ(redactor.clean("no bGl2ZV8xMjM0NTY= here, app&room1"), "no *** here, ***");
}

TEST(Redactor, hides_what_a_streamid_names_by_itself_and_leaves_host_and_kind) {
    Redactor redactor;
    redactor.hide("#!::h=live.example.com,r=live/room-12,m=publish,u=somebody,txSecret=0123,4567:89abcdef&x=fedcba98");
    EXPECT_EQ(redactor.clean("live.example.com: room-12 is busy, somebody will publish live"),
              "live.example.com: *** is busy, *** will publish live");
    EXPECT_EQ(redactor.clean("live/room-12 89abcdef fedcba98"), "*** *** ***");
    redactor.hide("publish:cam/one-1:operator:pass,word:request");
    EXPECT_EQ(redactor.clean("request: publish cam/one-1 of operator"), "request: publish *** of ***");
    EXPECT_EQ(redactor.clean("pass,word, one-1"), "pass,word, one-1") << "too short to be parts";
    redactor.hide("?sign=0123,abcdef99");
    EXPECT_EQ(redactor.clean("sign 0123,abcdef99 of abcdef99"), "sign *** of ***");
}

TEST(Redactor, a_passphrase_of_ten_characters_is_hidden_whatever_it_is_glued_to) {
    Redactor redactor;
    redactor.hide("abc 123 xy");
    redactor.hide("sixsix");
    EXPECT_EQ(redactor.clean("passphrase=abc 123 xyz asixsix"), "passphrase=***z a***");
}

TEST(Redactor, short_secrets_are_hidden_as_whole_words_and_words_of_three_letters_are_no_secrets) {
    Redactor redactor;
    redactor.hide("live");
    redactor.hide("key");
    EXPECT_EQ(redactor.clean("live: delivery of live/live1, key"), "***: delivery of ***/live1, key");
}

TEST(Redactor, the_longer_of_two_secrets_is_found_first) {
    Redactor redactor;
    redactor.hide("abcdefgh");
    redactor.hide("abcdefghijkl");
    EXPECT_EQ(redactor.clean("abcdefghijkl abcdefgh"), "*** ***");
}

TEST(Redactor, keeps_host_and_app_of_an_address) {
    Redactor redactor;
    redactor.hide_in_address("rtmp://me:password@host/live/abcdefgh");
    EXPECT_EQ(redactor.clean("rtmp://me:password@host/live/abcdefgh: refused"), "rtmp://***@host/live/***: refused");
}

class SecretSourceTest : public testing::Test {
protected:
    SecretSourceTest() {
        std::string name = (fs::temp_directory_path() / "ringcast-secret-XXXXXX").string();
        folder = mkdtemp(name.data());
    }
    ~SecretSourceTest() override { fs::remove_all(folder); }

    [[nodiscard]] std::string file(const std::string& text) const {
        std::ofstream(folder / "key", std::ios::binary) << text;
        return "file:" + (folder / "key").string();
    }
    static std::string refusal(const std::string& value) {
        try {
            static_cast<void>(SecretSource::parse("key", value)->take());
        } catch (const UsageError& error) {
            EXPECT_EQ(std::string(error.what()).find("s3cret"), std::string::npos) << error.what();
            return error.what();
        }
        return "none";
    }

    fs::path folder;
};

TEST_F(SecretSourceTest, a_file_gives_its_line_without_the_end) {
    EXPECT_EQ(SecretSource::parse("key", file("s3cret\n"))->take(), "s3cret");
    EXPECT_EQ(SecretSource::parse("key", file("s3cret\r\n"))->take(), "s3cret");
    EXPECT_EQ(SecretSource::parse("key", file("s3cret\r\n\r\n\n"))->take(), "s3cret") << "empty lines behind it";
    EXPECT_EQ(SecretSource::parse("key", file(" s3cret "))->take(), " s3cret ");
    EXPECT_EQ(SecretSource::parse("key", file(std::string(4096, 'x') + "\n"))->take(), std::string(4096, 'x'));
}

TEST_F(SecretSourceTest, what_is_wrong_with_a_file_is_told_with_its_path) {
    const std::string path = (folder / "key").string();
    const auto expect = [&](const std::string& text, const std::string& reason) {
        const std::string line = refusal(file(text));
        EXPECT_NE(line.find("key=file:" + path), std::string::npos) << line;
        EXPECT_NE(line.find(reason), std::string::npos) << line;
    };
    expect("", "is empty");
    expect("\n", "is empty");
    expect(std::string("s3cret\0more", 11), "NUL");
    expect("s3cret\ns3cret2\n", "more than one line");
    expect(std::string(4097, 'x'), "longer than 4096 bytes");
    expect(std::string(1000000, 'x'), "longer than 4096 bytes");
    fs::remove(path);
    EXPECT_NE(refusal("file:" + path).find("No such file"), std::string::npos);
    EXPECT_NE(refusal("file:" + folder.string()).find("directory"), std::string::npos);
}

TEST_F(SecretSourceTest, a_pipe_is_read_to_its_end_and_not_again) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    ASSERT_EQ(write(ends[1], "s3cret\n", 7), 7);
    close(ends[1]);
    const auto source = SecretSource::parse("key", "file:/dev/fd/" + std::to_string(ends[0]));
    EXPECT_EQ(source->take(), "s3cret");
    EXPECT_EQ(source->look_again(), std::nullopt);
    close(ends[0]);
}

TEST_F(SecretSourceTest, an_environment_variable_is_erased_once_it_is_read) {
    setenv("RINGCAST_TEST_KEY", "s3cret", 1);
    const char* memory = getenv("RINGCAST_TEST_KEY");
    EXPECT_EQ(SecretSource::parse("key", "env:RINGCAST_TEST_KEY")->take(), "s3cret");
    EXPECT_EQ(std::string(memory), "") << "what /proc/PID/environ shows";
    EXPECT_EQ(getenv("RINGCAST_TEST_KEY"), nullptr);
    const std::string line = refusal("env:RINGCAST_TEST_KEY");
    EXPECT_NE(line.find("key=env:RINGCAST_TEST_KEY: there is no such environment variable"), std::string::npos) << line;
    setenv("RINGCAST_TEST_KEY", "", 1);
    EXPECT_NE(refusal("env:RINGCAST_TEST_KEY").find("is empty"), std::string::npos);
}

TEST_F(SecretSourceTest, a_file_is_read_again_and_its_mode_looked_at) {
    const auto source = SecretSource::parse("key", file("one\n"));
    EXPECT_EQ(source->look_again(), "one");
    static_cast<void>(file("two\n"));
    EXPECT_EQ(source->look_again(), "two");
    chmod((folder / "key").c_str(), 0604);
    EXPECT_TRUE(source->is_open_to_all());
    chmod((folder / "key").c_str(), 0640);
    EXPECT_FALSE(source->is_open_to_all());
}

TEST_F(SecretSourceTest, a_literal_is_no_source_and_half_a_source_is_told) {
    EXPECT_FALSE(SecretSource::parse("key", "environment").has_value());
    EXPECT_THROW(SecretSource::parse("key", "env:"), UsageError);
    EXPECT_THROW(SecretSource::parse("key", "file:"), UsageError);
}

TEST(SecretValue, a_blank_in_it_is_found_wherever_it_stands) {
    EXPECT_STREQ(blank_in(" s3cret"), "in front of");
    EXPECT_STREQ(blank_in("s3cret "), "at the end of");
    EXPECT_STREQ(blank_in("s3 cret"), "inside");
    EXPECT_STREQ(blank_in("\xef\xbb\xbfs3cret"), "in front of") << "a byte order mark";
    EXPECT_STREQ(blank_in("s3cret\xc2\xa0"), "at the end of") << "a no-break space";
    EXPECT_EQ(blank_in("s3cret"), nullptr);
    EXPECT_EQ(blank_in("\xe6\x95\xb0"), nullptr) << "letters of any script";
}

class CommandLineTest : public testing::Test {
protected:
    /// A descriptor from which `value` can be read, as "fd:N".
    static std::string handed(const std::string& value) { return hand_over(value); }
    static std::vector<std::string> words_of(std::vector<std::string> words) {
        words.insert(words.begin(), "ringcast-sink");
        std::vector<char*> arguments;
        arguments.reserve(words.size());
        for (std::string& word : words)
            arguments.push_back(word.data());
        Redactor redactor;
        return CommandLine(static_cast<int>(arguments.size()), arguments.data(), redactor).words();
    }
};

TEST_F(CommandLineTest, reads_a_descriptor_that_the_command_handed_over_and_no_other) {
    const std::string value = handed("rtmp://host/live/abc");
    const std::string other = handed("not to be read");
    EXPECT_EQ(words_of({"secretive", "url=" + value, handed_flag(value), other, "path=" + other}),
              (std::vector<std::string>{"secretive", "url=rtmp://host/live/abc", other, "path=" + other}));
    const int fd = *handed_descriptor(other);
    EXPECT_EQ(read_value(fd, "other"), "not to be read");
    close(fd);
}

TEST_F(CommandLineTest, hides_a_secret_as_it_was_meant_as_well) {
    std::string word = "url=rtmp://host/live/na%6De?t=%30123456789";
    std::array<char*, 2> arguments{word.data(), word.data()};
    Redactor redactor;
    const CommandLine line(2, arguments.data(), redactor);
    EXPECT_EQ(redactor.clean("na%6De?t=%30123456789, name?t=0123456789, 0123456789"), "***, ***, ***");
    EXPECT_EQ(std::string(word.c_str()), "url=rtmp://host/live/***");
}

TEST(HandedValue, is_a_source_of_a_secret_and_of_nothing_else) {
    const auto source = SecretSource::parse("key", hand_over("s3cret\n"));
    ASSERT_TRUE(source);
    EXPECT_EQ(source->take(), "s3cret");
    EXPECT_EQ(source->look_again(), std::nullopt);
    EXPECT_THROW(static_cast<void>(source->take()), UsageError) << "it was closed";
}

TEST(HandedValue, travels_by_descriptor) {
    const std::string word = hand_over("rtmp://host/live/abc");
    const auto fd = handed_descriptor(word);
    ASSERT_TRUE(fd.has_value());
    EXPECT_EQ(fcntl(*fd, F_GETFD), 0) << "the next process inherits it";
    EXPECT_EQ(read_value(*fd, "url"), "rtmp://host/live/abc");
    close(*fd);
    EXPECT_THROW(read_value(*fd, "url"), UsageError);
    EXPECT_FALSE(handed_descriptor("fd:").has_value());
    EXPECT_FALSE(handed_descriptor("fd:1x").has_value());
    EXPECT_FALSE(handed_descriptor("3").has_value());
}

}  // namespace
}  // namespace ringcast::host
