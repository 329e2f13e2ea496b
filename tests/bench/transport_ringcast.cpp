// SPDX-License-Identifier: Apache-2.0
/// The bus, and the least any such bus can cost: a futex ping beside a frame in shared memory.
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstring>
#include <stdexcept>

#include "ringcast/producer.hpp"
#include "ringcast/reader.hpp"
#include "transport.hpp"

namespace ringcast::bench {
namespace {

using namespace std::chrono_literals;

class Ringcast final : public Transport {
public:
    Ringcast() : bus_("bench-" + std::to_string(getpid())) {}

    void open_writer() override {
        ProducerOptions options;
        options.bus = bus_;
        options.video = VideoFormat{PixelFormat::rgb24, 1920, 1080, {25, 1}};
        options.video_depth = 320ms;  // kSlots frames
        producer_.emplace(options);
    }
    std::span<std::byte> prepare() override { return producer_->acquire_video(); }
    void publish() override { producer_->commit_video(); }
    void send(std::span<const std::byte> frame) override { producer_->write_video(frame); }
    void close_writer() override { producer_->end(); }

    void open_reader(unsigned number) override {
        ReaderOptions options;
        options.bus = bus_;
        options.name = "reader-" + std::to_string(number);
        reader_ = BusReader::attach(options, -1, std::nullopt);
        flow_ = reader_->flow(FlowKind::video);
    }
    std::uint64_t receive() override {
        std::uint64_t stamp = 0;
        for (;;) {
            const std::uint32_t ticket = reader_->ticket();
            const ReadStatus status = flow_->try_read(
                [&](const Record& record) { std::memcpy(&stamp, record.payload.data(), sizeof stamp); });
            if (status == ReadStatus::ok) return stamp;
            if (status == ReadStatus::not_yet) reader_->wait(ticket, std::chrono::steady_clock::now() + 1s);
        }
    }

private:
    std::string bus_;
    std::optional<Producer> producer_;
    std::unique_ptr<BusReader> reader_;
    FlowReader* flow_ = nullptr;
};

/// Frames in shared memory, a counter and a wake; nothing that makes a bus of it.
class FutexPing final : public Transport {
public:
    FutexPing() {
        void* memory =
            mmap(nullptr, 64 + kSlots * kFrameBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::runtime_error("no memory for the frames");
        counter_ = new (memory) std::atomic<std::uint32_t>(0);
        frames_ = static_cast<std::byte*>(memory) + 64;
    }

    void open_writer() override { std::memset(frames_, 1, kSlots * kFrameBytes); }
    std::span<std::byte> prepare() override { return {slot(counter_->load() + 1), kFrameBytes}; }
    void publish() override {
        counter_->fetch_add(1, std::memory_order_release);
        syscall(SYS_futex, counter_, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
    }

    void open_reader(unsigned) override { seen_ = counter_->load(); }
    std::uint64_t receive() override {
        while (counter_->load(std::memory_order_acquire) == seen_)
            syscall(SYS_futex, counter_, FUTEX_WAIT, seen_, nullptr, nullptr, 0);
        seen_ = counter_->load(std::memory_order_acquire);
        std::uint64_t stamp = 0;
        std::memcpy(&stamp, slot(seen_), sizeof stamp);
        return stamp;
    }

private:
    [[nodiscard]] std::byte* slot(std::uint32_t number) const { return frames_ + (number % kSlots) * kFrameBytes; }

    std::atomic<std::uint32_t>* counter_ = nullptr;
    std::byte* frames_ = nullptr;
    std::uint32_t seen_ = 0;
};

}  // namespace

void Transport::send(std::span<const std::byte> frame) {
    std::memcpy(prepare().data(), frame.data(), frame.size());
    publish();
}

std::unique_ptr<Transport> make_ringcast(unsigned) {
    return std::make_unique<Ringcast>();
}
std::unique_ptr<Transport> make_futex_ping(unsigned) {
    return std::make_unique<FutexPing>();
}

}  // namespace ringcast::bench
