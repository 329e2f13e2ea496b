// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <random>

namespace ringcast::runtime {

struct RetryPolicy {
    std::chrono::milliseconds first{1000};
    double growth = 1.7;
    double jitter = 0.2;  ///< ± part of the delay
    std::chrono::milliseconds longest{30000};
    std::chrono::milliseconds rejected{60000};  ///< once refused twice in a row by a peer that never took anything
    std::chrono::milliseconds healthy{30000};   ///< bytes moved for so long on a connection: back to `first`
    std::chrono::milliseconds accepted{2000};   ///< bytes moved for so long: the peer knows us
};

/// How long to wait before the next attempt. One thread.
class Retry {
public:
    explicit Retry(const RetryPolicy& policy)
        : policy_(policy), delay_(policy.first), random_(std::random_device{}()) {}

    /// The peer is another one, or is told another key.
    void reset();
    /// Another output, or at once for another reason, to the same peer.
    void restart();
    /// A connection is over, on which bytes moved for so long.
    void on_connection(std::chrono::nanoseconds moved);
    void on_lost() { rejections_ = 0; }
    void on_rejected() { ++rejections_; }

    [[nodiscard]] std::chrono::milliseconds next_delay();

private:
    const RetryPolicy policy_;
    std::chrono::milliseconds delay_;
    unsigned rejections_ = 0;
    bool accepted_ = false;  // a refusal is the peer's trouble then (it still holds the connection before), not ours
    std::minstd_rand random_;
};

}  // namespace ringcast::runtime
