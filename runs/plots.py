"""The report's plots as inline SVG whose colours are CSS variables, so that one drawing serves light and dark."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from ..metrics.continual import rolling_mean
from ..metrics.statistics import wilson_ci95

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HALF_WINDOW = 8
"""Tasks on either side in the rolling mean of the stream."""

LINES = 8
"""Colours for environments; the ninth begins again with the first."""

# matplotlib knows no CSS variables: it draws in stand-in colours, which are exchanged in the finished text.
_STAND_INS = {"#000101": "var(--ink)", "#000102": "var(--faint)", "#000103": "var(--rule)", "#000104": "var(--accent)"}
_STAND_INS |= {f"#0002{index:02x}": f"var(--line-{index})" for index in range(LINES)}
INK, FAINT, RULE, ACCENT = list(_STAND_INS)[:4]
_PHASES = {"reflect": 3, "consolidate": 0, "gate": 1, "publish": 2}


def line_colour(index: int) -> str:
    """The stand-in colour of the environment at `index`."""
    return f"#0002{index % LINES:02x}"


def _responsive(name: str, wide: tuple[float, float], narrow: tuple[float, float], draw: Callable[[Axes], None]) -> str:
    """The same drawn twice, for a wide page and for a phone: a page scales a drawing with its letters, so one size cannot serve both."""
    drawings = (_svg(f"{name}-{kind}", *size, draw) for kind, size in (("wide", wide), ("narrow", narrow)))
    return "".join(f'<div class="{kind}">{drawing}</div>' for kind, drawing in zip(("wide", "narrow"), drawings, strict=True))


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
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r"<svg ", f'<svg role="img" aria-label="{name}" ', text, count=1)
    text = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", text)
    for stand_in, variable in _STAND_INS.items():
        text = text.replace(stand_in, variable)
    return text


def _percent(axes: Axes) -> None:
    axes.set_yticks((0, 0.25, 0.5, 0.75, 1), ("0", "25", "50", "75", "100 %"))
    axes.set_ylim(-0.03, 1.05)
    axes.grid(axis="y", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)


def stream_plot(stream: Sequence[Mapping[str, Any]], environments: Sequence[str]) -> str:
    """Rolling success of each environment along the stream with a 95 % band, treated tasks only; the window never spans a night."""

    def draw(axes: Axes) -> None:
        _percent(axes)
        treated = [task for task in stream if not task["control"]]
        for index, environment in enumerate(environments):
            own = [task for task in treated if task["environment"] == environment]
            for _, group in groupby(own, key=lambda task: task["night"]):
                part = list(group)
                solved = [bool(task["success"]) for task in part]
                positions, colour = [task["position"] for task in part], line_colour(index)
                low, high = zip(*rolling_intervals(solved, HALF_WINDOW), strict=True)
                axes.fill_between(positions, low, high, color=colour, alpha=0.16, linewidth=0)
                axes.plot(positions, rolling_mean([float(one) for one in solved], HALF_WINDOW), color=colour, linewidth=2.2)
        corrected = [task["position"] for task in stream if task["corrected"]]
        axes.plot(corrected, [-0.015] * len(corrected), "|", color=FAINT, markersize=5, markeredgewidth=0.8, clip_on=False)
        slept = [(before["position"] + after["position"]) / 2 for before, after in _nightfalls(stream)]
        for number, position in enumerate(slept, start=1):
            axes.axvline(position, color=FAINT, linewidth=0.9, linestyle=(0, (2, 3)))
            label = f"night {number}" if len(slept) < 4 else str(number)
            axes.annotate(label, (position, 1.05), xytext=(0, 2), textcoords="offset points", color=FAINT, fontsize=8.5, ha="center")
        axes.locator_params(axis="x", nbins=6)
        axes.set_xlabel("task")

    return _responsive("stream", (9.5, 3.3), (3.5, 2.9), draw)


def rolling_intervals(solved: Sequence[bool], half_window: int) -> list[tuple[float, float]]:
    """Wilson's 95 % interval of the success rate in the window of each position, which the two ends cut short.

    Neighbouring windows share tasks, so the bands of neighbouring positions are not independent.
    """
    windows = (solved[max(0, place - half_window) : place + half_window + 1] for place in range(len(solved)))
    return [wilson_ci95(sum(window), len(window)) for window in windows]


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

    return _responsive("tokens", (5.0, 2.3), (3.5, 2.3), draw)


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

    height = 0.9 + 0.36 * len(nights)
    return _responsive("phases", (6.6, height), (3.5, height), draw)


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
