# SPDX-License-Identifier: Apache-2.0
"""Write video frames and sound into a ringcast shared-memory bus.

>>> with ringcast.Producer("talk", size=(512, 512), fps=25, rate=16000) as out:   # doctest: +SKIP
...     out.write_video(frame)
...     out.write_audio(samples)
"""

from ._errors import (
    BusyError,
    DamagedError,
    EndedError,
    Error,
    ForkedError,
    InvalidArgumentError,
    NoSpaceError,
    NotFoundError,
    PermissionDeniedError,
    SystemCallError,
    TooLargeError,
    UnsupportedError,
)
from ._native import version as _version
from ._producer import Producer

__version__: str = _version()

__all__ = [
    "BusyError",
    "DamagedError",
    "EndedError",
    "Error",
    "ForkedError",
    "InvalidArgumentError",
    "NoSpaceError",
    "NotFoundError",
    "PermissionDeniedError",
    "Producer",
    "SystemCallError",
    "TooLargeError",
    "UnsupportedError",
]
