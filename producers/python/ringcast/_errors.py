# SPDX-License-Identifier: Apache-2.0
"""One exception class per error code of the C API."""

from __future__ import annotations


class Error(Exception):
    """A call into the bus failed. The text is one line: what was attempted, on which object, why, and the fix."""

    code: int = 0
    """The RINGCAST_E_* value."""


class InvalidArgumentError(Error, ValueError):
    """Fix the call."""

    code = -1


class NotFoundError(Error):
    """No such bus or flow."""

    code = -2


class BusyError(Error):
    """Another live producer holds the bus; the text names its pid."""

    code = -3


class DamagedError(Error):
    """An object in shared memory is not what its header says."""

    code = -4


class PermissionDeniedError(Error):
    """The objects of the bus belong to somebody else."""

    code = -5


class NoSpaceError(Error):
    """Shared memory is too small for the depth asked for; the text names the size wanted."""

    code = -6


class TooLargeError(Error):
    """One record is larger than half the ring."""

    code = -7


class UnsupportedError(Error):
    """A newer layout or an unknown format."""

    code = -8


class SystemCallError(Error):
    """A system call failed; its errno text is in the message."""

    code = -9


class ForkedError(Error):
    """The producer belongs to the parent of this forked process."""

    code = -10


class EndedError(Error):
    """end() or close() was called before."""

    code = -11


_BY_CODE: dict[int, type[Error]] = {kind.code: kind for kind in Error.__subclasses__()}


def error_from(code: int, text: str) -> Error:
    """The exception for a return code of the C API."""
    kind = _BY_CODE.get(code)
    return kind(text) if kind is not None else Error(f"{text} (code {code})")
