"""A process that has loaded what it needs and forks a child for every line it reads, so that a child can be killed without loading anew.

`serve` is its loop: it prints the child's pid, and `exit STATUS` when the child has ended. `ForkServer` is who talks to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROGRAMS = Path(__file__).resolve().parent


def serve(act: Callable[..., None]) -> None:
    """Call `act` in a child with the values of each line, which is a JSON object."""
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                act(**json.loads(line))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(f"exit {status}", flush=True)


class ForkServer:
    """Runs a program of this folder whose main function is `serve`."""

    def __init__(self, program: str) -> None:
        path = os.pathsep.join(filter(None, [str(PROGRAMS.parent), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": path}
        command = [sys.executable, str(PROGRAMS / program)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        assert self._read() == "ready"

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line, "the server ended; its traceback is on standard error"
        return line

    def begin(self, **values: Any) -> int:
        """Start a child; returns its pid."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(values, default=str) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def status(self) -> int:
        """Wait for the child's end; its status as `os.waitpid` gives it."""
        return int(self._read().removeprefix("exit "))

    def wait(self) -> bool:
        """Whether the child came to its end; False where it was killed. A child that fails by itself is an error."""
        status = self.status()
        assert os.WIFSIGNALED(status) or status == 0, "the child failed by itself; its traceback is on standard error"
        return status == 0

    def run(self, *, after: float | None = None, **values: Any) -> bool:
        """Run a child to its end, or kill it after so many seconds; whether it came to its end."""
        child = self.begin(**values)
        if after is not None:
            time.sleep(after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return self.wait()

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()
