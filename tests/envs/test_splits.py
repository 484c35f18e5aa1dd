"""Generated tasks: splits by text, ids that make the task again."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.core import MalformedTask, Task
from lifelong.envs import Demonstration
from lifelong.envs._reply import ActionResult
from lifelong.envs._splits import GeneratedEnvironment, split_of


@dataclass(frozen=True)
class Sum:
    goal: str
    context: str = "Numbers below twenty."


class Sums(GeneratedEnvironment[Sum]):
    """Add two numbers; every third draw is refused."""

    id = "sums-v1"
    max_steps = 2
    max_answer_tokens = 8
    instructions = "Answer with a number."

    def _make(self, rng: random.Random) -> Sum | None:
        one, other = rng.randrange(20), rng.randrange(20)
        return Sum(f"{one} + {other}") if (one + other) % 3 else None

    def _begin(self, task: Task) -> None:
        self.answer = str(eval(self._problem(task).goal))

    def _act(self, action: str) -> ActionResult:
        right = action == self.answer
        return ActionResult(text=action, reward=float(right), done=right, success=right, error=not right)

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(str(eval(self._problem(task).goal)),))


@given(st.text())
def test_a_text_is_in_one_split_and_always_the_same(text: str) -> None:
    assert split_of(text) in ("train", "test")
    assert split_of(text) == split_of(text)


def test_splits_share_no_text_under_any_seeds_and_hold_none_twice() -> None:
    environment = Sums()
    texts = {
        split: [task.text for seed in range(4) for task in environment.tasks(split, 25, seed=seed)]  # type: ignore[arg-type]
        for split in ("train", "test")
    }
    assert not set(texts["train"]) & set(texts["test"])
    for seed in range(4):
        assert len({task.text for task in environment.tasks("train", 25, seed=seed)}) == 25


def test_more_tasks_begin_with_the_fewer() -> None:
    assert list(Sums().tasks("train", 9))[:4] == list(Sums().tasks("train", 4))
    assert list(Sums().tasks("train", 0)) == []


def test_an_id_makes_the_task_again_and_what_is_changed_is_refused() -> None:
    [task] = Sums().tasks("test", 1, seed=-3)
    assert Sums()._problem(task).goal == task.goal
    with pytest.raises(MalformedTask, match="carries another text"):
        Sums()._problem(replace(task, goal="1 + 1"))
    for wrong in ("sums-dev-0-1", "products-test-0-1", f"{task.id}x"):
        with pytest.raises(MalformedTask, match="is not one of 'sums-v1'"):
            Sums()._problem(replace(task, id=wrong))


def played(environment: Sums, task: Task, *actions: str) -> list[Any]:
    environment.reset(options={"task": task})
    return [environment.step(action)[1:4] for action in actions]


def test_a_right_answer_ends_an_episode_and_too_many_wrong_ones_cut_it() -> None:
    environment = Sums()
    [task] = environment.tasks("train", 1)
    [right] = environment.demonstrate(task).actions
    assert played(environment, task, right) == [(1.0, True, False)]
    assert played(environment, task, "x", "y") == [(0.0, False, False), (0.0, False, True)]
