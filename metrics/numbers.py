"""Figures for people: `format_value`, `percent`, `points`, `duration`, `number`."""

from __future__ import annotations

import math


def format_value(value: float) -> str:
    """Three significant digits or whole numbers; a dash where the value is undefined."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"


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
