// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "plugin_instance.hpp"
#include "runtime/pipeline.hpp"
#include "secret_options.hpp"

namespace ringcast::host {

/// Exit codes of ringcast-sink.
enum ExitCode : int {
    kExitOk = 0,
    kExitFailure = 1,  ///< the last error line says what and why
    kExitUsage = 2,    ///< wrong words on the command line
};

/// Before any thread starts: SIGTERM, SIGINT and SIGHUP are kept for run_sink(), SIGPIPE is ignored, and shared memory
/// cut short under us (SIGBUS) becomes one line and exit code 1.
void set_up_signals();

/// Runs the pipeline until it ends by itself or a signal tells it to stop: then the output is finished, for at most 8
/// s, the destruction of the plugin included; a second signal or the 8 s end the process at once with exit code 1.
/// SIGHUP hands the plugin what stands in the files of `secrets` now; when the terminal is gone it stops the sink.
ExitCode run_sink(runtime::PipelineOptions options, std::unique_ptr<PluginInstance> instance, SecretOptions secrets,
                  const std::shared_ptr<spdlog::logger>& log);

}  // namespace ringcast::host
