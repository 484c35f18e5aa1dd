"""The measured tables of README.md and docs/benchmarks.md, written from the results files: `write_documents`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..core import DataMissing
from ..metrics.numbers import format_value
from .results_file import Results, Row, read_results
from .results_tables import case_table, markdown_table

DOCUMENTS = ("README.md", "docs/benchmarks.md")
"""Files with measured tables, relative to the root of a checkout."""

TABLE = re.compile(r"(<!-- table: (?P<suite>[\w-]+)(?: / (?P<case>[^/>]+?) /)?(?P<metrics>[^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
"""A place in a Markdown text for a suite's table, or for that of one case with a line a method; with the metrics to show, all of
them where none is named."""

INLINE = re.compile(
    r"(<!-- figure: (?P<suite>[\w-]+) / (?P<case>[^/>]+?) / (?P<method>[^/>]+?) / (?P<metric>[\w]+) -->)[^<]*(<!-- end -->)"
)
"""The place of one figure within a sentence; a rate is written as a percentage."""
RATES = ("accuracy", "_share", "recovered", "_of_known", "_of_out_of_scope", "remembered")
"""Ends of the names of metrics that are rates."""

HEADLINE = re.compile(r"(<!-- headline -->\n).*?(<!-- end -->)", re.DOTALL)
"""The place of the headline table."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a results file."""

    suite: str
    """Suite whose results file holds it."""
    case: str
    """Case within the suite."""
    method: str
    """Method that was measured."""
    metric: str
    """Metric, as the file names it."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One row of README's table: a question, our figure and the figure that it has to be compared with."""

    question: str
    """What is asked, in plain words."""
    ours: Figure
    """Our figure."""
    contrast_label: str
    """What the contrast is."""
    contrast: Figure
    """The contrast's figure."""
    anchor: str
    """Heading of docs/benchmarks.md with the whole table."""


HEADLINES = (
    Headline(
        question="Success on unseen `database` tasks after one night (untrained: 0.025)",
        ours=Figure(suite="loop", case="database", method="lifelong", metric="success_after"),
        contrast_label="plain LoRA fine-tuning",
        contrast=Figure(suite="loop", case="database", method="naive_lora", metric="success_after"),
        anchor="the-loop-what-is-learned-and-what-is-kept",
    ),
    Headline(
        question="How far that success falls after learning another environment (smaller is better)",
        ours=Figure(suite="loop", case="database", method="lifelong", metric="forgetting"),
        contrast_label="plain LoRA fine-tuning",
        contrast=Figure(suite="loop", case="database", method="naive_lora", metric="forgetting"),
        anchor="the-loop-what-is-learned-and-what-is-kept",
    ),
    Headline(
        question="Out-of-scope requests that are taken for known ones where 95 % of these are kept (CLINC150; smaller is better)",
        ours=Figure(suite="perception", case="clinc150, as deployed", method="lifelong", metric="fpr_at_95_id_tpr"),
        contrast_label="near ones, half of BANKING77's intents",
        contrast=Figure(suite="perception", case="banking77, half of the intents known", method="lifelong", metric="fpr_at_95_id_tpr"),
        anchor="perception-known-likely-to-fail-new",
    ),
    Headline(
        question="Class-incremental accuracy at 4 KB a class (CLINC150, 10 groups of 15)",
        ours=Figure(suite="continual", case="clinc150, 4 KB a class", method="lifelong", metric="last_accuracy"),
        contrast_label="logistic regression on the texts themselves, deflated to 1.1 KB a class (ahead of ours, where texts may be kept)",
        contrast=Figure(suite="continual", case="clinc150 10x15", method="zlib_texts_logistic_two_views", metric="last_accuracy"),
        anchor="continual-learning-class-after-class-without-keeping-the-data",
    ),
    Headline(
        question="Erasing 1 000 of 15 000 samples from a ridge head: largest logit difference to retraining, in billionths",
        ours=Figure(suite="unlearning", case="erase 1000 of 15000", method="lifelong_ridge", metric="largest_logit_difference_x1e9"),
        contrast_label="largest change of a logit by the erasure itself",
        contrast=Figure(suite="unlearning", case="erase 1000 of 15000", method="lifelong_ridge", metric="logit_change_by_erasure"),
        anchor="unlearning-exact-and-approximate",
    ),
)
"""The rows of README's table: what was learned, what was kept, perception as deployed, accuracy at equal bytes, exact erasure."""


