"""What is counted of declined episodes, by made ones."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from lifelong.envs.navigation.objectnav_grid import NavigationMeasures
from lifelong.learners.navigation.abstention import Abstention, Decline
from lifelong.learners.navigation.navigator import Navigator
from lifelong.learners.navigation.traces import EpisodeTrace, NavigationResult
from lifelong.runs.navigation_figures import FAILURES, declined_counts, declined_table, failure_counts, hits, success_table


class Told(Abstention):
    """Declines what its episode's first feature says, before the action of that number."""

    def declined(self, trace: EpisodeTrace) -> tuple[int, Decline] | None:
        code = int(trace.aligned[0, 0])
        reason = {1: "unknown goal", 2: "unlikely to succeed"}.get(code)
        return (2, Decline(reason=reason, text="")) if reason else None  # type: ignore[arg-type]


class Taught:
    taught = ("red ball",)


def made(category: str, success: bool, code: int, steps: int = 6) -> EpisodeTrace:
    return EpisodeTrace(
        result=NavigationResult(
            success=success, measures=NavigationMeasures(category=category, shortest=1, taken=1, distance=0), steps=steps
        ),
        views=np.zeros((steps, 7, 7, 3), dtype=np.uint8),
        aligned=np.full((steps, 1), code, dtype=np.float32),
        temporal=np.zeros((steps, 1), dtype=np.float32),
    )


TRACES = [
    made("red ball", True, 0),
    made("red ball", True, 1),
    made("red ball", True, 2),
    made("red ball", False, 2),
    made("red ball", False, 0),
    made("grey key", False, 1),
    made("grey key", False, 2, steps=10),
    made("grey key", True, 1),
]


def test_what_is_declined_is_counted_by_what_it_was() -> None:
    found = declined_counts(cast(Navigator, Taught()), Told(), TRACES)
    assert found == {
        "unknown_refused": [2, 3],
        "taught_refused": [1, 5],
        "doomed_given_up": [1, 2],
        "good_given_up": [1, 3],
        "actions_saved": [4 + 4 + 8, 6 + 6 + 6 + 10],
    }
    assert hits(TRACES) == [4, 8]


def test_failures_are_told_by_what_was_seen_and_how_they_ended() -> None:
    from minigrid.core.constants import COLOR_TO_IDX, OBJECT_TO_IDX

    seen = [made("red ball", False, 0, steps=40), made("red ball", False, 0, steps=39), made("red ball", True, 0)]
    for one in seen:
        one.views[3, 2, 5, :2] = (OBJECT_TO_IDX["ball"], COLOR_TO_IDX["red"])
    other = made("red ball", False, 0, steps=40)
    other.views[3, 2, 5, :2] = (OBJECT_TO_IDX["ball"], COLOR_TO_IDX["green"])
    counts = failure_counts(cast(Navigator, Taught()), [*seen, other, made("grey key", False, 0)])
    assert [counts[name] for name in FAILURES] == [1, 1, 1, 0]


@pytest.mark.parametrize("table", [success_table, declined_table])
def test_a_table_has_a_row_a_night(table: object) -> None:
    night = {"stage": 2, "success": [[1, 4]] * 4, "declined": declined_counts(cast(Navigator, Taught()), Told(), TRACES)}
    made_table = table([night])  # type: ignore[operator]
    assert len(made_table.header) == len(made_table.rows[0])
    assert made_table.rows[0][0] == "stage 2"
    assert made_table.rows[0][1] in ("0.25", "2/3")
