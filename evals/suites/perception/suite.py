"""`lifelong bench perception`: what is known, what will fail, what is new, on frozen sentence embeddings; ours beside the baselines."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ....core import DataMissing
from ...cases import chosen, run_case
from ...data.texts import banking77, clinc150
from ...data.worker_pool import worker_pool
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from . import own

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


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS, texts: Path | None = None) -> list[Row]:
    """Every case over every seed, as many cases at once as there are cores; or the user's own `texts` in the place of all cases.

    Raises `DataMissing` where no data directory is named, and as `read_own_texts`.
    """
    if texts is not None:
        return own.run(quick=quick, seeds=seeds, texts=texts, only=only)
    if data is None:
        raise DataMissing(
            "suite perception reads clinc150 and banking77 (lifelong bench --list); name their directory with --data or LIFELONG_DATA"
        )
    for load in (clinc150, banking77):
        load(data)  # encoded once, before several processes want them
    with worker_pool() as pool:
        return [
            row for rows in pool.map(partial(_case, quick=quick, seeds=seeds, data=data, only=only), chosen(CASES, only)) for row in rows
        ]


def _case(case: str, *, quick: bool, seeds: int, data: Path, only: RowFilter) -> list[Row]:
    return run_case(__package__, case, CASES, quick=quick, seeds=seeds, data=data, only=only)
