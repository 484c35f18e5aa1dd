"""Running the cases of a suite one after another."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from .results_file import Row


def run_cases(package: str, cases: Sequence[str], *, quick: bool, seeds: int, data: Path) -> list[Row]:
    """The rows of the modules `cases` of a suite's package, telling on standard error how far it is."""
    rows: list[Row] = []
    for case in cases:
        start = time.perf_counter()
        found: list[Row] = import_module(f".{case}", package).run(quick=quick, seeds=seeds, data=data)
        print(f"{case}: {len(found)} figures ({time.perf_counter() - start:.0f} s)", file=sys.stderr, flush=True)
        rows += found
    return rows
