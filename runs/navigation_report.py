"""The report of a run of navigation: what was learned, stage by stage, and paths on the map. One page without outside files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.paths import AnyPath, draft_path
from ..envs.navigation.paths import DIRECTIONS, GridMap, Pose
from .navigation_figures import DECLINED, FAILURES
from .plots import ACCENT, FAINT, INK, RULE, _svg, line_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TEMPLATE = "navigation.html.jinja"
MAP_INCHES = 2.6
"""Side of a map."""
MARKERS = {"ball": "o", "box": "s", "key": "P"}
"""What stands for a kind of object."""


@dataclass(frozen=True, kw_only=True)
class PathOnMap:
    """An episode as it went."""

    stage: int
    """Whose task it was."""
    category: str
    """What was looked for."""
    grid_map: GridMap
    """The scene as it began."""
    poses: tuple[Pose, ...]
    """Where the agent was, before the first action and after each."""
    ended: str
    """How it ended: found, not found, or why it was declined."""


def write_navigation_report(summary: Mapping[str, Any], paths: Sequence[PathOnMap], file: AnyPath) -> Path:
    """Write the page; returns `file`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    maps = [{"path": one, "drawing": Markup(path_plot(one))} for one in paths]
    file = Path(file)
    draft = draft_path(file)
    draft.write_text(
        environment.get_template(TEMPLATE).render(summary=summary, maps=maps, declined=DECLINED, failures=FAILURES), encoding="utf-8"
    )
    draft.replace(file)
    return file


def path_plot(path: PathOnMap) -> str:
    """The scene from above with the agent's way through it as SVG: the goal in the accent colour, the way ends in an arrow."""
    grid_map, cells = path.grid_map, [pose.cell for pose in path.poses]
    columns, rows = (max(cell[axis] for cell in [*grid_map.free, *grid_map.objects, *cells]) + 2 for axis in (0, 1))

    def draw(axes: Axes) -> None:
        axes.set_xlim(0, columns)
        axes.set_ylim(rows, 0)
        axes.set_aspect("equal")
        axes.axis("off")
        for column in range(columns):
            for row in range(rows):
                if (column, row) not in grid_map.free and (column, row) not in grid_map.objects and (column, row) not in cells:
                    axes.fill([column, column + 1, column + 1, column], [row, row, row + 1, row + 1], color=RULE)
        for column, row in grid_map.closed:
            axes.plot([column + 0.5], [row + 0.5], marker="D", markersize=5, color=FAINT, markerfacecolor="none")
        for (column, row), name in grid_map.objects.items():
            wanted = name == path.category
            axes.plot(
                [column + 0.5],
                [row + 0.5],
                marker=MARKERS[name.split()[-1]],
                markersize=9 if wanted else 6,
                color=ACCENT if wanted else FAINT,
            )
        colour = line_colour(1)
        axes.plot([column + 0.5 for column, _ in cells], [row + 0.5 for _, row in cells], color=colour, linewidth=1.8)
        axes.plot([cells[0][0] + 0.5], [cells[0][1] + 0.5], marker=".", markersize=8, color=INK)
        right, down = DIRECTIONS[path.poses[-1].heading]
        end = (cells[-1][0] + 0.5, cells[-1][1] + 0.5)
        axes.annotate("", xy=(end[0] + 0.45 * right, end[1] + 0.45 * down), xytext=end, arrowprops={"arrowstyle": "->", "color": colour})

    return _svg(f"path-{path.stage}", MAP_INCHES * columns / rows, MAP_INCHES, draw)
