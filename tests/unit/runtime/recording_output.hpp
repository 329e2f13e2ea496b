// SPDX-License-Identifier: Apache-2.0
/// An Output that keeps what it is given and answers as a test tells it to.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/output.hpp"

namespace ringcast::runtime::test {

struct SeenPacket {
    std::uint32_t stream;
    std::int64_t pts;
    std::int64_t dts;
    std::int64_t duration;
    bool key;
    unsigned connection;  ///< 1 for the first connect()
};

class RecordingOutput final : public Output {
public:
    /// The answers of the next calls, in order; then ok.
    std::deque<OutputStatus> connect_answers;
    std::deque<OutputStatus> packet_answers;
    OutputStatus headers_answer = OutputStatus::ok;
    OutputStatus final_answer = OutputStatus::ok;
    OutputStatus replace_answer = OutputStatus::ok;

    OutputStatus connect() override {
        std::unique_lock lock(mutex_);
        note("connect");
        ++connections_;
        interrupted_ = false;
        opened_.wait(lock, [this] { return !connect_blocked_ || interrupted_; });
        if (connect_blocked_) return OutputStatus::interrupted;
        return next(connect_answers);
    }
    OutputStatus headers(std::span<const StreamInfo> streams) override {
        const std::scoped_lock lock(mutex_);
        note("headers");
        streams_.assign(streams.begin(), streams.end());
        return headers_answer;
    }
    OutputStatus packet(const Packet& packet) override {
        std::unique_lock lock(mutex_);
        opened_.wait(lock, [this] { return !blocked_ || interrupted_; });
        if (blocked_) return OutputStatus::interrupted;
        if (const OutputStatus status = next(packet_answers); status != OutputStatus::ok) return status;
        seen_.push_back({packet.stream, packet.pts, packet.dts, packet.duration, packet.key, connections_});
        if (!swallows_) bytes_ += packet.data().size() + 1;
        return OutputStatus::ok;
    }
    OutputStatus disconnect(bool final) override {
        const std::scoped_lock lock(mutex_);
        note(final ? "disconnect(final)" : "disconnect");
        return final ? final_answer : OutputStatus::ok;
    }
    void interrupt() noexcept override {
        {
            const std::scoped_lock lock(mutex_);
            interrupted_ = true;
        }
        opened_.notify_all();
    }
    [[nodiscard]] std::uint64_t bytes_sent() const override { return bytes_; }
    /// -1: it is no output that peers come to.
    std::atomic<int> audience{-1};
    [[nodiscard]] std::optional<std::uint32_t> peers() const override {
        const int count = audience;
        return count < 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(count));
    }
    [[nodiscard]] std::string waits_for() const override { return "waits for the test"; }
    [[nodiscard]] std::string last_error() const override { return "the test said so"; }

    OutputStatus replace_options(std::span<const std::pair<std::string, std::string>> options) override {
        const std::scoped_lock lock(mutex_);
        for (const auto& [key, value] : options)
            note(std::string("replace ").append(key).append("=").append(value).c_str());
        return replace_answer;
    }

    /// packet() does not return until it is unblocked or interrupted.
    void block(bool on) {
        {
            const std::scoped_lock lock(mutex_);
            blocked_ = on;
        }
        opened_.notify_all();
    }

    /// The same for connect().
    void block_connect(bool on) {
        {
            const std::scoped_lock lock(mutex_);
            connect_blocked_ = on;
        }
        opened_.notify_all();
    }
    /// As if so much had left before.
    void count_sent(std::uint64_t bytes) { bytes_ += bytes; }
    /// Packets are taken, but nothing leaves.
    void swallow(bool on) { swallows_ = on; }

    [[nodiscard]] std::vector<std::string> calls() const {
        const std::scoped_lock lock(mutex_);
        return calls_;
    }
    [[nodiscard]] std::vector<StreamInfo> streams() const {
        const std::scoped_lock lock(mutex_);
        return streams_;
    }
    [[nodiscard]] std::vector<SeenPacket> seen() const {
        const std::scoped_lock lock(mutex_);
        return seen_;
    }
    [[nodiscard]] std::vector<SeenPacket> seen(Media media) const {
        std::vector<SeenPacket> chosen;
        for (const SeenPacket& packet : seen()) {
            if (packet.stream == static_cast<std::uint32_t>(media)) chosen.push_back(packet);
        }
        return chosen;
    }

private:
    void note(const char* call) { calls_.emplace_back(call); }
    static OutputStatus next(std::deque<OutputStatus>& answers) {
        if (answers.empty()) return OutputStatus::ok;
        const OutputStatus status = answers.front();
        answers.pop_front();
        return status;
    }

    mutable std::mutex mutex_;
    std::condition_variable opened_;
    std::vector<std::string> calls_;
    std::vector<StreamInfo> streams_;
    std::vector<SeenPacket> seen_;
    unsigned connections_ = 0;
    bool blocked_ = false;
    bool connect_blocked_ = false;
    std::atomic<bool> swallows_{false};
    bool interrupted_ = false;
    std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace ringcast::runtime::test
