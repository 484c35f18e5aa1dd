"""What is kept of several attempts at one task, and whose verdicts are not learned from."""

from __future__ import annotations

import pytest

from lifelong.agents import Run
from lifelong.agents.consolidation.attempts import MIN_JUDGED, MOST_SOLUTIONS, Group, solutions, suspicious
from lifelong.core import Action, Judge, Observation, Outcome, Usage
from lifelong.envs.templates import template_of


def attempt(answer: str, success: bool | None, likelihood: float = -1.0) -> Run:
    return Run(
        steps=(Observation(text="?"), Action(text=answer, likelihood=likelihood)),
        outcome=Outcome(success=success, judge=Judge.ENVIRONMENT),
        usage=Usage(),
    )


def answers(runs: list[Run]) -> list[str]:
    return [run.steps[1].text for run in runs]


def test_groups_that_teach_nothing_are_dropped() -> None:
    assert solutions(Group(task="t", runs=(attempt("a", False), attempt("b", False)))) == []
    assert solutions(Group(task="t", runs=(attempt("a", True), attempt("b", True)))) == []
    assert solutions(Group(task="t", runs=(attempt("a", None),))) == []
    assert solutions(Group(task="t", runs=())) == []


def test_one_solution_of_each_form_the_likeliest_first() -> None:
    runs = (
        attempt("SELECT a FROM t LIMIT 5", True, -2.0),
        attempt("SELECT a FROM t LIMIT 6", True, -1.0),
        attempt("SELECT b FROM t", True, -3.0),
        attempt("SELECT c, d FROM t", True, -4.0),
        attempt("SELECT wrong", False, -0.1),
    )
    assert answers(solutions(Group(task="t", runs=runs))) == ["SELECT a FROM t LIMIT 6", "SELECT b FROM t"]
    assert MOST_SOLUTIONS == 2


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SELECT a FROM t WHERE b = 'x'", "SELECT a  FROM t WHERE b = 'y, it''s'", True),
        ("f(1.5)", "f(22)", True),
        ("SELECT a FROM t", "SELECT b FROM t", False),
        ("SELECT a1 FROM t", "SELECT a2 FROM t", False),
    ],
)
def test_the_form_of_an_answer_is_all_but_its_values(one: str, other: str, same: bool) -> None:
    assert (template_of(one) == template_of(other)) is same


def test_an_environment_that_says_yes_to_everything_is_not_learned_from() -> None:
    groups = [Group(task=f"{number}", runs=(attempt("a", True), attempt("b", True))) for number in range(MIN_JUDGED)]
    assert "confirmed all" in suspicious(groups)


def test_an_environment_that_contradicts_itself_is_not_learned_from() -> None:
    runs = (attempt("a", True), attempt("a", False), attempt("b", False))
    assert "differently" in suspicious([Group(task=f"{number}", runs=runs) for number in range(MIN_JUDGED)])


def test_an_honest_environment_is_learned_from() -> None:
    honest = [Group(task=f"{number}", runs=(attempt("a", True), attempt("b", False))) for number in range(MIN_JUDGED)]
    assert suspicious(honest) == ""
    no_to_all = [Group(task=f"{number}", runs=(attempt("a", False), attempt("b", False))) for number in range(MIN_JUDGED)]
    assert suspicious(no_to_all) == ""
    assert suspicious([Group(task="t", runs=(attempt("a", True), attempt("b", True)))]) == "", "too few to tell"
