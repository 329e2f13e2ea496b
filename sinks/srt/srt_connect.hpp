// SPDX-License-Identifier: Apache-2.0
/// How connections come about. All waits end early by SrtPoll::wake().
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "srt/srt_error.hpp"
#include "srt/srt_socket.hpp"

namespace ringcast::srt {

/// Connects as caller or in rendezvous mode, within `limit`. Throws SrtError: transient (nobody answers), rejected
/// (passphrase, streamid, with the peer's reason), interrupted. `prepare` may set further options of the socket.
[[nodiscard]] SrtSocket connect_srt(const SrtAddress& address, SrtPoll& poll, std::chrono::milliseconds limit,
                                    const std::function<void(SRTSOCKET)>& prepare = {});

/// What a peer's refusal means, by the code of srt_getrejectreason().
struct Refusal {
    Failure failure;
    std::string words;
};
[[nodiscard]] Refusal refusal_of(int reason);

struct SrtClient {
    SrtSocket socket;
    std::string address;   ///< "10.0.0.7:41000"
    std::string streamid;  ///< what it asked for; may be a secret
};

/// A listening socket. Who connects waits in it until accept(), encrypted as the address says.
/// Thread safety: none, but that `admit` is called by a thread of libsrt.
class SrtListener {
public:
    /// Asked for each client before it is let in, with its address and the streamid it brings. 0: welcome, else a code
    /// of srt/access_control.h to refuse it with. Must be quick. What it throws refuses the client.
    using Admit = std::function<int(const std::string& client, std::string_view streamid)>;

    /// Binds and listens; `poll` is ready when somebody has come. Throws SrtError(config) when the port is taken, or
    /// the host none of this machine's.
    SrtListener(const SrtAddress& address, SrtPoll& poll, Admit admit,
                const std::function<void(SRTSOCKET)>& prepare = {});
    SrtListener(const SrtListener&) = delete;
    SrtListener& operator=(const SrtListener&) = delete;
    ~SrtListener();

    /// The next client, if one waits.
    [[nodiscard]] std::optional<SrtClient> accept();
    /// Clients that were let in by `admit` and then failed, as one with a wrong passphrase does, or one that went away
    /// before accept().
    [[nodiscard]] std::vector<std::string> take_failed();
    /// Passphrase and key length for those who come from here on.
    void set_encryption(const SrtAddress& address);

    /// Another one than asked for when that was 0.
    [[nodiscard]] std::uint16_t port() const;

private:
    struct Greeted {
        SRTSOCKET socket;
        std::string address;
        std::chrono::steady_clock::time_point since;
    };

    static int on_client(void* self, SRTSOCKET socket, int version, const sockaddr* peer, const char* streamid);
    int greet(SRTSOCKET socket, const sockaddr* peer, std::string_view streamid);

    Admit admit_;
    std::mutex mutex_;
    SrtAddress address_;            ///< what encrypts the next client
    std::vector<Greeted> greeted_;  ///< let in, and neither accepted nor failed yet
    SrtSocket socket_;              ///< last: its callbacks use the rest
};

}  // namespace ringcast::srt
