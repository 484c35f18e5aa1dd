"""`serve_app`: the gateway on a socket, within the limits of the process and of its log."""

from __future__ import annotations

import logging
import socket
import sys
import time

import uvicorn
from fastapi import FastAPI

from ...core import StoreError
from ...core.settings import GatewaySettings
from .connections import ConnectionGuard, guarded

BACKLOG = 128
"""Connections that the kernel holds for us; asyncio takes them all in one turn, so the file limit must allow as many."""

SPARE_FILES = 192
"""Descriptors for everything but clients: the record, the index, models, the log."""

MOST_FILES = 65_536
"""As many open files as the process asks for, where the machine allows it."""

SWITCH_SECONDS = 0.0005
"""How long one thread may keep the interpreter while another waits for it. With Python's own 5 ms, connections wait for the threads of
perception and recall: beside one that works all the time the event loop is late by 3.9 ms on average, so by 2.1 ms, at the same work."""

KEEP_ALIVE_SECONDS = 15
SHUTDOWN_SECONDS = 10


class BoundedLog(logging.Filter):
    """Lets at most `most` records through in each `seconds`, and says how many it held back."""

    def __init__(self, most: int = 60, seconds: float = 60) -> None:
        super().__init__()
        self._most = most
        self._seconds = seconds
        self._since = 0.0
        self._count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter`."""
        now = time.monotonic()
        if now - self._since > self._seconds:
            held, self._since, self._count = max(0, self._count - self._most), now, 0
            if held:
                record.msg, record.args = f"{record.getMessage()} ({held} earlier messages were left out)", ()
        self._count += 1
        return self._count <= self._most


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address; clients are refused until it is served. Raises `StoreError` where the port is taken."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise StoreError(f"port {port} of {host} cannot be opened ({error.strerror}); choose another with --port") from None
    return bound


def connection_limit(settings: GatewaySettings, files: int) -> int:
    """Most connections: as set, enough for every request that may run or wait, and within the limit of open files."""
    wanted = max(settings.max_connections, settings.max_running + settings.max_waiting + 64)
    return max(2, min(wanted, files - BACKLOG - SPARE_FILES - settings.max_running))


def raise_file_limit() -> int:
    """Ask for as many open files as the machine allows, at most `MOST_FILES`; returns the limit that holds."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return MOST_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return MOST_FILES if soft == resource.RLIM_INFINITY else soft


def switch_often() -> None:
    """Let the thread that serves connections have the interpreter soon, whatever the threads beside it do. Holds for the process."""
    sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))


def make_server(app: FastAPI, settings: GatewaySettings, *, lifespan: str = "on") -> uvicorn.Server:
    """A server for the gateway with every limit in place; `run(sockets=[...])` starts it."""
    guard = ConnectionGuard(
        max_connections=connection_limit(settings, raise_file_limit()),
        head_seconds=settings.head_seconds,
        body_seconds=settings.body_seconds,
    )
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=guarded(guard),
        ws="none",
        lifespan=lifespan,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        server_header=False,
    )
    bound_logs()
    return uvicorn.Server(config)


def bound_logs() -> None:
    """Bound the logs that a client can make grow: uvicorn's, and asyncio's, which reports every failed accept."""
    for name in ("uvicorn.error", "asyncio"):
        log = logging.getLogger(name)
        if not any(isinstance(one, BoundedLog) for one in log.filters):
            log.addFilter(BoundedLog())
