"""A module for worker processes that tries what a worker must not be able to do."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

SAMPLE = {"do": "echo", "what": 0}


def answer(request: dict[str, Any]) -> Any:
    what = request["do"]
    if what == "echo":
        return request["what"]
    if what == "pid":
        return os.getpid()
    if what == "sleep":
        time.sleep(60)
    if what == "spin":
        while True:
            pass
    if what == "memory":
        return len(bytearray(3 * 1024**3))
    if what == "flood":
        return "x" * 100 * 1024**2
    if what == "die":
        os._exit(3)
    try:
        return attempt(what)
    except OSError:
        return "refused"


def attempt(what: str) -> str:
    if what == "read":
        return Path(__file__).read_text()
    if what == "write":
        return tempfile.mkstemp()[1]
    if what == "socket":
        return str(socket.create_connection(("127.0.0.1", 1)))
    if what == "environment":
        return os.environ.get("API_KEY", "refused")
    raise AssertionError(what)
