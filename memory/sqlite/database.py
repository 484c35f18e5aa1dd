"""One SQLite file in WAL mode behind one lock, with every failure named."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...core import StoreError
from .schema import STEPS, VERSION, add_functions

BUSY_SECONDS = 30.0
"""How long a writer waits for another process before it gives up."""

LOG_PAGES = 256
"""Pages (1 MiB) of the write-ahead log after which they are moved into the file: a small home stays small."""

SCRUB_SECONDS = 5.0
"""How long an erasure waits for readers of the old log."""


class Database:
    """Two connections shared by all threads of a process, each behind a lock; processes share the file through WAL.

    One writes and one reads, so that no read waits for a commit to reach the disk; a thread inside a transaction reads what it has
    written. Not one a thread: SQLite has one writer anyway, reads here take microseconds, and nothing is left open when a thread dies.
    Do not use it across `fork`. Every method raises `StoreError` when the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._read_lock = threading.RLock()
        self._writing = threading.local()
        self._waiting: list[Callable[[], object]] = []
        with self._named():
            make_private(path)
            self._connection = self._connected()
        try:
            with self._named():
                self._prepare()
                self._reader = self._connected()
                add_functions(self._reader)
                self._reader.execute("PRAGMA query_only=ON")
        except StoreError:
            self._connection.close()
            raise

    def _connected(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    def _prepare(self) -> None:
        self._enter_wal()
        add_functions(self._connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", f"wal_autocheckpoint={LOG_PAGES}"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self.transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise StoreError(f"{self.path} has format {version}, this program reads up to {VERSION}; use the newer program")
            if version < VERSION:
                for statement in (statement for step in STEPS[version:] for statement in step):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={VERSION}")

    def _enter_wal(self) -> None:
        # Switching to WAL does not wait by the busy timeout when two processes create the file at once.
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when the block is left; a block inside a block joins it.

        Where not `synced`, it is on disk with the next transaction that is: for what is made anew where it is lost, as indexes are. A
        process that is killed loses nothing, a machine that loses power may lose it whole.
        """
        with self._lock, self._named():
            if self._connection.in_transaction:
                yield self._connection
                return
            if not synced:
                self._connection.execute("PRAGMA synchronous=NORMAL")
            self._writing.now = True
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
                waiting = self._waiting
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._writing.now, self._waiting = False, []
                if not synced:
                    self._connection.execute("PRAGMA synchronous=FULL")
        for call in waiting:
            call()

    def after_commit(self, call: Callable[[], object]) -> None:
        """Call when others can read what this thread has written: at once, or behind its transaction; never where that fails."""
        if getattr(self._writing, "now", False):
            self._waiting.append(call)
        else:
            call()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see the record of one moment; no writer waits for it."""
        with self._reading() as connection:
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
            try:
                yield
            finally:
                with suppress(sqlite3.Error):
                    connection.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with self._reading() as connection:
            return connection.execute(sql, values).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """The connection that this thread reads by: inside its own transaction the one that writes."""
        own = getattr(self._writing, "now", False)
        with self._lock if own else self._read_lock, self._named():
            yield self._connection if own else self._reader

    def value(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row, None when there is none."""
        rows = self.rows(sql, values)
        return rows[0][0] if rows else None

    def vacuum(self) -> None:
        """Write the file anew, without any free page."""
        with self._lock, self._named():
            self._connection.execute("VACUUM")

    def scrub(self, seconds: float) -> bool:
        """Empty the write-ahead log, so that what was deleted is in no file any more; whether that was done.

        A process that reads an old state keeps its part of the log; it is waited for at most `seconds`.
        """
        deadline = time.monotonic() + seconds
        while True:
            with self._lock, self._named():
                # Attempts are short, so that this process's own requests are not held up.
                self._connection.execute("PRAGMA busy_timeout=100")
                busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
                self._connection.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")
            if not busy or time.monotonic() > deadline:
                return not busy
            time.sleep(0.05)

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            self._connection.close()
        with self._read_lock:
            self._reader.close()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}; {_advice(str(error))}") from error
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError(f"{self.path}: {error}; check that the directory exists and may be written") from error


def make_private(path: Path) -> None:
    """Make a file and its folder, readable by their owner only; SQLite gives the files beside it the same rights.

    A folder that was there before keeps the rights it has: it may hold what others read.
    """
    if not path.parent.exists():
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if path.stat().st_mode & 0o077:
        with suppress(OSError):
            path.chmod(0o600)


def _advice(message: str) -> str:
    if "full" in message or "disk I/O" in message:
        return "free disk space (nothing recorded before is lost) and run again"
    if "not a database" in message or "malformed" in message or "no such" in message:
        return "the file is damaged: move it away or restore a copy; a new one is made on the next start"
    if "locked" in message or "busy" in message:
        return f"another process held it for more than {BUSY_SECONDS:.0f} s; stop that process"
    if "closed" in message:
        return "the record was closed before; open it again"
    return "check that it is a file which may be written"


def json_array(values: Iterable[str] | Iterable[int]) -> str:
    """Ids or row numbers as one JSON value for `IN (SELECT value FROM json_each(?))`, however many there are."""
    return json.dumps(list(values))
