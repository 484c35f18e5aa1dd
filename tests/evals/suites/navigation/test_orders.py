"""Stages that come back have scenes of their own; goals without a reset are counted apart from the first."""

from __future__ import annotations

import pytest

from lifelong.evals.data.seeded import Rate
from lifelong.evals.suites.navigation import orders
from lifelong.evals.suites.navigation.stages import QUICK, Taught, stage_data, taught
from lifelong.learners.navigation.trajectories import Trajectory


@pytest.fixture(scope="module")
def small() -> Taught:
    return taught("lifelong_cnav", QUICK, stage_data(QUICK, "test", 0), 0)[0]


def test_every_method_is_taught_every_stage_twice(small: Taught, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded: list[list[Trajectory]] = []
    monkeypatch.setattr(orders, "METHODS", ("fine_tuning",))
    record = orders.record

    def kept(*arguments: object) -> list[Trajectory]:
        recorded.append(record(*arguments))  # type: ignore[arg-type]
        return recorded[-1]

    monkeypatch.setattr(orders, "record", kept)
    figures = orders.recurring(small)
    assert set(figures) == {
        ("fine_tuning", name) for name in ("first_time_success", "before_return_success", "after_return_success", "last_success")
    }
    assert len(recorded) == orders.ROUNDS * QUICK.stages
    first, again = ({one.views.tobytes() for one in recorded[place]} for place in (0, QUICK.stages))
    assert first.isdisjoint(again)
    assert {one.category for one in recorded[0]} & {one.category for one in recorded[QUICK.stages]}


def test_goals_without_a_reset(small: Taught) -> None:
    figures = orders.no_reset(small)
    for method in ("lifelong_cnav", "fresh_state"):
        first, later = figures[method, "first_goal_success"], figures[method, "later_goals_success"]
        assert isinstance(first, Rate)
        assert isinstance(later, Rate)
        assert (first.trials, later.trials) == (QUICK.scenes, QUICK.scenes * (QUICK.goals - 1))
    # The first goal is met with nothing to carry.
    assert figures["lifelong_cnav", "first_goal_success"] == figures["fresh_state", "first_goal_success"]
