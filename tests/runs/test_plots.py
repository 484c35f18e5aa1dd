"""The report's charts."""

from __future__ import annotations

import re

from lifelong.metrics.statistics import wilson_ci95
from lifelong.runs.plots import loss_line, phases_plot, rolling_intervals, stream_plot, tokens_plot


def test_intervals_of_windows_that_the_ends_cut_short() -> None:
    solved = [True, True, False, True, False]
    bands = rolling_intervals(solved, 1)
    assert bands == [wilson_ci95(2, 2), wilson_ci95(2, 3), wilson_ci95(2, 3), wilson_ci95(1, 3), wilson_ci95(1, 2)]
    assert rolling_intervals([], 8) == []


def test_every_chart_is_drawn_for_a_wide_page_and_for_a_phone() -> None:
    task = {"environment": "a", "success": True, "control": False, "corrected": False}
    stream = [{**task, "position": n, "night": n // 10, "success": n % 3 > 0} for n in range(30)]
    charts = (stream_plot(stream, ["a"]), tokens_plot([None, 300.0]), phases_plot([{"night": 1, "phases": {"gate": 2.0}}]))
    for chart in charts:
        assert re.findall(r'<div class="(\w+)"><svg', chart) == ["wide", "narrow"]
        widths = [float(width) for width in re.findall(r'<svg [^>]*?width="([\d.]+)pt"', chart)]
        assert widths[1] < widths[0]
        assert widths[1] <= 260, "letters of ten points stay readable when a phone's width is filled"
    assert "night 1" in charts[0]
    assert "none solved" in charts[1]


def test_a_loss_that_never_changes_is_a_line() -> None:
    assert "nan" not in loss_line([0.5, 0.5, 0.5])
