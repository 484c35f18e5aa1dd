"""`lifelong bench perception`: what is known, what will fail, what is new, on frozen sentence embeddings; ours beside the baselines."""

from __future__ import annotations

import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path

from ....core import DataMissing
from ...data.texts import banking77, clinc150
from ...data.worker_pool import worker_pool
from ...results_file import Row

CASES: tuple[str, ...] = (
    "rejection",
    "open_intent",
    "promise",
    "wake",
    "discovery",
    "queries",
    "noise",
    "adapters",
)
"""Modules of this package with `run(*, quick, seeds, data) -> list[Row]`, in the order of the table."""


def run(*, quick: bool, seeds: int, data: Path | None) -> list[Row]:
    """Every case over every seed, as many cases at once as there are cores. Raises `DataMissing` where no data directory is named."""
    if data is None:
        raise DataMissing("suite perception reads clinc150 and banking77; name the data directory with --data or LIFELONG_DATA")
    for texts in (clinc150, banking77):
        texts(data)  # encoded once, before several processes want them
    with worker_pool() as pool:
        return [row for rows in pool.map(partial(_case, quick=quick, seeds=seeds, data=data), CASES) for row in rows]


def _case(case: str, *, quick: bool, seeds: int, data: Path) -> list[Row]:
    start = time.perf_counter()
    rows: list[Row] = import_module(f".{case}", __package__).run(quick=quick, seeds=seeds, data=data)
    print(f"{case}: {len(rows)} figures ({time.perf_counter() - start:.0f} s)", file=sys.stderr, flush=True)
    return rows
