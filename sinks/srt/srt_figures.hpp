// SPDX-License-Identifier: Apache-2.0
/// The figures of SRT connections, as the inspector shows them.
#pragma once

#include <chrono>
#include <string>

#include "mux/host.hpp"
#include "srt/srt_socket.hpp"

namespace ringcast::sink {

/// How often they are taken and shown.
inline constexpr std::chrono::milliseconds kFiguresEvery{500};

/// Adds what is counted, so that the sum over connections never falls; takes the larger of what is measured.
void add_figures(srt::SrtFigures& sum, const srt::SrtFigures& one);
/// Only what is counted.
void add_counts(srt::SrtFigures& sum, const srt::SrtFigures& one);

/// `prefix`: "" for the sink as a whole, "client.3." for one of a listener.
void show_figures(const Host& host, const std::string& prefix, const srt::SrtFigures& figures);
/// Takes back what was measured: there is no connection. With `counts` the rest, too.
void withdraw_figures(const Host& host, const std::string& prefix, bool counts);

}  // namespace ringcast::sink
