"""Running the cases of a suite one after another."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from .results_file import Row
from .row_filter import ALL_ROWS, RowFilter


def run_cases(package: str, cases: Sequence[str], *, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS) -> list[Row]:
    """The rows of the modules `cases` of a suite's package, telling on standard error how far it is.

    A module whose `run` has a parameter `only` measures just the wanted rows. Where methods are named, the others are left out,
    unless their own name is among the cases or no module can measure one method alone.
    """
    rows: list[Row] = []
    for case in chosen(package, cases, only):
        start = time.perf_counter()
        run = import_module(f".{case}", package).run
        asked = {"only": only} if takes_filter(run) else {}
        found: list[Row] = run(quick=quick, seeds=seeds, data=data, **asked)
        print(f"{case}: {len(found)} figures ({time.perf_counter() - start:.0f} s)", file=sys.stderr, flush=True)
        rows += only.rows(found, modules=cases)
    return rows


def chosen(package: str, cases: Sequence[str], only: RowFilter) -> list[str]:
    """The modules that have wanted rows."""
    if named := [case for case in cases if case in only.cases]:
        return named
    selective = [case for case in cases if only.methods and takes_filter(import_module(f".{case}", package).run)]
    return selective or list(cases)


def takes_filter(run: object) -> bool:
    """Whether a function measures a part of its rows by itself."""
    return callable(run) and "only" in inspect.signature(run).parameters
