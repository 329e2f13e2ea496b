// SPDX-License-Identifier: Apache-2.0
/// Ways to get whole frames from one writer process to many reader processes, behind one interface, for the benches.
///
/// The order of calls: the constructor in the common parent; then in processes of their own open_writer() and, when
/// that has returned, open_reader(); then prepare(), publish(), receive() and close_writer(). Readers are killed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ringcast::bench {

constexpr std::size_t kFrameBytes = std::size_t{1920} * 1080 * 3;
constexpr unsigned kSlots = 8;

class Transport {
public:
    Transport() = default;
    virtual ~Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    virtual void open_writer() = 0;
    /// Where the next frame goes: kFrameBytes of memory.
    virtual std::span<std::byte> prepare() = 0;
    /// Hands over what was prepared.
    virtual void publish() = 0;
    /// The way this transport copies a ready frame in and hands it over.
    virtual void send(std::span<const std::byte> frame);
    virtual void close_writer() {}

    virtual void open_reader(unsigned number) = 0;
    /// Waits for the next frame and returns its first eight bytes.
    virtual std::uint64_t receive() = 0;
};

/// Throws std::runtime_error when this machine cannot run it. `readers` is how many will open it.
std::unique_ptr<Transport> make_futex_ping(unsigned readers);
std::unique_ptr<Transport> make_ringcast(unsigned readers);
std::unique_ptr<Transport> make_fifo(unsigned readers);
std::unique_ptr<Transport> make_memfd(unsigned readers);
std::unique_ptr<Transport> make_gstreamer(unsigned readers);
std::unique_ptr<Transport> make_iceoryx(unsigned readers);

}  // namespace ringcast::bench
