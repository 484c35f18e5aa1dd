"""Running a suite and keeping what it measured: `Suite`, `run_suite`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ..core import DataMissing, NothingFound
from .results_file import Results, Row, make_results, write_results, write_whole


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A benchmark: a module below `evals/` with `run(*, quick, seeds, data) -> list[Row]`, imported when it runs."""

    name: str
    """What `lifelong bench` calls it."""
    shows: str
    """What a reader learns from it, in one clause."""
    needs: str
    """What must be there besides the package, in words."""
    module: str
    """Module relative to `evals`."""
    selection: str = "not stated"
    """What was chosen for the methods (settings, thresholds, designs), and on which data."""
    files: tuple[str, ...] = ()
    """Data files it reads, relative to the data directory; their hashes are written beside the figures."""

    def run(self, *, quick: bool, seeds: int, data: Path | None) -> list[Row]:
        """Measure. `quick` ends within a minute once model files and encodings are cached."""
        rows: list[Row] = import_module(f".{self.module}", __package__).run(quick=quick, seeds=seeds, data=data)
        return rows

    def plots(self, rows: Sequence[Row]) -> dict[str, str]:
        """Drawings of the figures as SVG by name, where its module has a `plots(rows)`; none where it has not."""
        draw = getattr(import_module(f".{self.module}", __package__), "plots", None)
        drawn: dict[str, str] = draw(rows) if draw else {}
        return drawn


def find_suite(suites: tuple[Suite, ...], name: str) -> Suite:
    """The suite of that name. Raises `NothingFound` that lists the names there are."""
    for suite in suites:
        if suite.name == name:
            return suite
    raise NothingFound(f"there is no suite {name!r}; there are: {', '.join(suite.name for suite in suites)}")


def hash_files(suite: Suite, data: Path | None) -> dict[str, str]:
    """SHA-256 of each data file by name. Raises `DataMissing` for the first one that is not there."""
    hashes: dict[str, str] = {}
    for name in suite.files:
        if data is None:
            raise DataMissing(f"suite {suite.name} reads {name}; name the data directory with --data or LIFELONG_DATA")
        if not (data / name).is_file():
            raise DataMissing(f"suite {suite.name} reads {name}, which is not in {data}; put it there or name another directory")
        with (data / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def run_suite(suite: Suite, *, quick: bool, seeds: int, data: Path | None, file: Path | None) -> Results:
    """Check the data, measure, and write the figures to `file` if one is named, and the suite's plots beside it as `FILE-NAME.svg`.

    Raises `DataMissing`, before anything is measured, when a data file is not there. A quick run may do without a data
    directory, where its suite can.
    """
    hashes = {} if quick and data is None else hash_files(suite, data)
    rows = suite.run(quick=quick, seeds=seeds, data=data)
    results = make_results(suite.name, rows, selection=suite.selection, data_hashes=hashes)
    if file is not None:
        for name, drawn in suite.plots(rows).items():
            write_whole(file.with_name(f"{file.stem}-{name}.svg"), drawn)
        write_results(file, results)
    return results
