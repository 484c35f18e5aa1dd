"""Tables of measured rows, for a terminal, for a pipe and in Markdown."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..core import DataMissing
from ..metrics.numbers import format_value
from ..metrics.tables import TextTable
from .results_file import Results, Row

SIDE_BY_SIDE = 6
"""Most methods that stand side by side in a terminal."""


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


def terminal_tables(results: Results) -> list[TextTable]:
    """Tables that fit a terminal: a column a method, or, where the methods are too many for that, a table a case."""
    if len({row.method for row in results.results}) <= SIDE_BY_SIDE:
        header, body = _pivot(results.results, None, None)
        title = f"{results.suite} ({results.commit[:10]})"
        return [TextTable(title=title, header=tuple(header), rows=tuple(map(tuple, body)), left=(0, 1))]
    cases = dict.fromkeys(row.case for row in results.results)
    return [
        TextTable(
            title=case,
            header=("method", "metric", "value"),
            rows=tuple((row.method, row.metric, _cell(row)) for row in results.results if row.case == case),
            left=(0, 1),
        )
        for case in cases
    ]


def pipe_table(results: Results) -> TextTable:
    """One table with a line for each figure, for programs such as `grep`, `sort` and `head`."""
    return TextTable(
        title=f"{results.suite} ({results.commit[:10]})",
        header=("case", "method", "metric", "value", "ci95_low", "ci95_high", "n", "seeds"),
        rows=tuple(
            (
                row.case,
                row.method,
                row.metric,
                *map(format_value, (row.value, *(row.ci95 or (math.nan, math.nan)))),
                str(row.n),
                str(row.seeds),
            )
            for row in results.results
        ),
        left=(0, 1, 2),
    )


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
