// SPDX-License-Identifier: Apache-2.0
/// One function per verb of the `ringcast` command, each in the file of its name. It adds its subcommand to the app;
/// the subcommand's callback runs the verb and stores the exit code.
#pragma once

#include <CLI/CLI.hpp>

namespace ringcast::tools {

/// Exit codes of every verb.
enum ExitCode : int {
    kExitOk = 0,
    kExitFailure = 1,  ///< the thing asked for could not be done; stderr has one line that names it and the fix
    kExitUsage = 2,    ///< wrong words on the command line
};

void add_sink(CLI::App& app, int& exit_code);
void add_ls(CLI::App& app, int& exit_code);
void add_info(CLI::App& app, int& exit_code);
void add_tail(CLI::App& app, int& exit_code);
void add_top(CLI::App& app, int& exit_code);
void add_snapshot(CLI::App& app, int& exit_code);
void add_cat(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);
void add_clean(CLI::App& app, int& exit_code);
void add_plugins(CLI::App& app, int& exit_code);
void add_testsrc(CLI::App& app, int& exit_code);
void add_avatar(CLI::App& app, int& exit_code);
void add_ingest(CLI::App& app, int& exit_code);
void add_completion(CLI::App& app, int& exit_code);

}  // namespace ringcast::tools
