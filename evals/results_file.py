"""Measured rows and the file that keeps them: `Row`, `Results`, `write_results`, `read_results`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..core import DataMalformed, DataMissing
from ..core.paths import AnyPath
from ..metrics.provenance import machine, package_versions, source_version


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure: what a method reached on a case."""

    case: str
    """What was measured on: an environment, a data set, a size."""
    method: str
    """Who was measured: `lifelong`, with a suffix where there are several, or a baseline."""
    metric: str
    """snake_case; says direction and positive class. Rates are fractions."""
    value: float
    """The figure; NaN where it is undefined, such as tokens per solved task when none was solved."""
    ci95: tuple[float, float] | None = None
    """95 % interval, where there is one."""
    n: int = 1
    """How many tasks, samples or runs stand behind the value, over all seeds."""
    seeds: int = 1
    """How many seeds it was averaged over."""
    commit: str = ""
    """The commit that measured it, where that is not the one of its file."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """A suite's figures with everything that says where they come from."""

    suite: str
    """The suite's name, such as `loop`."""
    commit: str
    """The commit that was measured, `-modified` appended when files differed from it; the package's version outside git."""
    versions: Mapping[str, str]
    """Package versions by name."""
    machine: str
    """Processor, cores and memory."""
    selection: str = ""
    """What was chosen, on which data; empty in files that were written before it was recorded."""
    data: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each data file by name."""
    results: tuple[Row, ...] = ()
    """The figures."""


def make_results(suite: str, rows: Sequence[Row], *, selection: str = "", data_hashes: Mapping[str, str] | None = None) -> Results:
    """The rows with the code, versions and machine that they were just measured with."""
    return Results(
        suite=suite,
        commit=source_version(),
        versions=package_versions(),
        machine=machine(),
        selection=selection,
        data=dict(data_hashes or {}),
        results=tuple(rows),
    )


def updated(old: Results, new: Results) -> Results:
    """New figures among the old ones that were not measured again; these say which commit they are of. Raises as `check_same_data`."""
    check_same_data(old, new.suite, new.data)
    keys = {(row.case, row.method, row.metric) for row in new.results}
    kept = [replace(row, commit=row.commit or old.commit) for row in old.results if (row.case, row.method, row.metric) not in keys]
    rows = [*kept, *new.results]
    cases = list(dict.fromkeys(row.case for row in (*old.results, *new.results)))
    order = {(row.case, row.method): place for place, row in reversed(list(enumerate((*old.results, *new.results))))}
    rows.sort(key=lambda row: (cases.index(row.case), order[row.case, row.method]))
    return replace(new, results=tuple(rows), data={**old.data, **new.data})


def check_same_data(old: Results, suite: str, hashes: Mapping[str, str]) -> None:
    """Raise `DataMalformed` where figures of a suite on these data files would stand among figures of other data.

    A file that the suite did not read before changes nothing of what it measured then.
    """
    if old.suite != suite:
        raise DataMalformed(f"the file holds figures of the suite {old.suite}, not of {suite}; name another file with --json")
    if changed := sorted(name for name, hash in old.data.items() if hashes.get(name) != hash):
        files = ", ".join(changed)
        raise DataMalformed(f"the figures of {suite} at {old.commit} were measured on other data files ({files}); measure all of it again")


def write_results(path: AnyPath, results: Results) -> None:
    """Write a suite's figures; the file appears whole or not at all."""
    plain = asdict(results)
    for row in plain["results"]:
        row["value"] = row["value"] if math.isfinite(row["value"]) else None
        if not row["commit"]:
            del row["commit"]
    write_whole(Path(path), json.dumps(plain, indent=1, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def read_results(path: AnyPath) -> Results:
    """The inverse of `write_results`. Raises `DataMissing` for no file, `ValueError` for a damaged one."""
    path = Path(path)
    if not path.exists():
        raise DataMissing(f"no results at {path}; run the suite first: lifelong bench SUITE --json {path}")
    try:
        plain: dict[str, Any] = json.loads(path.read_text())
        return Results(**{**plain, "results": tuple(_row(row) for row in plain["results"])})
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a results file ({error}); write it again with lifelong bench") from error


def _row(plain: dict[str, Any]) -> Row:
    value, ci95 = plain["value"], plain["ci95"]
    return Row(**{**plain, "value": math.nan if value is None else value, "ci95": tuple(ci95) if ci95 else None})
