"""Plots that a suite leaves beside its figures: curves of several methods, as SVG files that stand alone in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...runs.plots import ACCENT, FAINT, RULE, _svg, line_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 7.6, 4.0
"""Inches."""
SPACING = 13.0
"""Least distance of two labels, in points."""
STYLE = """<style>
:root { color-scheme: light dark; font-family: system-ui, sans-serif;
  --ink: #23292a; --faint: #63706f; --rule: #d5dad6; --accent: #2f6f6b;
  --line-0: #a4527a; --line-1: #c9803a; --line-2: #5a6fb0; --line-3: #7d8b3c;
  --line-4: #8a6d4b; --line-5: #4f8fb5; --line-6: #b3574a; --line-7: #6f6a76; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e4e8e5; --faint: #9aa6a3; --rule: #3a4241; --accent: #6fb9b1;
  --line-0: #d58bb0; --line-1: #e0a468; --line-2: #93a5e2; --line-3: #b3c06f;
  --line-4: #c4a27a; --line-5: #84bfe0; --line-6: #e0897c; --line-7: #a9a4b0; } }
text { font-family: system-ui, sans-serif !important; }
</style>"""


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """One figure of a curve."""

    x: float
    """Where."""
    y: float
    """How much."""
    interval: tuple[float, float] | None = None
    """95 % interval of it, where there is one."""


def curves_plot(
    name: str,
    curves: Mapping[str, Sequence[CurvePoint]],
    *,
    ours: Sequence[str],
    x: str,
    y: str,
    ticks: Sequence[float],
    bar: tuple[float, str] | None = None,
    log_x: bool = True,
    log_y: bool = False,
) -> str:
    """Curves by name over an axis that is logarithmic unless `log_x` is off, those in `ours` emphasised.

    `bar` is a dashed line at a height with its words; `x` and `y` are the axes' labels, `ticks` those of the first.
    """

    def draw(axes: Axes) -> None:
        if log_x:
            axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
        axes.minorticks_off()
        if log_y:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.grid(color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        if bar is not None:
            axes.axhline(bar[0], color=FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
            axes.annotate(bar[1], (ticks[0], bar[0]), xytext=(2, 3), textcoords="offset points", color=FAINT, fontsize=8.5)
        colours = dict(zip((one for one in curves if one not in ours), map(line_colour, range(len(curves))), strict=False))
        for one, points in curves.items():
            _curve(axes, sorted(points, key=lambda point: point.x), ACCENT if one in ours else colours[one], one in ours)
        axes.margins(y=0.1)
        _label_ends(axes, {one: max(points, key=lambda point: point.x) for one, points in curves.items()}, colours, ours)

    return standing_alone(_svg(name, WIDTH, HEIGHT, draw))


def standing_alone(drawn: str) -> str:
    """An SVG with its colours in it, in their light and dark values, so that a page can show it as a picture."""
    return drawn.replace(">", f">\n{STYLE}", 1)


def _curve(axes: Axes, points: Sequence[CurvePoint], colour: str, strong: bool) -> None:
    xs, ys = [point.x for point in points], [point.y for point in points]
    for point in points:
        if point.interval is not None:
            axes.plot([point.x, point.x], point.interval, color=colour, linewidth=1.0, solid_capstyle="butt")
    width, size = (2.8, 6.0) if strong else (1.5, 3.5)
    axes.plot(xs, ys, "o-", color=colour, linewidth=width, markersize=size, solid_capstyle="round", zorder=3 if strong else 2)


def _label_ends(axes: Axes, ends: Mapping[str, CurvePoint], colours: Mapping[str, str], ours: Sequence[str]) -> None:
    """Each curve's name beside its last point, moved up where it would cover another's."""
    axes.figure.draw_without_rendering()  # type: ignore[union-attr]  # settles the layout that heights are read from
    points_a_pixel = 72 / axes.figure.dpi
    low = -float("inf")
    for name, end in sorted(ends.items(), key=lambda item: item[1].y):
        height = float(axes.transData.transform((end.x, end.y))[1]) * points_a_pixel
        place = max(height, low + SPACING)
        low = place
        axes.annotate(
            name,
            (end.x, end.y),
            xytext=(9, place - height),
            textcoords="offset points",
            va="center",
            color=ACCENT if name in ours else colours[name],
            fontsize=9.5,
            fontweight="bold" if name in ours else "normal",
            annotation_clip=False,
        )
