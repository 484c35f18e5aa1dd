"""A path on a map, and a page from a made summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifelong.envs.navigation.paths import GridMap, Pose
from lifelong.runs.navigation_figures import DECLINED, FAILURES
from lifelong.runs.navigation_report import PathOnMap, path_plot, write_navigation_report

pytest.importorskip("matplotlib")

FREE = frozenset({(1, 1), (2, 1), (3, 1)})
PATH = PathOnMap(
    stage=2,
    category="red ball",
    grid_map=GridMap(free=FREE, closed=frozenset({(3, 1)}), objects={(4, 1): "red ball", (1, 2): "grey key"}),
    poses=(Pose(cell=(1, 1), heading=0), Pose(cell=(2, 1), heading=0)),
    ended="unlikely to succeed",
)
NIGHT = {
    "stage": 1, "categories": ["red <ball>"], "awake": 1, "tasks": 4, "learned_from": 5, "published": False, "kept_bytes": 12345,
    "success": [[1, 4]], "seconds": 3.0, "refused": 7, "given_up": 6,
    "declined": {name: [3, 11] for name in DECLINED} | {"doomed_given_up": [5, 13]},
    "failures": dict.fromkeys(FAILURES, 17),
}  # fmt: skip


def test_a_path_is_drawn() -> None:
    drawn = path_plot(PATH)
    assert drawn.startswith("<svg")
    assert "var(--accent)" in drawn
    assert "#0001" not in drawn


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_page_shows_what_was_learned(forgotten: bool, tmp_path: Path) -> None:
    receipt = {
        "category": "red ball", "episodes": 8, "erasure": "exact", "rebuilt": ["stage-1"], "before": 3, "after": 1, "tasks": 4, "left": 0,
        "success": [[0, 4]], "refused": [2, 4],
    }  # fmt: skip
    summary = {
        "seed": 0,
        "commit": "abc",
        "machine": "one",
        "tasks": [4, 4, 2],
        "nights": [NIGHT],
        "forgotten": receipt if forgotten else None,
    }
    page = write_navigation_report(summary, [PATH], tmp_path / "report.html").read_text()
    assert "red &lt;ball&gt;" in page
    assert "0.25" in page
    assert "12,345" in page
    assert ("Forgotten: red ball" in page) == forgotten
    assert "stage 2: red ball, unlikely to succeed" in page
    assert "failures given up" in page
    assert "<td>5/13</td>" in page
    assert page.count("<td>17</td>") == len(FAILURES)
    assert "<td>7</td><td>6</td>" in page
    assert ("2 of 4 are refused as unknown" in page) == forgotten
