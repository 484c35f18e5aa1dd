"""Model-written statements run in worker processes: no network, no files, bounded time and memory, killed from outside."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from typing import Any

from . import _worker_process

WALL_SECONDS = 60.0
"""Seconds after which a worker is killed; the processor time that a request may use ends it long before on a machine that is free."""
MAX_REPLY_BYTES = 64 * 1024**2
"""Bytes of one reply; a worker that writes more is killed."""
_MAX_IDLE = 4
_MAX_REQUESTS = 2_000
_START = "import sys; sys.path[:] = sys.argv.pop().split({!r}); from {} import main; main()"
_KEPT_VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


class WorkerStopped(Exception):
    """The worker was killed, or ended, before it had answered."""


class WorkerPool:
    """Workers that serve one module, started when needed and reused; a worker that had to be killed is replaced by a fresh one.

    Safe under threads: each request has a worker of its own while it runs.
    """

    def __init__(self, module: str, *, wall_seconds: float = WALL_SECONDS) -> None:
        self._module = module
        self._wall_seconds = wall_seconds
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            # A forked child must not write into its parent's pipes.
            os.register_at_fork(after_in_child=self._forget)

    def ask(self, request: Any) -> Any:
        """The reply to a request, both plain JSON. Raises `WorkerStopped` when the worker went over a limit."""
        worker = self._take()
        try:
            reply = worker.ask(request, self._wall_seconds)
        except BaseException:
            worker.kill()
            raise
        with self._lock:
            if worker.requests < _MAX_REQUESTS and len(self._idle) < _MAX_IDLE:
                self._idle.append(worker)
                return reply
        worker.kill()
        return reply

    def close(self) -> None:
        """End the idle workers."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.kill()

    def _take(self) -> _Worker:
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.alive:
                    return worker
                worker.kill()
        return _Worker(self._module)

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._idle = []


class _Worker:
    """One process and its pipes."""

    def __init__(self, module: str) -> None:
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        # Nothing of the environment, where credentials may stand, and no variable that changes how Python runs.
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        self.requests = 0
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", _START.format(os.pathsep, _worker_process.__name__), module, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            # An interrupt at the terminal is for whoever asked, who then closes the pipe.
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Any, seconds: float) -> Any:
        self.requests += 1
        deadline = time.monotonic() + seconds
        self._write(json.dumps(request).encode() + b"\n")
        return json.loads(self._read_line(deadline))

    def kill(self) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            raise WorkerStopped("the worker has ended") from None

    def _read_line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor, parts, size = self._process.stdout.fileno(), list[bytes](), 0
        ready = select.poll()
        ready.register(descriptor, select.POLLIN | select.POLLHUP)
        while not parts or not parts[-1].endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not ready.poll(1000 * left):
                raise WorkerStopped("the deadline has passed")
            parts.append(os.read(descriptor, 1 << 16))
            size += len(parts[-1])
            if not parts[-1] or size > MAX_REPLY_BYTES:
                raise WorkerStopped("the worker went over its limits")
        return b"".join(parts)
