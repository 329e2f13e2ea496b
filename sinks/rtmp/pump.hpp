// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "mux/unique_fd.hpp"
#include "rtmp/patience.hpp"
#include "rtmp/transport.hpp"

namespace ringcast::sink {

/// How a connection ended.
enum class PumpEnd {
    open,          ///< it has not
    finished,      ///< our end was closed and everything was handed to the network
    peer_closed,   ///< the server closed it in order
    lost,          ///< an error of the network
    timed_out,     ///< stop_at() came
    interrupted,   ///< the stop signal came
    broken_inside  ///< our end failed; a bug
};

/// Carries bytes between librtmp, which only knows blocking sockets, and the network, on a thread of its own: librtmp
/// gets one end of a socket pair. So a send that blocks for ever can be abandoned, and the server is read from while it
/// does. Life cycle: the near end belongs to whoever takes it. The thread ends by itself when either side does; then
/// the near end reads what had come in and an end, and cannot be written to. finish() once or never. Thread safety:
/// stop_at, never_stop, end and reason from any thread.
class Pump {
public:
    /// `sent` counts bytes handed to the network. `stop` and `sent` outlive the pump.
    Pump(Transport transport, const StopSignal& stop, std::atomic<std::uint64_t>& sent);
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;
    /// Breaks off what is under way.
    ~Pump();

    [[nodiscard]] int take_near_end() noexcept { return near_.release(); }

    void stop_at(std::chrono::steady_clock::time_point end);
    /// After the near end was closed: waits until all is sent and the server closed too, or stop_at() comes.
    void finish();
    /// While the network takes less than there is, waits until all that was taken from the near end is sent, or it
    /// ends.
    void wait_while_congested();
    void never_stop() { stop_at(std::chrono::steady_clock::time_point::max()); }

    [[nodiscard]] PumpEnd end() const;
    /// The network's own words when the end is `lost`.
    [[nodiscard]] std::string reason() const;
    /// All that was put into the near end is in the kernel of the server, or of a proxy.
    [[nodiscard]] bool is_taken() const;
    /// The TCP socket, for its figures; valid as long as the pump.
    [[nodiscard]] int socket() const noexcept { return transport_.fd(); }

private:
    void run();
    bool carry();
    bool wait(short& far, short& network);
    bool take_outgoing();
    bool send_outgoing();
    bool receive();
    bool hand_in();
    bool over(PumpEnd end, int error = 0);
    void set_congested(bool congested);
    [[nodiscard]] int timeout_ms() const;

    Transport transport_;
    const StopSignal& stop_;
    std::atomic<std::uint64_t>& sent_;
    UniqueFd near_;
    UniqueFd far_;
    StopSignal wake_;
    std::atomic<std::chrono::steady_clock::time_point> stop_at_{std::chrono::steady_clock::time_point::max()};

    // Of the thread alone.
    std::vector<std::uint8_t> outgoing_;
    std::size_t outgoing_at_ = 0;
    std::vector<std::uint8_t> incoming_;
    bool near_closed_ = false;
    bool peer_closed_ = false;

    std::atomic<bool> congested_{false};
    std::condition_variable changed_;
    mutable std::mutex mutex_;
    PumpEnd end_ = PumpEnd::open;
    int error_ = 0;
    std::thread thread_;
};

}  // namespace ringcast::sink
