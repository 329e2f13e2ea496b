// SPDX-License-Identifier: Apache-2.0
/// One function per verb of the `ringcast` command, each in the file of its name. It adds its verb to the command;
/// called, the verb runs and stores its exit code.
#pragma once

namespace ringcast::host {
class Command;
}

namespace ringcast::tools {

/// Exit codes of every verb.
enum ExitCode : int {
    kExitOk = 0,
    kExitFailure = 1,  ///< the thing asked for could not be done; stderr has one line that names it and the fix
    kExitUsage = 2,    ///< wrong words on the command line
};

void add_sink(host::Command& command, int& exit_code);
void add_ls(host::Command& command, int& exit_code);
void add_info(host::Command& command, int& exit_code);
void add_tail(host::Command& command, int& exit_code);
void add_top(host::Command& command, int& exit_code);
void add_snapshot(host::Command& command, int& exit_code);
void add_cat(host::Command& command, int& exit_code);
void add_doctor(host::Command& command, int& exit_code);
void add_clean(host::Command& command, int& exit_code);
void add_plugins(host::Command& command, int& exit_code);
void add_testsrc(host::Command& command, int& exit_code);
void add_avatar(host::Command& command, int& exit_code);
void add_ingest(host::Command& command, int& exit_code);
void add_completion(host::Command& command, int& exit_code);

}  // namespace ringcast::tools
