"""Running a suite and keeping what it measured: `Suite`, `run_suite`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from ..core import DataMissing, PluginError, SettingsError
from ..core.paths import AnyPath
from ..core.plugins import names, resolve
from .cases import takes, takes_filter
from .results_file import Results, Row, check_same_data, make_results, read_results, updated, write_results, write_whole
from .row_filter import ALL_ROWS, RowFilter, refuse_empty

PUBLISHED = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A benchmark: a module with `run(*, quick, seeds, data) -> list[Row]`, imported when it runs.

    A `run` that also has a parameter `only`, a `RowFilter`, measures just the rows that are asked for; otherwise all are measured
    and the others are left out of the table. One that has a parameter `texts` measures on a user's own file in the place of its data,
    one that has `model_url` takes the model at a URL in the place of the default one.
    """

    name: str
    """What `lifelong bench` calls it."""
    shows: str
    """What a reader learns from it, in one clause."""
    needs: str
    """What must be there besides the package, in words."""
    module: str
    """The module's name, relative to `package`."""
    package: str = __package__
    """The package that holds it; a suite of another package names its own."""
    selection: str = "not stated"
    """What was chosen for the methods (settings, thresholds, designs), and on which data."""
    files: tuple[str, ...] = ()
    """Data files it reads, relative to the data directory; their hashes are written beside the figures."""

    def run(
        self,
        *,
        quick: bool,
        seeds: int,
        data: AnyPath | None,
        only: RowFilter = ALL_ROWS,
        texts: AnyPath | None = None,
        model_url: str = "",
    ) -> list[Row]:
        """Measure. `quick` ends within a minute once model files and encodings are cached.

        Raises `SettingsError` for `texts` or `model_url` where the suite takes none.
        """
        data = None if data is None else Path(data)
        measure = import_module(f".{self.module}", self.package).run
        if texts is not None and not takes(measure, "texts"):
            raise SettingsError(f"suite {self.name} does not measure on own texts; leave --texts out, or name perception or continual")
        if model_url and not takes(measure, "model_url"):
            raise SettingsError(f"suite {self.name} asks no model by URL; leave --model-url out, or name recall")
        own: dict[str, Any] = {} if texts is None else {"texts": Path(texts)}
        own |= {"model_url": model_url} if model_url else {}
        if takes_filter(measure):
            chosen: list[Row] = measure(quick=quick, seeds=seeds, data=data, only=only, **own)
            return chosen
        return only.rows(measure(quick=quick, seeds=seeds, data=data, **own))

    def plots(self, rows: Sequence[Row]) -> dict[str, str]:
        """Drawings of the figures as SVG by name, where its module has a `plots(rows)`; none where it has not."""
        draw = getattr(import_module(f".{self.module}", self.package), "plots", None)
        drawn: dict[str, str] = draw(rows) if draw else {}
        return drawn


def find_suite(name: str) -> Suite:
    """The suite of that name: built in, or of an installed package. Raises `PluginError` that lists the names there are."""
    suite = resolve("suites", name)
    if not isinstance(suite, Suite):
        raise PluginError(f"the suite {name!r} is {suite!r}; it must be a lifelong.evals.Suite")
    return suite


def all_suites() -> list[Suite]:
    """Every suite, built in or of an installed package."""
    return [find_suite(name) for name in names("suites")]


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


def run_suite(
    suite: Suite,
    *,
    quick: bool,
    seeds: int,
    data: Path | None,
    file: Path | None,
    only: RowFilter = ALL_ROWS,
    update: bool = False,
    texts: Path | None = None,
    model_url: str = "",
) -> Results:
    """Check the data, measure, and write the figures to `file` if one is named, and the suite's plots beside it as `FILE-NAME.svg`.

    Raises `DataMissing`, before anything is measured, when a data file is not there. A quick run may do without a data
    directory, where its suite can. With `update` the figures of the file that are not measured again stay, under the commit that
    measured them. `texts` is a user's own file, measured in the place of the suite's data, `model_url` where another model than the default
    one is served. Raises `NothingFound` where no row is
    `only` what was asked for, and as `updated` and `Suite.run`.
    """
    if texts is not None:
        hashes = hash_files(replace(suite, files=(texts.name,)), texts.parent)
    else:
        hashes = {} if quick and data is None else hash_files(suite, data)
    old = read_results(file) if update and file is not None and file.exists() else None
    if old is not None:
        # What cannot be kept together is said before hours are measured.
        check_same_data(old, suite.name, hashes)
    rows = suite.run(quick=quick, seeds=seeds, data=data, only=only, texts=texts, model_url=model_url)
    refuse_empty(rows, only, _published(suite), suite.name)
    results = make_results(suite.name, rows, selection=suite.selection, data_hashes=hashes)
    if file is not None:
        results = updated(old, results) if old is not None else results
        for name, drawn in suite.plots(results.results).items():
            write_whole(file.with_name(f"{file.stem}-{name}.svg"), drawn)
        write_results(file, results)
    return results


def _published(suite: Suite) -> Sequence[Row]:
    file = PUBLISHED / f"{suite.name}.json"
    return read_results(file).results if file.exists() else ()
