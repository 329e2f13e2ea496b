// SPDX-License-Identifier: Apache-2.0
/// A raw HTTP/1.1 client on the loopback: sends the bytes it is given, so that tests can misbehave.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ringcast::test {

struct HttpAnswer {
    int status = 0;                              ///< 0: the server closed or fell silent
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
};

class HttpClient {
public:
    /// `url` as the sink announces it: http://127.0.0.1:PORT/
    explicit HttpClient(const std::string& url);
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    ~HttpClient();

    void send(std::string_view bytes);

    /// Reads one answer; `head`: it has no body whatever its length says.
    HttpAnswer receive(bool head = false);

    /// Sends a request line with Host and the headers given ("Range: bytes=0-1\r\n") and reads the answer.
    HttpAnswer request(const std::string& method, const std::string& target, const std::string& headers = {});
    HttpAnswer get(const std::string& target, const std::string& headers = {}) {
        return request("GET", target, headers);
    }

    /// True when bytes (or the end) arrive within the time.
    [[nodiscard]] bool has_answer_within(int milliseconds) const;

private:
    bool fill();

    int fd_ = -1;
    std::string pending_;
};

}  // namespace ringcast::test
