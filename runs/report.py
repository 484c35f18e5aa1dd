"""The report of a run: `write_report` makes one self-contained page, `summary_tables` and `closing_lines` the version for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..core.paths import AnyPath, draft_path
from ..metrics.numbers import duration, number, percent, points
from ..metrics.statistics import beta_ci95, wilson_ci95
from ..metrics.tables import TextTable
from . import plots as _plots
from .renamed import current_summary
from .summary import summarise_metrics

TEMPLATE = "report.html.jinja"
LESSONS_PLOTTED = 12
"""Most lessons in the chart of rates; the table has them all."""


def write_report(summary: Mapping[str, Any], path: AnyPath) -> Path:
    """Write the run's page to `path`: no outside file, light and dark. Returns `path`.

    `summary` is what `lifelong run` writes to `summary.json`; components that are missing leave their section out.
    """
    path = Path(path)
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "points": points, "duration": duration, "number": number}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = draft_path(path)
    draft.write_text(environment.get_template(TEMPLATE).render(**_context(summary)), encoding="utf-8")
    draft.replace(path)
    return path


def _context(summary: Mapping[str, Any]) -> dict[str, Any]:
    from markupsafe import Markup

    summary = current_summary(summary)
    metrics = summarise_metrics(summary)
    stream, nights, lessons = (list(summary.get(name, ())) for name in ("stream", "nights", "lessons"))
    effect = _effect(summary)
    return {
        "summary": {"method": "lifelong", "seed": 0, "commit": "", "machine": "", "seconds": None, "corrections": None, **summary},
        "metrics": metrics,
        "headline": _headline(metrics),
        "matrix": _matrix(summary, metrics),
        "stream": stream,
        "stream_plot": Markup(_plots.stream_plot(stream, metrics["environments"])) if stream else "",
        "half_window": _plots.HALF_WINDOW,
        "tokens_plot": Markup(_plots.tokens_plot(metrics["tokens_per_solved"])) if summary.get("evaluations") else "",
        "effect": effect,
        "rates": _rates(effect, lessons) if effect else [],
        "examples": list(summary.get("examples", ())),
        "episodes": {episode["id"]: episode for episode in summary.get("episodes", ())},
        # Numbers, because an episode's id may hold characters that an anchor may not.
        "anchors": {episode["id"]: number for number, episode in enumerate(summary.get("episodes", ()), start=1)},
        "lessons": [{**lesson, "ci95": beta_ci95(lesson["helped"], lesson["harmed"])} for lesson in lessons],
        "lessons_plotted": LESSONS_PLOTTED,
        "nights": [_night(night) for night in nights],
        "phases_plot": Markup(_plots.phases_plot(nights)) if any(night.get("phases") for night in nights) else "",
        "phase_colours": _plots.phase_colours(nights),
        "settings": sorted((name, value) for name, value in _flat(summary.get("settings", {})).items() if name != "seed"),
        "versions": sorted(summary.get("versions", {}).items()),
    }


def _headline(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Before any night against the end; `None` for a mean over environments of which some were not measured."""
    before, final = (metrics["matrix"][index] for index in (0, -1))
    return {
        "before": None if None in before or not before else sum(before) / len(before),
        "final": None if None in final or not final else sum(final) / len(final),
        "tokens_before": metrics["tokens_per_solved"][0],
        "tokens_final": metrics["tokens_per_solved"][-1],
    }


