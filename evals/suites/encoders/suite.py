"""`lifelong bench encoders`: classes that come one after another, where the encoder trains as well."""

from __future__ import annotations

from pathlib import Path

from ....core import DataMissing
from ...cases import run_cases
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter

CASES = ("images", "texts")
"""Modules of this package with `run(*, quick, seeds, data) -> list[Row]`, in the order of the table."""


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Every case, one after another. Raises `DataMissing` where no data directory is named."""
    if data is None:
        raise DataMissing(
            "suite encoders reads cifar10 and clinc150 (lifelong bench --list); name their directory with --data or LIFELONG_DATA"
        )
    return run_cases(__package__, CASES, quick=quick, seeds=seeds, data=data, only=only)
