"""The worker process: answers one request a line, within limits that hold for whatever the request makes it compute.

Run as `python -c ... MODULE`, where the module has `answer(request)` and `SAMPLE`, a request that makes it import all it needs.
Requests and replies are lines of JSON. When its limits are set the process can open neither a file nor a socket.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
from importlib import import_module
from typing import Any

CPU_SECONDS = 3
"""Processor time of one request."""
MEMORY_BYTES = 2 * 1024**3
"""Address space of the process."""


def main() -> None:
    """Serve the module named on the command line until standard input ends."""
    module: Any = import_module(sys.argv[1])
    json.dumps(module.answer(module.SAMPLE))
    _limit()
    for line in sys.stdin.buffer:
        _renew_processor_time()
        reply = json.dumps(module.answer(json.loads(line)))
        sys.stdout.buffer.write(reply.encode() + b"\n")
        sys.stdout.buffer.flush()


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
