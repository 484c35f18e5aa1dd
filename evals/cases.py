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
    """The rows of the modules `cases` of a suite's package, one after another, telling on standard error how far it is."""
    return [row for case in chosen(cases, only) for row in run_case(package, case, cases, quick=quick, seeds=seeds, data=data, only=only)]


def run_case(
    package: str, case: str, cases: Sequence[str], *, quick: bool, seeds: int, data: Path, only: RowFilter = ALL_ROWS
) -> list[Row]:
    """The wanted rows of one module; a module whose `run` has a parameter `only` measures just these."""
    start = time.perf_counter()
    run, wanted = import_module(f".{case}", package).run, only.within(case, cases)
    asked = {"only": wanted} if takes_filter(run) else {}
    rows: list[Row] = wanted.rows(run(quick=quick, seeds=seeds, data=data, **asked))
    print(f"{case}: {len(rows)} figures ({time.perf_counter() - start:.0f} s)", file=sys.stderr, flush=True)
    return rows


def chosen(cases: Sequence[str], only: RowFilter) -> list[str]:
    """The modules that are named, or all of them: each knows which of its rows are wanted."""
    return [case for case in cases if case in only.cases] or list(cases)


def takes_filter(run: object) -> bool:
    """Whether a function measures a part of its rows by itself."""
    return takes(run, "only")


def takes(run: object, parameter: str) -> bool:
    """Whether a function has a parameter of that name."""
    return callable(run) and parameter in inspect.signature(run).parameters