def _matrix(summary: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of the heat table: a label, and for each environment the rate, its counts and whether this night taught it."""
    counts: dict[tuple[int, str], tuple[int, int]] = {}
    for row in summary.get("evaluations", ()):
        solved, tasks = counts.get((row["night"], row["environment"]), (0, 0))
        counts[row["night"], row["environment"]] = (solved + row["successes"], tasks + row["tasks"])
    targets = {night["night"]: night["environment"] for night in summary.get("nights", ())}
    rows = []
    for night, rates in enumerate(metrics["matrix"]):
        cells = []
        for environment, rate in zip(metrics["environments"], rates, strict=True):
            solved, tasks = counts.get((night, environment), (0, 0))
            ci95, taught = wilson_ci95(solved, tasks), targets.get(night) == environment
            cells.append({"rate": rate, "solved": solved, "tasks": tasks, "ci95": ci95, "taught": taught})
        if any(cell["tasks"] for cell in cells):
            rows.append(
                {"label": f"after night {night}" if night else "before any night", "target": targets.get(night, ""), "cells": cells}
            )
    return rows


def _effect(summary: Mapping[str, Any]) -> dict[str, Any] | None:
    """Tasks with memory and adapters against the control arm, with a verdict and a sentence; None where nothing was counted."""
    effect = summary.get("memory_effect")
    if not effect:
        return None
    (treated, treated_total), (control, control_total), (low, high) = effect["treated"], effect["control"], effect["ci95"]
    arms = f"with memory {treated} of {treated_total} tasks solved, without {control} of {control_total}"
    if not treated_total or not control_total:
        empty = "the control arm" if treated_total else "the arm with memory" if control_total else "both arms"
        verb = "are" if empty == "both arms" else "is"
        words = f"effect of memory: not measured, because {empty} {verb} empty ({arms})"
        return {**effect, "verdict": "unmeasured", "empty": empty, "words": words}
    verdict = "helps" if low > 0 else "harms" if high < 0 else "undecided"
    words = f"effect of memory: {points(effect['difference'])} points [{points(low)}, {points(high)}]; {arms}"
    return {**effect, "verdict": verdict, "words": words}


def _rates(effect: Mapping[str, Any], lessons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of the chart of rates: both arms, then the lessons that were shown most; what was never tried has no rate and no line."""
    rows: list[dict[str, Any]] = []
    for name, label in (("treated", "with memory and adapter"), ("control", "control arm, without both")):
        solved, total = effect[name]
        if total:
            rows.append({"label": label, "rate": solved / total, "ci95": wilson_ci95(solved, total), "strong": name == "treated"})
    shown = [lesson for lesson in lessons if lesson["helped"] + lesson["harmed"]]
    for lesson in sorted(shown, key=lambda lesson: -(lesson["helped"] + lesson["harmed"]))[:LESSONS_PLOTTED]:
        helped, harmed = lesson["helped"], lesson["harmed"]
        rate, strong = (1 + helped) / (2 + helped + harmed), lesson["status"] == "active"
        rows.append({"label": lesson["text"], "rate": rate, "ci95": beta_ci95(helped, harmed), "strong": strong})
    return rows


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


def summary_tables(summary: Mapping[str, Any]) -> list[TextTable]:
    """The run in two tables: environments, and nights where there were any."""
    summary = current_summary(summary)
    metrics = summarise_metrics(summary)
    tables = [_environment_table(metrics)]
    if summary.get("nights"):
        tables.append(_night_table([_night(night) for night in summary["nights"]]))
    return tables


def _environment_table(metrics: Mapping[str, Any]) -> TextTable:
    rows = []
    for environment in metrics["environments"]:
        rates = [percent(metrics[key][environment]) for key in ("success_before", "success_after", "success_final")]
        fall = metrics["forgetting"][environment]
        rows.append((environment, *rates, "–" if fall is None else f"{100 * max(0.0, fall):.1f}"))
    header = ("environment", "before its night", "after it", "at the end", "points below best")
    return TextTable(title="Success on unseen tasks", header=header, rows=tuple(rows))


def _night_table(nights: Sequence[Mapping[str, Any]]) -> TextTable:
    rows = tuple(
        (
            str(night["night"]),
            night["environment"],
            f"{night['samples']} + {night['replayed']}",
            duration(night["seconds"]),
            night["published"] or "no",
            night["reason"],
        )
        for night in nights
    )
    header = ("night", "environment", "samples + replayed", "time", "published", "why")
    return TextTable(title="Nights", header=header, rows=rows, left=(0, 1, 4, 5))


def closing_lines(summary: Mapping[str, Any]) -> list[str]:
    """What the tables do not hold: transfer, the effect of memory, corrections, plans of nights, foresight and cost, a line each."""
    summary = current_summary(summary)
    metrics = summarise_metrics(summary)
    lines = [
        f"average accuracy {percent(metrics['average_accuracy'])}, backward transfer {points(metrics['backward_transfer'])}, "
        f"forward transfer {points(metrics['forward_transfer'])}, worst forgetting {points(metrics['forgetting_max'])} (points)"
    ]
    if effect := _effect(summary):
        lines.append(effect["words"])
    if corrections := summary.get("corrections"):
        lines.append(f"corrections used: {corrections['used']} of {corrections['budget']}")
    # Where somebody corrects, a night learns from that, which goes without saying.
    plans = [(night, night.get("plan", "")) for night in summary["nights"] if night.get("practised") or "attempts" in night.get("plan", "")]
    lines += [f"night {night['night']} over {night['environment']}: {plan}" for night, plan in plans]
    if metrics["chance_auroc"] is not None:
        after = "" if metrics["answer_chance_auroc"] is None else f", {metrics['answer_chance_auroc']:.2f} with the answer"
        lines.append(f"chance of success, solved above failed (AUROC): {metrics['chance_auroc']:.2f} before the task{after}")
    tokens = metrics["tokens_per_solved"]
    lines.append(f"tokens per solved task: {number(tokens[0])} before, {number(tokens[-1])} at the end")
    return lines
