"""The report's plots as inline SVG whose colours are CSS variables, so that one drawing serves light and dark."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from ..metrics.continual import rolling_mean

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF_WINDOW = 8
"""Tasks on either side in the rolling mean of the stream."""

LINES = 8
"""Colours for families; the ninth family begins again with the first."""

# matplotlib knows no CSS variables: it draws in stand-in colours, which are exchanged in the finished text.
_STAND_INS = {"#000101": "var(--ink)", "#000102": "var(--faint)", "#000103": "var(--rule)", "#000104": "var(--accent)"}
_STAND_INS |= {f"#0002{index:02x}": f"var(--line-{index})" for index in range(LINES)}
INK, FAINT, RULE, ACCENT = list(_STAND_INS)[:4]
_PHASES = {"reflect": 3, "consolidate": 0, "gate": 1, "publish": 2}


def line_colour(index: int) -> str:
    """The stand-in colour of the family at `index`."""
    return f"#0002{index % LINES:02x}"


def _svg(name: str, width: float, height: float, draw: Callable[[Axes], None]) -> str:
    """Draw into a figure of `width` x `height` inches; element ids start from `name`, so that plots share a page."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "text.parse_math": False,
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": FAINT,
        "axes.edgecolor": RULE,
        "xtick.color": RULE,
        "ytick.color": RULE,
        "xtick.labelcolor": FAINT,
        "ytick.labelcolor": FAINT,
    }
    with mpl.rc_context(style), warnings.catch_warnings():
        # The reader's browser draws the text with its own fonts; what matplotlib's font lacks does not matter.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = out.getvalue()
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"<svg ", f'<svg role="img" aria-label="{name}" ', text, count=1)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for stand_in, variable in _STAND_INS.items():
        text = text.replace(stand_in, variable)
    return text


def _percent(axes: Axes, axis: str) -> None:
    ticks, labels = (0, 0.25, 0.5, 0.75, 1), ("0", "25", "50", "75", "100 %")
    if axis == "x":
        axes.set_xticks(ticks, labels)
        axes.set_xlim(-0.02, 1.02)
    else:
        axes.set_yticks(ticks, labels)
        axes.set_ylim(-0.03, 1.05)
    axes.grid(axis="x" if axis == "x" else "y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def stream_plot(stream: Sequence[Mapping[str, Any]], families: Sequence[str]) -> str:
    """Rolling success of each family along the stream, treated tasks only; the window never spans a night."""

    def draw(axes: Axes) -> None:
        _percent(axes, "y")
        treated = [task for task in stream if not task["control"]]
        for index, family in enumerate(families):
            own = [task for task in treated if task["family"] == family]
            for _, group in groupby(own, key=lambda task: task["night"]):
                part = list(group)
                means = rolling_mean([float(bool(task["success"])) for task in part], HALF_WINDOW)
                axes.plot([task["position"] for task in part], means, color=line_colour(index), linewidth=2.2, solid_capstyle="round")
        corrected = [task["position"] for task in stream if task["corrected"]]
        axes.plot(corrected, [-0.015] * len(corrected), "|", color=FAINT, markersize=5, markeredgewidth=0.8, clip_on=False)
        slept = [(before["position"] + after["position"]) / 2 for before, after in _nightfalls(stream)]
        for number, position in enumerate(slept, start=1):
            axes.axvline(position, color=FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
            axes.annotate(
                f"night {number}", (position, 1.03), xytext=(4, 0), textcoords="offset points", color=FAINT, fontsize=8.5, va="top"
            )
        axes.set_xlabel("task")

    return _svg("stream", 9.5, 3.3, draw)


def _nightfalls(stream: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    return [(a, b) for a, b in pairwise(stream) if a["night"] != b["night"]]


def tokens_plot(per_night: Sequence[float | None]) -> str:
    """Tokens for each solved task by night; a night that solved nothing has no bar."""

    def draw(axes: Axes) -> None:
        axes.bar(range(len(per_night)), [value or 0.0 for value in per_night], width=0.44, color=ACCENT)
        highest = max([value for value in per_night if value is not None], default=1.0)
        for night, value in enumerate(per_night):
            label = "none solved" if value is None else f"{value:,.0f}"
            axes.text(night, (value or 0.0) + highest * 0.03, label, ha="center", color=INK, fontsize=9)
        axes.set_xticks(range(len(per_night)), ["before", *(f"night {night}" for night in range(1, len(per_night)))])
        axes.set_ylim(0, highest * 1.15)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.tick_params(length=0)

    return _svg("tokens", 5.0, 2.3, draw)


def rates_plot(rows: Sequence[tuple[str, float, float, float, bool]], reference: float | None) -> str:
    """A forest plot of rates: label, rate, lower and upper bound, strong or faint; `reference` is a dashed line."""

    def draw(axes: Axes) -> None:
        _percent(axes, "x")
        axes.spines["left"].set_visible(False)
        for line, (_, rate, low, high, strong) in enumerate(rows):
            colour = ACCENT if strong else FAINT
            axes.plot([low, high], [line, line], color=colour, linewidth=1.8, solid_capstyle="round")
            axes.plot([rate], [line], "o", color=colour, markersize=6)
        if reference is not None:
            axes.axvline(reference, color=FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)

    return _svg("rates", 7.2, 0.62 + 0.34 * max(2, len(rows)), draw)


def phases_plot(nights: Sequence[Mapping[str, Any]]) -> str:
    """Seconds of each night by phase."""

    def draw(axes: Axes) -> None:
        for line, night in enumerate(nights):
            start = 0.0
            for phase, seconds in night.get("phases", {}).items():
                axes.barh(line, seconds, left=start, height=0.5, color=line_colour(_PHASES.get(phase, 4)))
                start += seconds
        axes.set_yticks(range(len(nights)), [f"night {night['night']}" for night in nights])
        axes.set_ylim(len(nights) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=RULE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_xlabel("seconds")

    return _svg("phases", 6.6, 0.9 + 0.36 * len(nights), draw)


def phase_colours(nights: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Colour index of every phase that some night had, for the legend."""
    return {phase: _PHASES.get(phase, 4) for night in nights for phase in night.get("phases", {})}


def loss_line(loss: Sequence[float]) -> str:
    """A night's training loss by epoch, as a small line without axes, from its lowest to its highest value."""
    low, spread = min(loss), (max(loss) - min(loss)) or 1.0
    dots = [(100 * index / max(1, len(loss) - 1), 22 - 20 * (value - low) / spread) for index, value in enumerate(loss)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    return (
        '<svg viewBox="-3 -1 106 26" role="img" aria-label="loss by epoch">'
        f'<polyline points="{path}" fill="none" stroke="var(--accent)" stroke-width="1.8" stroke-linejoin="round"/>'
        f'<circle cx="{dots[-1][0]:.1f}" cy="{dots[-1][1]:.1f}" r="2.6" fill="var(--accent)"/></svg>'
    )
