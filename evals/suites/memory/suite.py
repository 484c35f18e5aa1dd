"""How fast, how exact and how large the record is: `lifelong bench memory`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ....checks.cue_memory import example_episode
from ....core import Episode
from ....core.settings import MemorySettings
from ....memory import Record, VectorIndex, recall
from ....numerics.arrays import Vector
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
QUICK = ("1k", "10k")
DIMENSIONS = 384
"""Length of a MiniLM vector."""
CLUSTERS = 200
"""Themes around which the made tasks lie, as real tasks of one skill do."""
NOISE = 1.0
"""Length of the random part of a vector beside its theme of length one: neighbours then have a cosine near one half."""
QUERIES = 200
SAMPLES = 100
"""Single episodes recorded, one transaction each."""
NEIGHBOURS = 10
TENANT = "default"


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Measure every size, the latencies pooled over the seeds. `data` is not read: vectors and episodes are made.

    The exact search is always measured: it is the truth that recall is counted by.
    """
    rows: list[Row] = []
    for case in filter(only.wants_case, QUICK if quick else SIZES):
        measured: dict[tuple[str, str], list[float]] = {}
        for seed in range(seeds):
            with tempfile.TemporaryDirectory(prefix="lifelong-bench-") as folder:
                for key, values in _measure(Path(folder), SIZES[case], seed).items():
                    measured.setdefault(key, []).extend(values)
        rows += [row for (method, metric), values in measured.items() for row in _rows(case, method, metric, values, seeds)]
    return only.rows(rows)


def _measure(folder: Path, size: int, seed: int) -> dict[tuple[str, str], list[float]]:
    """All figures of one size, by method and metric; latencies in milliseconds, one value a call."""
    vectors, queries = _made(size + SAMPLES, seed), _made(QUERIES, seed, stream=1)
    with Record(folder / "record.sqlite3") as record:
        _fill(record, vectors[:size])
        singles = [(_episode(size + number), vectors[size + number]) for number in range(SAMPLES)]
        recorded = [_milliseconds(lambda pair=pair: record.episodes.record(*pair)) for pair in singles]  # type: ignore[misc]
        index = VectorIndex(record.index_directory)
        rebuilt = _milliseconds(lambda: index.rebuild(record)) / 1000
        saved = _milliseconds(lambda: index.save(record)) / 1000
        loaded = VectorIndex(record.index_directory)
        opened = _milliseconds(lambda: loaded.sync(record, TENANT)) / 1000
        rows, stored = record.verified.vectors(record.verified.numbers(TENANT))
        names = record.verified.ids(rows.tolist(), tenant=TENANT)
        ids, episodes = [names[row] for row in rows.tolist()], record.episodes.count(tenant=TENANT)
        exact: list[set[str]] = []
        approximate: list[set[str]] = []
        with _one_thread():
            by_numpy = [_milliseconds(lambda query=query: exact.append({ids[row] for row in _exact(stored, query)})) for query in queries]  # type: ignore[misc]
        by_index = [_milliseconds(lambda query=query: approximate.append(_found(record, index, query))) for query in queries]  # type: ignore[misc]
        recalled = [_milliseconds(lambda query=query: _recall(record, index, query)) for query in queries]  # type: ignore[misc]
        record.scrub()
        stored_bytes = sum(path.stat().st_size for path in folder.glob("record.sqlite3*"))
        cache_bytes = sum(path.stat().st_size for path in record.index_directory.iterdir())
    hits = [len(near & truth) / NEIGHBOURS for near, truth in zip(approximate, exact, strict=True)]
    return {
        ("lifelong", "record_ms"): recorded,
        ("lifelong", "recall_ms"): recalled,
        ("lifelong", "search_ms"): by_index,
        ("numpy_exact", "search_ms"): by_numpy,
        ("lifelong", "recall_at_10"): hits,
        ("numpy_exact", "recall_at_10"): [1.0] * QUERIES,
        ("lifelong", "disk_bytes_per_episode"): [stored_bytes / episodes],
        ("lifelong", "index_bytes_per_episode"): [cache_bytes / episodes],
        ("lifelong", "rebuild_seconds"): [rebuilt],
        ("lifelong", "save_seconds"): [saved],
        ("lifelong", "load_seconds"): [opened],
    }


def _rows(case: str, method: str, metric: str, values: Sequence[float], seeds: int) -> Iterable[Row]:
    if not metric.endswith("_ms"):
        yield Row(case=case, method=method, metric=metric, value=float(np.mean(values)), n=len(values), seeds=seeds)
        return
    for percent in (50, 95, 99):
        value = float(np.percentile(values, percent))
        yield Row(case=case, method=method, metric=f"{metric.removesuffix('_ms')}_p{percent}_ms", value=value, n=len(values), seeds=seeds)


def _made(count: int, seed: int, stream: int = 0) -> Vector:
    themes = np.random.default_rng(seed).normal(size=(CLUSTERS, DIMENSIONS)).astype(np.float32)
    themes /= np.linalg.norm(themes, axis=1, keepdims=True)
    draw = np.random.default_rng([seed, stream])
    noise = draw.normal(size=(count, DIMENSIONS)).astype(np.float32) * np.float32(NOISE / np.sqrt(DIMENSIONS))
    rows: Vector = themes[draw.integers(CLUSTERS, size=count)] + noise
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _episode(number: int) -> Episode:
    """An episode as large as those of the database environment: its context is a schema of about 600 characters."""
    plain = example_episode(number, success=number % 2 == 0)
    schema = "\n".join(f"CREATE TABLE t{number}_{table} (id INTEGER PRIMARY KEY, name TEXT, price REAL, made TEXT);" for table in range(8))
    return replace(plain, task=replace(plain.task, context=schema))


def _fill(record: Record, vectors: Vector) -> None:
    for start in range(0, len(vectors), 5_000):
        record.episodes.record_many((_episode(start + row), vector) for row, vector in enumerate(vectors[start : start + 5_000]))


def _exact(stored: Vector, query: Vector) -> NDArray[np.intp]:
    similarities = stored @ query
    return np.argpartition(-similarities, NEIGHBOURS)[:NEIGHBOURS]


def _found(record: Record, index: VectorIndex, query: Vector) -> set[str]:
    return {hit.id for hit in index.search(record, TENANT, query, NEIGHBOURS)}


def _recall(record: Record, index: VectorIndex, query: Vector) -> None:
    settings = MemorySettings()
    recall(record, index, tenant=TENANT, skill="counting", vector=query, settings=settings, count_tokens=lambda text: len(text) // 4)


@contextmanager
def _one_thread() -> Iterator[None]:
    """NumPy on one thread, as the index searches: on shared cores its threads would mostly wait for each other."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    with threadpool_limits(1):
        yield


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
