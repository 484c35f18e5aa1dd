"""What is said of answers and verdicts that nothing can be learned from."""

from __future__ import annotations

import pytest

from lifelong.agents import Run
from lifelong.agents.consolidation.attempts import MIN_JUDGED, Group
from lifelong.agents.consolidation.diagnosis import MIN_ANSWERS, diagnosis, dropped, model_fault
from lifelong.core import Action, Judge, Observation, Outcome, Usage


def run(answer: str, success: bool | None = False, *, cut: bool = False) -> Run:
    outcome = Outcome(success=success, judge=Judge.ENVIRONMENT)
    return Run(steps=(Observation(text="?"), Action(text=answer, cut=cut)), outcome=outcome, usage=Usage())


def groups(*runs: Run) -> list[Group]:
    return [Group(task=f"{number}", runs=(one,)) for number, one in enumerate(runs)]


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([run(" ")] * MIN_ANSWERS, "all of 8 answers are empty"),
        ([run(f"{n}", cut=True) for n in range(MIN_ANSWERS)], "all of 8 answers were cut off at the most tokens that an answer may have"),
        ([run("a")] * MIN_ANSWERS, "all of 8 answers are the same text"),
        ([run("a")] * (MIN_ANSWERS - 1), ""),
        ([run("a"), *[run("")] * MIN_ANSWERS], ""),
        ([Run(steps=(), outcome=Outcome(success=None), usage=Usage())] * MIN_ANSWERS, ""),
        ([], ""),
    ],
)
def test_what_is_wrong_with_a_model_shows_in_all_of_its_answers(runs: list[Run], said: str) -> None:
    assert model_fault(runs) == said


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([run(f"{n}", True) for n in range(MIN_JUDGED)], "the environment confirmed all of 16 answers"),
        ([run(f"{n}") for n in range(3)], "the environment confirmed none of 3 answers"),
        ([run("")] * MIN_ANSWERS, "the environment confirmed none of 8 answers: all of 8 answers are empty"),
        ([run("a", None)] * 3, "the environment judged none of 3 answers"),
        ([run("a", True), run("b")], ""),
        ([], ""),
    ],
)
def test_verdicts_that_tell_nothing_are_named(runs: list[Run], said: str) -> None:
    assert diagnosis(groups(*runs)) == said


def test_a_contradiction_comes_before_anything_else() -> None:
    both = [Group(task=f"{number}", runs=(run("a", True), run("a"))) for number in range(MIN_JUDGED)]
    assert diagnosis(both) == "the environment judged the same answer to the same task differently (16 times)"


def test_groups_without_a_difference_are_counted() -> None:
    some = [Group(task="a", runs=(run("x", True), run("y"))), Group(task="b", runs=(run("x", True),)), Group(task="c", runs=(run("x"),))]
    assert dropped(some) == "2 of 3 tasks taught nothing (1 solved by every attempt, 1 by none)"
    assert dropped(some[:1]) == ""
