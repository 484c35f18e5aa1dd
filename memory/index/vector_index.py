"""`VectorIndex`: nearest episodes by FAISS, a cache that can be made again from the record at any time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ...core import StoreError
from ...core.paths import AnyPath
from ...numerics.arrays import Vector
from ..index_files import cache_files, discard
from ..store import Fingerprint

if TYPE_CHECKING:
    from ..sqlite.record import Record

INLINE = 20_000
"""Vectors that `follow` adds while its caller waits, some tenths of a second; more are added by a thread."""
TENANTS = 64
"""Tenants whose vectors stay in memory; those that waited longest are read again when needed."""
FLAT_LIMIT = 50_000
"""Vectors up to which search is exact; above, an inverted file probes the nearest cells only."""
PROBE = 32
"""Cells probed, out of the square root of the number of vectors."""
EMPTY = Fingerprint(0, 0)

_log = logging.getLogger(__name__)


class Hit(NamedTuple):
    """One neighbour."""

    id: str
    """The episode."""
    similarity: float
    """Inner product, for unit vectors the cosine; larger is nearer."""


@dataclass
class _Partition:
    """The vectors of one tenant; nothing is shared between tenants."""

    index: Any
    ids: dict[int, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    seen: Fingerprint = EMPTY
    next: int = 0
    worn: bool = False
    """Whether cells were centred with the help of vectors that are gone; such an index is built anew before it is written."""

    def add(self, ids: Sequence[str], vectors: Vector) -> None:
        new = [row for row, id in enumerate(ids) if id not in self.numbers]
        if not new:
            return
        numbers = np.arange(self.next, self.next + len(new), dtype=np.int64)
        self.index.add_with_ids(np.ascontiguousarray(vectors[new], dtype=np.float32), numbers)
        self.next += len(new)
        for number, row in zip(numbers.tolist(), new, strict=True):
            self.ids[number] = ids[row]
            self.numbers[ids[row]] = number

    def remove(self, ids: Iterable[str]) -> None:
        numbers = [self.numbers.pop(id) for id in set(ids) if id in self.numbers]
        for number in numbers:
            del self.ids[number]
        if numbers:
            self.index.remove_ids(np.array(numbers, dtype=np.int64))
            self.worn = self.worn or _inverted(self.index)


class VectorIndex:
    """One index a tenant, kept in `directory` (`record.index_directory`). Thread-safe.

    Exact up to `flat_limit` vectors, IVF-Flat above. `sync` makes a partition equal to the record; `follow`, which `recall` calls,
    does so where it is quick and leaves the rest to a thread. `add` and `remove` are the immediate way for a caller that has the
    vector at hand. No tenant waits for another's partition.
    """

    def __init__(self, directory: AnyPath, *, flat_limit: int = FLAT_LIMIT) -> None:
        self.directory = Path(directory)
        self.flat_limit = flat_limit
        self._partitions: dict[str, _Partition] = {}
        self._lock = threading.Lock()
        self._locks: dict[str, threading.RLock] = {}
        self._builders: dict[str, threading.Thread] = {}

    def _of(self, tenant: str) -> threading.RLock:
        """The lock of one tenant's partition."""
        with self._lock:
            return self._locks.setdefault(tenant, threading.RLock())

    def add(self, tenant: str, id: str, vector: Vector) -> None:
        """Add one unit vector `(d,)`; an id that is there already keeps its vector."""
        with self._of(tenant):
            if tenant not in self._partitions:
                self._partitions[tenant] = _Partition(_flat(len(vector)))
            self._partitions[tenant].add([id], vector[None, :])

    def search(self, tenant: str, vector: Vector, k: int, *, least: float = -inf, skip: int = 0) -> list[Hit]:
        """The `k` nearest of the tenant to a unit vector `(d,)`, nearest first; fewer where there are fewer.

        Those less similar than `least` are left out, and the `skip` nearest, which the caller knows already.
        """
        with self._of(tenant):
            partition = self._partitions.get(tenant)
            if partition is None or not partition.ids or k < 1:
                return []
            if partition.index.d != len(vector):
                raise ValueError(f"a query has {len(vector)} dimensions, the index {partition.index.d}; was the encoder changed?")
            with _one_thread():
                similarities, numbers = partition.index.search(vector[None, :].astype(np.float32), min(k, len(partition.ids)))
            wanted = np.flatnonzero((numbers[0] != -1) & (similarities[0] >= least))[skip:]
            found = zip(numbers[0, wanted].tolist(), similarities[0, wanted].tolist(), strict=True)
            return [Hit(partition.ids[number], similarity) for number, similarity in found]

    def remove(self, tenant: str, ids: Iterable[str]) -> None:
        """Take vectors out; unknown ids are passed over."""
        with self._of(tenant):
            if partition := self._partitions.get(tenant):
                partition.remove(ids)

    def sync(self, record: Record, tenant: str) -> None:
        """Make a tenant's partition equal to the record: load, catch up, or build; constant time when nothing changed.

        After an erasure the vectors that are gone are taken out, and nothing is built anew while a task waits.
        """
        with self._of(tenant):
            now = record.episodes.fingerprint(tenant)
            partition = self._partitions.get(tenant) or self._load(tenant)
            if partition is not None:
                self._keep(tenant, partition)
            if partition is not None and partition.seen == now:
                return
            if partition is not None and self._catch_up(record, tenant, partition, now):
                return
            self._build(record, tenant, now)

    def follow(self, record: Record, tenant: str) -> None:
        """`sync` where little has to be added; where more has to be, a thread does so, and searches find what is there already."""
        with self._of(tenant):
            builder, partition, now = self._builders.get(tenant), self._partitions.get(tenant), record.episodes.fingerprint(tenant)
            behind = now.episodes - (partition.seen.episodes if partition else 0)
            # Cell centres that were found with the help of what is gone are found anew.
            worn = partition is not None and partition.worn and now.episodes > INLINE
            if builder is not None and builder.is_alive():
                return
            if behind <= INLINE and not worn:
                self.sync(record, tenant)
            else:
                builder = threading.Thread(target=self._build_aside, args=(record, tenant), name="index", daemon=True)
                self._builders[tenant] = builder
                builder.start()

    def _build_aside(self, record: Record, tenant: str) -> None:
        """Build a partition while another, or none, is searched; then put it in its place and into its file."""
        aside = VectorIndex(self.directory, flat_limit=self.flat_limit)
        try:
            generation = record.generation(tenant)
            aside.sync(record, tenant)
            built = aside._partitions.get(tenant)
            if built is not None:
                with self._of(tenant):
                    self._partitions[tenant] = built
                aside._write(tenant, built)
                # Rows that were erased meanwhile must not stay in a file; whoever erases from now on finds it and deletes it.
                if record.generation(tenant) != generation:
                    discard(self.directory, [tenant])
        except Exception as error:
            # The next request tries again; until then nothing is recalled that is not in the index yet.
            _log.warning("the index of a tenant could not be built (%s)", error)

    def rebuild(self, record: Record) -> None:
        """Build every tenant's partition anew from the record."""
        self._partitions.clear()
        for tenant in record.episodes.tenants():
            with self._of(tenant):
                self._build(record, tenant, record.episodes.fingerprint(tenant))

    def save(self, record: Record) -> None:
        """Write every partition to `directory` by atomic rename, in step with the record.

        Partitions that outgrew exact search become inverted files here, where no task waits.
        """
        for tenant in list(self._partitions):
            with self._of(tenant):
                generation = record.generation(tenant)
                self.sync(record, tenant)
                partition = self._partitions.get(tenant)
                if partition is None:
                    discard(self.directory, [tenant])
                    continue
                if partition.worn or (len(partition.ids) > self.flat_limit and not _inverted(partition.index)):
                    self._build(record, tenant, partition.seen)
                self._write(tenant, self._partitions[tenant])
                if record.generation(tenant) != generation:
                    # Another process has erased meanwhile; the file may hold what is gone.
                    discard(self.directory, [tenant])

    def _catch_up(self, record: Record, tenant: str, partition: _Partition, now: Fingerprint) -> bool:
        if now.last < partition.seen.last or not now.episodes:
            return False
        ids, vectors = record.episodes.vectors(tenant=tenant, after=partition.seen.last)
        if partition.seen.episodes + len(ids) != now.episodes:
            partition.remove(partition.numbers.keys() - set(record.episodes.ids(tenant=tenant)))
        partition.add(ids, vectors)
        partition.seen = now
        return len(partition.ids) == now.episodes

    def _build(self, record: Record, tenant: str, now: Fingerprint) -> None:
        ids, vectors = record.episodes.vectors(tenant=tenant)
        if not ids:
            self._partitions.pop(tenant, None)
            return
        partition = _Partition(_inverted_file(vectors) if len(ids) > self.flat_limit else _flat(vectors.shape[1]), seen=now)
        partition.add(ids, vectors)
        self._keep(tenant, partition)

    def _keep(self, tenant: str, partition: _Partition) -> None:
        """Hold a partition as the last one asked, and let go of those that waited longest."""
        with self._lock:
            self._partitions.pop(tenant, None)
            self._partitions[tenant] = partition
            while len(self._partitions) > TENANTS:
                self._partitions.pop(next(iter(self._partitions)))

    def _write(self, tenant: str, partition: _Partition) -> None:
        import faiss

        data, description = cache_files(self.directory, tenant)
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = faiss.serialize_index(partition.index).tobytes()
            about = json.dumps({"tenant": tenant, "seen": partition.seen, "ids": partition.ids})
            signed = json.dumps({"about": about, "sha256": _digest(content, about)})
            for path, body in ((data, content), (description, signed.encode())):
                draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
                draft.touch(mode=0o600)
                draft.write_bytes(body)
                draft.replace(path)
        except OSError as error:
            raise StoreError(f"the index could not be saved in {self.directory} ({error}); it is a cache, nothing is lost") from error

    def _load(self, tenant: str) -> _Partition | None:
        data, description = cache_files(self.directory, tenant)
        try:
            content, signed = data.read_bytes(), json.loads(description.read_bytes())
            about = json.loads(signed["about"])
            if _digest(content, signed["about"]) != signed["sha256"] or about["tenant"] != tenant:
                raise ValueError("the file is not the one described")
            import faiss

            ids = {int(number): id for number, id in about["ids"].items()}
            index = faiss.deserialize_index(np.frombuffer(content, dtype=np.uint8))
            numbers = {id: number for number, id in ids.items()}
            return _Partition(index, ids, numbers, Fingerprint(*about["seen"]), max(ids, default=-1) + 1)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            _log.warning("the index of a tenant is damaged (%s); it is built anew from the record", error)
            return None


@contextmanager
def _one_thread() -> Iterator[None]:
    # For a single query the threads wait for each other a hundred times longer than they work, once cores are shared.
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _digest(content: bytes, about: str) -> str:
    return hashlib.sha256(content + about.encode()).hexdigest()


def _flat(dimensions: int) -> Any:
    import faiss

    return faiss.IndexIDMap2(faiss.IndexFlatIP(dimensions))


def _inverted_file(vectors: Vector) -> Any:
    """An empty IVF-Flat index with trained cells (Sivic & Zisserman 2003, as FAISS has it)."""
    import faiss

    cells = max(1, isqrt(len(vectors)))
    centres = faiss.IndexFlatIP(vectors.shape[1])
    index = faiss.IndexIVFFlat(centres, vectors.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
    index.nprobe = PROBE
    # Without a direct map, removing one vector reads them all.
    index.set_direct_map_type(faiss.DirectMap.Hashtable)  # type: ignore[attr-defined, unused-ignore]
    index.train(vectors)
    return index


def _inverted(index: Any) -> bool:
    import faiss

    return isinstance(index, faiss.IndexIVFFlat)
