"""A run told to a person: `write_report` makes one self-contained page, `summary_tables` the terminal's version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from ..metrics.results import format_value
from ..metrics.statistics import beta_ci95, wilson_ci95
from . import plots as _plots
from .summary import summarise_metrics

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["summarise_metrics", "summary_tables", "write_report"]

TEMPLATE = "report.html.jinja"
LESSONS_PLOTTED = 12
"""Most lessons in the help and harm plot; the table has them all."""
LABEL = 40
"""Characters of a lesson that label its line there."""


def write_report(summary: Mapping[str, Any], path: Path) -> Path:
    """Write the run's page to `path`: no outside file, light and dark. Returns `path`.

    `summary` is what `lifelong run` writes to `summary.json`; components that are missing leave their section out.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "points": points, "duration": duration, "number": number}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    draft.write_text(environment.get_template(TEMPLATE).render(**_context(summary)), encoding="utf-8")
    draft.replace(path)
    return path


def percent(rate: float | None) -> str:
    """A rate in [0, 1] as a percentage, a dash where there is none."""
    if rate is None:
        return "–"
    shown = 100 * rate
    return f"{shown:.0f} %" if shown == round(shown) or shown >= 10 else f"{shown:.1f} %"


def points(difference: float | None) -> str:
    """A difference of rates in percentage points, with its sign."""
    if difference is None:
        return "–"
    shown = round(100 * difference, 1)
    return "±0" if shown == 0 else f"{shown:+.1f}".replace("-", "−")


def duration(seconds: float | None) -> str:
    """Seconds, or minutes and seconds, or hours and minutes."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def number(value: float | None) -> str:
    """Three significant digits, a dash where there is none."""
    return "–" if value is None else format_value(value)


def _context(summary: Mapping[str, Any]) -> dict[str, Any]:
    from markupsafe import Markup

    metrics = summarise_metrics(summary)
    stream, nights, lessons = (list(summary.get(name, ())) for name in ("stream", "nights", "lessons"))
    meter = summary.get("meter")
    return {
        "summary": {"method": "lifelong", "seed": 0, "commit": "", "machine": "", "seconds": None, "corrections": None, **summary},
        "metrics": metrics,
        "headline": _headline(metrics),
        "matrix": _matrix(summary, metrics),
        "stream": stream,
        "stream_plot": Markup(_plots.stream_plot(stream, metrics["families"])) if stream else "",
        "half_window": _plots.HALF_WINDOW,
        "tokens_plot": Markup(_plots.tokens_plot(metrics["tokens_per_solved"])) if summary.get("evaluations") else "",
        "meter": _meter(meter) if meter else None,
        "rates_plot": Markup(_rates(meter, lessons)) if meter else "",
        "lessons": [{**lesson, "ci95": beta_ci95(lesson["helped"], lesson["harmed"])} for lesson in lessons],
        "lessons_plotted": LESSONS_PLOTTED,
        "nights": [_night(night) for night in nights],
        "phases_plot": Markup(_plots.phases_plot(nights)) if any(night.get("phases") for night in nights) else "",
        "phase_colours": _plots.phase_colours(nights),
        "settings": sorted((name, value) for name, value in _flat(summary.get("settings", {})).items() if name != "seed"),
        "versions": sorted(summary.get("versions", {}).items()),
    }


def _headline(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Before any night against the end; `None` for a mean over families of which some were not measured."""
    before, final = (metrics["matrix"][index] for index in (0, -1))
    return {
        "before": None if None in before or not before else sum(before) / len(before),
        "final": None if None in final or not final else sum(final) / len(final),
        "tokens_before": metrics["tokens_per_solved"][0],
        "tokens_final": metrics["tokens_per_solved"][-1],
    }


