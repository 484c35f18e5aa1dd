"""`lifelong bench perception`: what is known, what will fail, what is new, on frozen sentence embeddings; ours beside the baselines."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ..core import DataMissing
from ._results import Row

CASES: tuple[str, ...] = ("perception_discovery", "perception_queries")
"""Modules of this room with `run(*, quick, seeds, data) -> list[Row]`, in the order of the table."""


def run(*, quick: bool, seeds: int, data: Path | None) -> list[Row]:
    """Every case over every seed. Raises `DataMissing` where no data directory is named."""
    if data is None:
        raise DataMissing("suite perception reads clinc150 and banking77; name the data directory with --data or LIFELONG_DATA")
    rows: list[Row] = []
    for case in CASES:
        rows += import_module(f".{case}", __package__).run(quick=quick, seeds=seeds, data=data)
    return rows
