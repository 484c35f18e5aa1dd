"""`TurnIndex`: turns nearest in meaning, one partition a tenant; what is in it can be read again from the record at any time."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from ...numerics.arrays import Vector
from .partition import Partition, sample_size

if TYPE_CHECKING:
    from ..sqlite.record import Record

INLINE = 2048
"""Turns that a request reads itself; a thread reads the rest."""
SLICE = 2048
"""Turns that the thread reads at a time: a request waits for the file no longer than these take."""
TENANTS = 64
"""Tenants whose vectors stay in memory; those that waited longest are read again when needed."""
FLAT_LIMIT = 1 << 15
"""Turns up to which search is exact; above, the nearest cells are searched."""
PROBE = 128
"""Cells searched. Of 100 000 turns of made words, the hardest case since nothing but shared words brings them near, 93 % of the ten nearest
are found in 1.7 ms of one core, and 83 % in 0.7 ms with 32 cells; chosen on these made turns."""
GROWTH = 4
"""Cells are chosen anew when there are so many times as many turns as they were chosen for."""

_log = logging.getLogger(__name__)


class _Tenant:
    """One tenant's partition and how far the record was read."""

    def __init__(self, partition: Partition | None = None) -> None:
        # An empty partition is false, and may have cells all the same.
        self.partition = Partition() if partition is None else partition
        self.last = 0
        self.worker: threading.Thread | None = None
        self.reading = threading.Lock()
        """Held by whoever takes in rows; a request that finds it taken searches what is there."""


class TurnIndex:
    """Thread-safe. Turns that were erased stay in it until it is read again; they are never shown, since the record has them no more.

    It is kept in memory alone: no file has to be erased, and a thread reads a million turns in seconds after a start, while recall
    goes by words and by the turns that are there.
    """

    def __init__(self, *, flat_limit: int = FLAT_LIMIT) -> None:
        self._flat_limit = flat_limit
        self._lock = threading.Lock()
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()

    def nearest(self, record: Record, tenant: str, vector: Vector, k: int) -> list[int]:
        """Numbers of the `k` turns of a tenant nearest to a unit vector `(d,)`, nearest first."""
        mine = self._of(tenant)
        behind = False
        if mine.reading.acquire(blocking=False):
            try:
                behind = not self._read(record, tenant, mine, INLINE)
            finally:
                mine.reading.release()
        partition = mine.partition
        with partition.lock:
            numbers, _ = partition.search(vector, k)
        if behind or self._outgrown(mine):
            self._start(record, tenant, mine)
        return [int(number) for number in numbers]

    def wait(self, tenant: str, seconds: float | None = None) -> None:
        """Wait for the thread that reads a tenant's turns, or for so many seconds."""
        worker = self._of(tenant).worker
        if worker is not None:
            worker.join(seconds)

    def forget(self, tenants: list[str]) -> None:
        """Let go of these tenants' vectors, so that nothing erased stays in memory."""
        with self._lock:
            for tenant in tenants:
                self._tenants.pop(tenant, None)

    def _of(self, tenant: str) -> _Tenant:
        with self._lock:
            mine = self._tenants.setdefault(tenant, _Tenant())
            self._tenants.move_to_end(tenant)
            while len(self._tenants) > TENANTS:
                self._tenants.popitem(last=False)
            return mine

    def _read(self, record: Record, tenant: str, mine: _Tenant, limit: int) -> bool:
        """Take in the next turns; whether these were the last. The caller holds `reading`."""
        new = record.turns.since(tenant, mine.last, limit)
        with mine.partition.lock:
            mine.partition.add(new.numbers, new.vectors)
        mine.last = new.last
        return new.complete

    def _outgrown(self, mine: _Tenant) -> bool:
        return len(mine.partition) > (GROWTH * mine.partition.cells_for or self._flat_limit)

    def _start(self, record: Record, tenant: str, mine: _Tenant) -> None:
        with self._lock:
            if mine.worker is None or not mine.worker.is_alive():
                mine.worker = threading.Thread(target=self._work, args=(record, tenant, mine), name="turns", daemon=True)
                mine.worker.start()

    def _work(self, record: Record, tenant: str, mine: _Tenant) -> None:
        try:
            # Where there are many, they are read into cells at once: all in one piece first would take twice the memory.
            if record.turns.count(tenant) > max(self._flat_limit, GROWTH * len(mine.partition)):
                self._divide(record, tenant, mine)
            complete = False
            while not complete:
                with mine.reading:
                    complete = self._read(record, tenant, mine, SLICE)
            if self._outgrown(mine):
                self._divide(record, tenant, mine)
        except Exception as error:
            # The next request tries again; until then what is there is searched.
            _log.warning("the index of what a tenant said could not be read (%s)", error)

    def _divide(self, record: Record, tenant: str, mine: _Tenant) -> None:
        """Read the turns again into cells, centred by an even sample of them; requests search the old ones meanwhile."""
        rows = record.turns.count(tenant)
        stride = max(1, rows // max(1, sample_size(rows)))
        numbers, vectors = record.turns.sample(tenant, stride)
        # Rows that repeat others have no embedding: the sample tells how many have one.
        count = stride * len(numbers)
        if count <= self._flat_limit:
            return
        fresh = _Tenant(Partition.in_cells(vectors, numbers, count, probe=PROBE))
        while not self._read(record, tenant, fresh, SLICE):
            pass
        with mine.reading:
            mine.partition, mine.last = fresh.partition, fresh.last
