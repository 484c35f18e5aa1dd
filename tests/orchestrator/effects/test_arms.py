"""Arms are drawn by session, and the placebo is as long as what it stands for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lifelong.core import Recall, Settings, SettingsError, Task
from lifelong.orchestrator.effects import Arm, arm_of, placebo_of
from lifelong.orchestrator.effects.arms import neutral_text

TASK = Task(id="same", goal="the same question", environment="chat")
SETTINGS = Settings().with_values({"wake.control_share": 0.3, "wake.placebo_share": 0.2})


def test_an_arm_is_drawn_by_session_and_time_and_never_by_the_words() -> None:
    arms = [arm_of(SETTINGS, TASK, f"episode-{number}") for number in range(1000)]
    assert arms == [arm_of(SETTINGS, TASK, f"episode-{number}") for number in range(1000)]
    assert 250 < arms.count(Arm.CONTROL) < 350
    assert 150 < arms.count(Arm.PLACEBO) < 250
    sessions = [{arm_of(SETTINGS, replace(TASK, session=f"s{n}"), f"{k}") for k in range(5)} for n in range(100)]
    assert all(len(arm) == 1 for arm in sessions), "a session is of one arm"
    assert {arm.pop() for arm in sessions} == set(Arm)


def test_the_control_arm_does_not_depend_on_the_share_of_the_placebo() -> None:
    without = SETTINGS.with_values({"wake.placebo_share": 0})
    for number in range(200):
        assert (arm_of(SETTINGS, TASK, f"{number}") is Arm.CONTROL) == (arm_of(without, TASK, f"{number}") is Arm.CONTROL)
        assert arm_of(without, TASK, f"{number}") is not Arm.PLACEBO
    with pytest.raises(SettingsError, match="together"):
        SETTINGS.with_values({"wake.placebo_share": 0.8})


@pytest.mark.parametrize("length", [20, 100, 2000])
def test_a_placebo_is_as_long_as_what_it_stands_for_and_cites_nothing(length: int) -> None:
    placebo = placebo_of(Recall(text="x" * length, lessons=("l",), episodes=("e",)))
    assert placebo is not None
    assert length - 15 < len(placebo.text) <= length
    assert (placebo.lessons, placebo.episodes) == ((), ())
    assert neutral_text(length).startswith("Water boils")


def test_nothing_has_no_placebo() -> None:
    assert placebo_of(None) is None
    assert placebo_of(Recall(text="")) is None
