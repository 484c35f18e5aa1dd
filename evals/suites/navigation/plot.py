"""Success after each stage, a curve a method."""

from __future__ import annotations

from collections.abc import Sequence

from ...data.curve_plots import CurvePoint, curves_plot
from ...results_file import Row

NAMES = {
    "lifelong_cnav": "C-NAV, 100 kB",
    "data_replay": "all data replayed",
    "data_replay_same_bytes": "data replay, 100 kB",
    "cnav_without_replay": "C-NAV without replay",
    "cnav_without_distillation": "C-NAV without distillation",
    "fine_tuning": "fine-tuning",
    "joint": "joint training",
}
"""Methods that are drawn, and what they are called there."""
_METRIC = "success_after_stage_"


def plot(rows: Sequence[Row]) -> str | None:
    """Success on all categories so far against the number of stages; none where fewer than two stages were measured."""
    curves: dict[str, list[CurvePoint]] = {}
    for row in rows:
        if row.method in NAMES and row.metric.startswith(_METRIC):
            interval = None if row.ci95 is None else (100 * row.ci95[0], 100 * row.ci95[1])
            stage = float(row.metric.removeprefix(_METRIC))
            curves.setdefault(NAMES[row.method], []).append(CurvePoint(x=stage, y=100 * row.value, interval=interval))
    ticks = sorted({point.x for points in curves.values() for point in points})
    if len(ticks) < 2:
        return None
    return curves_plot(
        "navigation-stages", curves, ours=(NAMES["lifelong_cnav"],), x="stages taught", y="success on all categories so far, %", ticks=ticks
    )
