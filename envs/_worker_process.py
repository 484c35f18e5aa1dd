"""The worker process: answers one request a line, within limits that hold for whatever the request makes it compute.

Run as `python -c ... MODULE`, where the module has `answer(request)` and `SAMPLE`, a request that makes it import all it needs.
Requests and replies are lines of JSON. When its limits are set the process can open neither a file nor a socket. Where the kernel
lets every user make namespaces (Linux), the process is besides in a network of its own that has no device, and may not gain rights.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import resource
import sys
from importlib import import_module
from typing import Any

CPU_SECONDS = 3
"""Processor time of one request."""
MEMORY_BYTES = 2 * 1024**3
"""Address space of the process."""
_NAMESPACES = 0x10000000 | 0x40000000 | 0x08000000 | 0x04000000
"""`unshare(2)`: user, network, IPC and host name. `os.unshare` is there from Python 3.12 on only."""
_NO_NEW_PRIVILEGES, _DUMPABLE = 38, 4
"""Options of `prctl(2)`."""


def main() -> None:
    """Serve the module named on the command line until standard input ends."""
    module: Any = import_module(sys.argv[1])
    json.dumps(module.answer(module.SAMPLE))
    # After everything is imported: files that only a privilege lets us read cannot be read in a user namespace.
    _isolate()
    _limit()
    for line in sys.stdin.buffer:
        _renew_processor_time()
        reply = json.dumps(module.answer(json.loads(line)))
        sys.stdout.buffer.write(reply.encode() + b"\n")
        sys.stdout.buffer.flush()


def _isolate() -> None:
    """Leave the network and the rights of who started us behind. Where the system refuses, the limits hold alone."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.unshare(_NAMESPACES)
        # No other process of this user may look into its memory; set last, since a change of credentials sets it anew.
        libc.prctl(_DUMPABLE, 0, 0, 0, 0)


def _limit() -> None:
    # Descriptors 0 to 2 are open; with a limit of 3 no further one can be, for a file as little as for a socket.
    for kind, most in (
        (resource.RLIMIT_NOFILE, 3),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        # Not every system knows every limit (macOS has no RLIMIT_AS to speak of); the deadline outside holds everywhere.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


def _renew_processor_time() -> None:
    """The limit counts from the start of the process, so it moves along; who passes it is killed by the system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    most, hard = int(usage.ru_utime + usage.ru_stime) + 1 + CPU_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