def _matrix(summary: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the heat table: a label, and for each family the rate, its counts and whether this night taught it."""
    counts: dict[tuple[int, str], tuple[int, int]] = {}
    for row in summary.get("evaluations", ()):
        solved, tasks = counts.get((row["night"], row["family"]), (0, 0))
        counts[row["night"], row["family"]] = (solved + row["successes"], tasks + row["tasks"])
    targets = {night["night"]: night["family"] for night in summary.get("nights", ())}
    rows = []
    for night, rates in enumerate(metrics["matrix"]):
        cells = []
        for family, rate in zip(metrics["families"], rates, strict=True):
            solved, tasks = counts.get((night, family), (0, 0))
            cells.append(
                {"rate": rate, "solved": solved, "tasks": tasks, "ci95": wilson_ci95(solved, tasks), "taught": targets.get(night) == family}
            )
        if any(cell["tasks"] for cell in cells):
            rows.append(
                {"label": f"after night {night}" if night else "before any night", "target": targets.get(night, ""), "cells": cells}
            )
    return rows


def _meter(meter: Mapping[str, Any]) -> dict[str, Any]:
    low, high = meter["ci95"]
    verdict = "helps" if low > 0 else "harms" if high < 0 else "undecided"
    return {**meter, "verdict": verdict}


def _rates(meter: Mapping[str, Any], lessons: Sequence[Mapping[str, Any]]) -> str:
    """The forest plot: both arms, then the lessons that were shown most."""
    rows = []
    for name, label, strong in (("treated", "with memory and adapter", True), ("control", "control arm", False)):
        solved, total = meter[name]
        low, high = wilson_ci95(solved, total)
        rows.append((label, solved / total if total else 0.5, low, high, strong))
    shown = sorted(lessons, key=lambda lesson: -(lesson["helped"] + lesson["harmed"]))[:LESSONS_PLOTTED]
    for lesson in shown:
        helped, harmed = lesson["helped"], lesson["harmed"]
        rows.append(
            (
                shorten(lesson["text"], LABEL, placeholder="…"),
                (1 + helped) / (2 + helped + harmed),
                *beta_ci95(helped, harmed),
                lesson["status"] == "active",
            )
        )
    solved, total = meter["control"]
    return _plots.rates_plot(rows, solved / total if total else None)


def _night(night: Mapping[str, Any]) -> dict[str, Any]:
    from markupsafe import Markup

    defaults: dict[str, Any] = {
        "seconds": None,
        "samples": 0,
        "replayed": 0,
        "loss": [],
        "lessons": 0,
        "published": "",
        "reason": "",
        "gate": [],
    }
    full = {**defaults, **night}
    return {**full, "loss_line": Markup(_plots.loss_line(full["loss"])) if len(full["loss"]) > 1 else ""}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def summary_tables(summary: Mapping[str, Any]) -> list[RenderableType]:
    """Compact terminal tables: families, nights, and one line of help against harm and costs."""
    from rich.text import Text

    metrics = summarise_metrics(summary)
    tables: list[RenderableType] = [_family_table(metrics)]
    if summary.get("nights"):
        tables.append(_night_table([_night(night) for night in summary["nights"]]))
    tables.append(Text("\n".join(_closing_lines(summary, metrics))))
    return tables


def _family_table(metrics: Mapping[str, Any]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title="Success on unseen tasks", title_justify="left")
    table.add_column("family")
    for name in ("before its night", "after it", "at the end", "fall from best"):
        table.add_column(name, justify="right")
    for family in metrics["families"]:
        figures = [percent(metrics[key][family]) for key in ("success_before", "success_after", "success_final")]
        fall = metrics["forgetting"][family]
        table.add_row(Text(family), *figures, "–" if fall is None else f"{100 * max(0.0, fall):.1f}")
    return table


def _night_table(nights: Sequence[Mapping[str, Any]]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title="Nights", title_justify="left")
    for name in ("night", "family"):
        table.add_column(name)
    table.add_column("samples", justify="right")
    table.add_column("time", justify="right")
    for name in ("published", "why"):
        table.add_column(name)
    for night in nights:
        samples = f"{night['samples']} + {night['replayed']}"
        published = Text(night["published"] or "no", style="green" if night["published"] else "dim")
        table.add_row(str(night["night"]), Text(night["family"]), samples, duration(night["seconds"]), published, Text(night["reason"]))
    return table


def _closing_lines(summary: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[str]:
    lines = [
        f"average accuracy {percent(metrics['average_accuracy'])}, backward transfer {points(metrics['backward_transfer'])}, "
        f"forward transfer {points(metrics['forward_transfer'])}, worst forgetting {points(metrics['forgetting_max'])} (points)"
    ]
    if meter := summary.get("meter"):
        low, high = meter["ci95"]
        lines.append(f"help against harm: {points(meter['difference'])} points over the control arm [{points(low)}, {points(high)}]")
    if corrections := summary.get("corrections"):
        lines.append(f"corrections used: {corrections['used']} of {corrections['budget']}")
    if metrics["chance_auroc"] is not None:
        after = "" if metrics["answer_chance_auroc"] is None else f", {metrics['answer_chance_auroc']:.2f} with the answer"
        lines.append(f"chance of success, solved above failed (AUROC): {metrics['chance_auroc']:.2f} before the task{after}")
    tokens = metrics["tokens_per_solved"]
    lines.append(f"tokens per solved task: {number(tokens[0])} before, {number(tokens[-1])} at the end")
    return lines
