"""`VectorIndex`: nearest verified episodes by FAISS, a cache that can be made again from the record at any time."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...core.paths import AnyPath
from ...numerics.arrays import Vector
from ..index_files import discard
from ..sqlite.changes import Numbers
from .files import read, read_position, write
from .partition import Partition, sample_size

if TYPE_CHECKING:
    from ..sqlite.record import Record

INLINE = 2048
"""Rows that a request reads itself, some hundredths of a second; a thread reads the rest."""
SLICE = 4096
"""Rows that the thread reads at a time."""
TENANTS = 64
"""Tenants whose vectors stay in memory; those that waited longest are read again when needed."""
ROWS = 1 << 18
"""Vectors of these tenants together, that of the one asked last aside: some 0.4 GB."""
FLAT_LIMIT = 1 << 14
"""Vectors up to which search is exact; above, the nearest cells are searched."""
GROWTH = 4
"""Cells are chosen anew when there are so many times as many vectors as they were chosen for."""
SAVE_SHARE = 8
"""A file is written again when one in so many vectors is not in it."""

_log = logging.getLogger(__name__)


class Hit(NamedTuple):
    """One neighbour."""

    id: str
    """The episode."""
    similarity: float
    """Inner product, for unit vectors the cosine; larger is nearer."""


class VectorIndex:
    """One partition a tenant, over the episodes from which may be learned, kept in `directory` (`record.index_directory`). Thread-safe.

    Exact up to `flat_limit` vectors, in cells above. `follow`, which `recall` calls, does what takes a moment and leaves the rest to a
    thread of its own; until that is done, the newest rows are searched, or those that were there before. What it does on a request
    does not grow with the record. `sync` does all at once. No tenant waits for another's partition.
    """

    def __init__(self, directory: AnyPath, *, flat_limit: int = FLAT_LIMIT) -> None:
        self.directory = Path(directory)
        self.flat_limit = flat_limit
        self._lock = threading.Lock()
        self._partitions: OrderedDict[str, Partition] = OrderedDict()
        self._workers: dict[str, threading.Thread] = {}

    def search(self, record: Record, tenant: str, vector: Vector, k: int, *, least: float = -inf, skip: int = 0) -> list[Hit]:
        """The `k` nearest of the tenant to a unit vector `(d,)`, nearest first; fewer where there are fewer.

        Those less similar than `least` are left out, and the `skip` nearest, which the caller knows already. What was removed from the
        record is not found, whether the index knows of it or not.
        """
        partition = self._get(tenant)
        if partition is None or k < 1:
            return []
        with partition.lock:
            numbers, similarities = partition.search(vector, k)
        wanted = np.flatnonzero(similarities >= least)[skip:]
        ids = record.verified.ids(numbers[wanted].tolist(), tenant=tenant)
        found = dict(zip(numbers[wanted].tolist(), similarities[wanted].tolist(), strict=True))
        return [Hit(ids[number], similarity) for number, similarity in found.items() if number in ids]

    def follow(self, record: Record, tenant: str) -> None:
        """Take in what has come to the record, by `INLINE` rows at most; a thread goes on where there is more to do."""
        partition = self._get(tenant)
        # An empty partition is false, and there all the same.
        if partition is None:
            partition = self._first(record, tenant)
        with partition.lock:
            behind = not self._catch_up(record, tenant, partition, INLINE)
            save = partition.cells_for and partition.unsaved * SAVE_SHARE > len(partition)
            if not (behind or partition.partial or self._outgrown(partition) or save):
                return
        with self._lock:
            worker = self._workers.get(tenant)
            if worker is None or not worker.is_alive():
                worker = threading.Thread(target=self._work, args=(record, tenant), name="index", daemon=True)
                self._workers = {name: one for name, one in self._workers.items() if one.is_alive()}
                self._workers[tenant] = worker
                worker.start()

    def complete(self, record: Record, tenant: str) -> bool:
        """Whether a search now sees all of a tenant's record, as fast as it ever will."""
        partition = self._get(tenant)
        if partition is None or partition.partial or self._outgrown(partition):
            return False
        return partition.position == record.changes.position(tenant)

    def wait(self, tenant: str, seconds: float | None = None) -> None:
        """Wait for the thread that works for a tenant, or for so many seconds."""
        worker = self._workers.get(tenant)
        if worker is not None:
            worker.join(seconds)

    def sync(self, record: Record, tenant: str) -> None:
        """Make a tenant's partition equal to the record, whatever that takes; constant time when nothing changed."""
        partition = self._get(tenant)
        if partition is None or partition.partial:
            partition = self._load(record, tenant) or Partition()
        self._complete(record, tenant, partition)
        if self._outgrown(partition):
            partition = self._build(record, tenant)
        self._put(tenant, partition)

    def rebuild(self, record: Record) -> None:
        """Build every tenant's partition anew from the record."""
        with self._lock:
            self._partitions.clear()
        for tenant in record.episodes.tenants():
            self._put(tenant, self._build(record, tenant))

    def save(self, record: Record) -> None:
        """Write every partition in memory to `directory` by atomic rename, in step with the record. Raises `StoreError`."""
        for tenant in list(self._partitions):
            self.sync(record, tenant)
            partition = self._get(tenant)
            if partition is not None:
                self._write(record, tenant, partition)

    def _get(self, tenant: str) -> Partition | None:
        with self._lock:
            partition = self._partitions.get(tenant)
            if partition is not None:
                self._partitions.move_to_end(tenant)
            return partition

    def _put(self, tenant: str, partition: Partition) -> None:
        """Hold a partition as the one asked last, and let go of those that waited longest."""
        with self._lock:
            self._partitions[tenant] = partition
            self._partitions.move_to_end(tenant)
            rows = sum(len(one) for one in self._partitions.values()) - len(partition)
            while len(self._partitions) > 1 and (len(self._partitions) > TENANTS or rows > ROWS):
                rows -= len(self._partitions.popitem(last=False)[1])

    def _first(self, record: Record, tenant: str) -> Partition:
        """What is searched at once: everything where that is little, else the newest rows."""
        partition = Partition()
        if record.episodes.count(tenant=tenant) > INLINE:
            newest = record.verified.newest(tenant, INLINE)
            partition.add(newest.numbers, newest.vectors)
            partition.position, partition.partial = newest.position, True
        self._put(tenant, partition)
        return partition

    def _catch_up(self, record: Record, tenant: str, partition: Partition, limit: int) -> bool:
        """Take in the next rows; whether these were the last and none was removed since."""
        new = record.verified.since(tenant, partition.position, limit=limit)
        if new is None:
            return False
        partition.add(new.numbers, new.vectors)
        partition.position = new.position
        return new.complete

    def _outgrown(self, partition: Partition) -> bool:
        """Whether a partition has to be built anew: too large for what it is, or centred with the help of what is gone."""
        return partition.worn or len(partition) > (GROWTH * partition.cells_for if partition.cells_for else self.flat_limit)

    def _work(self, record: Record, tenant: str) -> None:
        """Beside the requests: load or build the tenant's partition, take out what was removed, and write it to its file."""
        try:
            partition = self._get(tenant)
            if partition is None or partition.partial:
                partition = self._load(record, tenant) or self._build(record, tenant)
            self._complete(record, tenant, partition)
            if self._outgrown(partition):
                partition = self._build(record, tenant)
            self._put(tenant, partition)
            if partition.cells_for and partition.unsaved:
                self._write(record, tenant, partition)
        except Exception as error:
            # The next request tries again; until then what is there is searched.
            _log.warning("the index of a tenant could not be built (%s)", error)

    def _complete(self, record: Record, tenant: str, partition: Partition) -> None:
        """Read to the end of the record, slice by slice, and take out rows that are no longer there."""
        while True:
            with partition.lock:
                if self._catch_up(record, tenant, partition, SLICE):
                    return
                now = record.changes.position(tenant)
            if now.generation != partition.position.generation:
                # Compared without the lock: requests go on meanwhile, and find nothing that is gone.
                with partition.lock:
                    there = partition.numbers()
                gone = np.setdiff1d(there, record.verified.numbers(tenant), assume_unique=True)
                with partition.lock:
                    partition.remove(gone)
                    # The newest row may be among those that are gone.
                    last = min(partition.position.last, now.last)
                    partition.position = partition.position._replace(generation=now.generation, last=last)

    def _build(self, record: Record, tenant: str) -> Partition:
        """A partition made of the whole record; nobody waits for it."""
        position, numbers = record.changes.position(tenant), record.verified.numbers(tenant)
        # Rows that came in between are read after the others.
        numbers = numbers[numbers <= position.last]
        if len(numbers) > self.flat_limit:
            sample = _spread(numbers, sample_size(len(numbers)))
            found, vectors = record.verified.vectors(sample)
            partition = Partition.in_cells(vectors, found, len(numbers))
        else:
            partition = Partition()
        for start in range(0, len(numbers), SLICE):
            partition.add(*record.verified.vectors(numbers[start : start + SLICE]))
        partition.position = position
        self._complete(record, tenant, partition)
        return partition

    def _write(self, record: Record, tenant: str, partition: Partition) -> None:
        if not len(partition):
            discard(self.directory, [tenant])
            return
        with partition.lock:
            position = partition.position
            # Where it cannot be written, it is tried again once more has changed.
            partition.unsaved = 0
            write(self.directory, tenant, partition, record.changes.seal(tenant, position))
        # Rows that were erased meanwhile must not stay in a file; whoever erases from now on finds it and deletes it.
        if record.generation(tenant) != position.generation:
            discard(self.directory, [tenant])

    def _load(self, record: Record, tenant: str) -> Partition | None:
        position = None
        try:
            position = read_position(self.directory, tenant)
            if position is None or position.generation != record.generation(tenant):
                return None
            return read(self.directory, tenant, record.changes.seal(tenant, position))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            if position is not None and position.generation != record.generation(tenant):
                # Whoever erased in the meantime has deleted the file.
                return None
            _log.warning("the index of a tenant is damaged (%s); it is built anew from the record", error)
            return None


def _spread(numbers: Numbers, count: int) -> Numbers:
    """So many of the rows, evenly from the oldest to the newest."""
    return numbers[np.linspace(0, len(numbers) - 1, count).astype(np.int64)] if count else numbers[:0]
