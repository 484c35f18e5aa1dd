"""The plan of a night follows from what there is to learn from."""

from __future__ import annotations

from typing import Any

import pytest

from lifelong.agents.consolidation.plan import SkillSituation, plan_night


def situation(**values: Any) -> SkillSituation:
    usual = {
        "corrections": 0,
        "wins": 0,
        "failures": 50,
        "exercises": True,
        "adapter": False,
        "seconds_left": 3600.0,
        "sample_seconds": 1.0,
    }
    return SkillSituation(**{**usual, **values})


@pytest.mark.parametrize(
    ("there_is", "attempts", "exercises"),
    [
        ({}, 0, 600),  # only failures, and nothing that could do better: practice
        ({"adapter": True}, 4, 600),
        ({"adapter": True, "failures": 0}, 0, 600),
        ({"corrections": 5, "adapter": True}, 0, 0),  # right answers are the better lessons
        ({"exercises": False}, 0, 0),
        ({"seconds_left": 100.0}, 0, 50),
        ({"seconds_left": 0.0}, 0, 0),
        ({"sample_seconds": 6.0}, 0, 300),
    ],
)
def test_what_is_done(there_is: dict[str, Any], attempts: int, exercises: int) -> None:
    plan = plan_night(situation(**there_is), mode="auto", exercises=600, attempts=4)
    assert (plan.attempts, plan.exercises) == (attempts, exercises)


@pytest.mark.parametrize(("mode", "exercises"), [("always", 600), ("never", 0), ("auto", 0)])
def test_people_can_want_practice_beside_corrections_or_none(mode: str, exercises: int) -> None:
    assert plan_night(situation(corrections=9), mode=mode, exercises=600, attempts=4).exercises == exercises


def test_the_reason_says_what_there_was_and_what_is_done() -> None:
    plan = plan_night(situation(wins=3, adapter=True), mode="auto", exercises=600, attempts=4)
    assert plan.reason == (
        "no corrections, 3 verified runs, 50 failed tasks: 4 attempts at each failed task and practice with up to 600 exercises"
    )
    short = plan_night(situation(seconds_left=0.0), mode="auto", exercises=600, attempts=4)
    assert "too short" in short.reason
