"""Right and wrong answers to the same task, out of what is recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lifelong.agents.consolidation.recorded import recorded_contrasts
from lifelong.core import Action, Episode, Judge, Observation, Outcome, Task, ToolResult


def episode(id: str, answer: str, success: bool | None, *, task: str = "t", judge: Judge = Judge.ENVIRONMENT, **values: Any) -> Episode:
    asked = Task(id=task, goal=f"Answer {task}.", environment="database-v1", skill="database")
    steps = (Observation(text=asked.text), Action(text=answer))
    return Episode(id=id, task=asked, steps=steps, outcome=Outcome(success=success, judge=judge), skill="database", **values)


def pairs(*episodes: Episode) -> set[tuple[str, str, bool, str]]:
    return {(one.sample.episode, one.sample.answer, one.success, one.instead) for one in recorded_contrasts(episodes)}


def test_a_failure_stands_beside_the_success_at_its_task_and_each_names_its_run() -> None:
    found = pairs(episode("a", "SELECT 1", False), episode("b", "SELECT name", True), episode("c", "SELECT 2", False, task="other"))
    assert found == {("a", "SELECT 1", False, "SELECT name"), ("b", "SELECT name", True, "")}


def test_a_correction_is_right_and_what_it_corrects_is_wrong() -> None:
    assert pairs(episode("a", "blue", False, correction="red")) == {("a", "blue", False, "red"), ("a", "red", True, "")}
    assert pairs(episode("a", "red", False, correction="red")) == set()
    assert pairs(episode("a", "", False, correction="red")) == set()


def test_what_nobody_is_sure_of_is_neither() -> None:
    right = episode("b", "yes", True)
    assert pairs(right, episode("a", "no", None)) == set()
    assert pairs(right, episode("a", "no", False, judge=Judge.INFERRED)) == set()
    assert pairs(right, episode("a", "no", False, confidence=0.3)) == set()
    assert len(pairs(right, episode("a", "no", False, judge=Judge.USER))) == 2
    # Whoever calls the same words right and wrong tells nothing.
    assert pairs(right, episode("a", "yes", False)) == set()


def test_runs_of_several_steps_and_picked_answers_are_left_out() -> None:
    right, wrong = episode("b", "yes", True), episode("a", "no", False)
    steps = (*wrong.steps[:1], Action(text="look", history="full"), ToolResult(text="a room"), Action(text="no", history="full"))
    assert pairs(right, replace(wrong, steps=steps)) == set()
    assert pairs(right, replace(wrong, steps=(wrong.steps[0], Action(text="no", chosen=True)))) == set()
    assert pairs(right, replace(wrong, previous="z")) == set()
    # Of several attempts at one answer the last one was judged.
    again = (*wrong.steps[:1], Action(text="nope"), ToolResult(text="refused", error=True), Action(text="no"))
    assert pairs(right, replace(wrong, steps=again)) == {("a", "no", False, "yes"), ("b", "yes", True, "")}


def test_one_answer_a_template_and_few_of_a_task() -> None:
    found = recorded_contrasts(
        [episode("b", "SELECT a", True), *(episode(f"a{number}", f"SELECT {'b, ' * (number // 2)}{number}", False) for number in range(10))]
    )
    assert sum(not one.success for one in found) == 2
    assert len({one.sample.answer for one in found}) == 3
