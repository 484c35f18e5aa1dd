"""Figures as people read them."""

from __future__ import annotations

import math

from lifelong.metrics.numbers import duration, format_value, number, percent, points


def test_figures_for_people() -> None:
    assert [percent(x) for x in (None, 0.0, 0.014, 0.333, 1.0)] == ["–", "0 %", "1.4 %", "33 %", "100 %"]
    assert [points(x) for x in (None, 0.0, 0.621, -0.02, 0.0004)] == ["–", "±0", "+62.1", "−2.0", "±0"]
    assert [duration(x) for x in (None, 2.34, 42.0, 762.0, 7260.0)] == ["–", "2.3 s", "42 s", "12 min 42 s", "2 h 01 min"]


def test_three_significant_digits() -> None:
    assert [format_value(x) for x in (0.66666, 1.234, 12.34, 1234.4, -0.5, math.inf, math.nan)] == [
        "0.667", "1.23", "12.3", "1,234", "-0.500", "–", "–",
    ]  # fmt: skip
    assert number(None) == "–"
    assert number(0.25) == "0.250"