def write_documents(root: Path) -> None:
    """Write the measured tables of every document. Raises `DataMissing` where there is no checkout, as in an installed wheel."""
    for name in DOCUMENTS:
        file = root / name
        if not file.exists():
            raise DataMissing(f"{file} is not there; run this in a checkout of the repository")
        file.write_text(fill_document(file.read_text(encoding="utf-8"), root / "evals" / "results"), encoding="utf-8")


def fill_document(text: str, folder: Path) -> str:
    """The text with its headline, every table and every figure within a sentence written anew from the results files in `folder`."""
    filled = HEADLINE.sub(lambda match: f"{match[1]}\n{headline_table(folder)}\n{match[2]}", fill_tables(text, folder))
    return INLINE.sub(lambda match: f"{match[1]}{_inline(match, folder)}{match[6]}", filled)


def _inline(match: re.Match[str], folder: Path) -> str:
    figure = Figure(suite=match["suite"], case=match["case"], method=match["method"], metric=match["metric"])
    value = _row(figure, folder).value
    rate = figure.metric.endswith(RATES) and 0 <= value <= 1
    return f"{100 * value:.0f} %" if rate else format_value(value)


def headline_table(folder: Path) -> str:
    """README's table in Markdown. Raises `DataMissing` for a results file or a figure that is not there."""
    lines = ["| question | `lifelong` | contrast | details |", "| --- | --: | --- | --- |"]
    for row in HEADLINES:
        contrast = f"{row.contrast_label}: {_figure(row.contrast, folder)}"
        lines.append(f"| {row.question} | {_figure(row.ours, folder)} | {contrast} | [table](docs/benchmarks.md#{row.anchor}) |")
    return "\n".join(lines) + "\n"


def _figure(figure: Figure, folder: Path) -> str:
    row = _row(figure, folder)
    interval = f" [{format_value(row.ci95[0])}, {format_value(row.ci95[1])}]" if row.ci95 else ""
    return f"{format_value(row.value)}{interval}"


def _row(figure: Figure, folder: Path) -> Row:
    results: Results = read_results(folder / f"{figure.suite}.json")
    wanted = (figure.case, figure.method, figure.metric)
    row = next((row for row in results.results if (row.case, row.method, row.metric) == wanted), None)
    if row is None:
        raise DataMissing(f"{figure.suite}.json holds no figure {' / '.join(wanted)}; measure the suite again")
    return row


def fill_tables(text: str, folder: Path) -> str:
    """The text with every table written anew from `folder/SUITE.json`.

    A table stands between `<!-- table: SUITE METRIC... -->`, or `<!-- table: SUITE / CASE / METRIC... -->` for one case with a
    line a method, and `<!-- end -->`; a suite without a results file gets a line that says how to measure it.
    """

    def table(match: re.Match[str]) -> str:
        suite, case, metrics = match["suite"], match["case"], match["metrics"].split()
        return f"{match[1]}\n{_table(folder / f'{suite}.json', suite, case, metrics)}\n<!-- end -->"

    return TABLE.sub(table, text)


def _table(file: Path, suite: str, case: str | None, metrics: list[str]) -> str:
    if not file.exists():
        return f"Not measured yet: `lifelong bench {suite} --json evals/results/{suite}.json`.\n"
    results = read_results(file)
    shown = [row for row in results.results if (not case or row.case == case) and (not metrics or row.metric in metrics)]
    seeds = max((row.seeds for row in shown), default=1)
    commits = dict.fromkeys((row.commit or results.commit)[:10] or "unknown" for row in shown)
    source = f"Commit{'s' * (len(commits) > 1)} {', '.join(commits)}, {seeds} seed{'s' * (seeds > 1)}, {results.machine}; "
    source += "brackets hold 95 % intervals."
    return f"{case_table(results, case, metrics) if case else markdown_table(results, metrics=metrics or None)}\n{source}\n"
