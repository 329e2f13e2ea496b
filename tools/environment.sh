# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by tools/setup, tools/demo and tests/run: the system's tool chain, whatever the calling shell was set up for.

# Debian's compiler, CMake and Python come first, so that CMake (which derives its search prefixes from PATH) does not
# pick libraries out of a conda, pyenv or virtualenv tree. Node may still come from the user's own place, behind them.
export PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH"
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP VIRTUAL_ENV
if [[ -n ${CONDA_PREFIX-} ]]; then
    # An activated conda compiler package sets all of these.
    unset CC CXX CPP LD AR CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CMAKE_ARGS CMAKE_PREFIX_PATH PKG_CONFIG_PATH
    unset CONDA_PREFIX LD_LIBRARY_PATH
fi
# Another checkout of the same sources finds what this one compiled.
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR="${CCACHE_BASEDIR-$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)}"

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}
