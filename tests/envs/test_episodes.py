"""What every environment here does alike, seen on one of them."""

from __future__ import annotations

import gymnasium
import pytest

from lifelong.core import MalformedTask
from lifelong.envs import DatabaseEnvironment


def test_without_a_task_the_first_training_task_of_the_seed_begins() -> None:
    environment = DatabaseEnvironment()
    text, info = environment.reset(seed=3)
    [task] = environment.tasks("train", 1, seed=3)
    assert (text, info) == (task.text, {"task": task.id})
    assert environment.reset()[1] == {"task": environment.tasks("train", 1)[0].id}


def test_acting_needs_an_episode_that_is_under_way() -> None:
    environment = DatabaseEnvironment()
    with pytest.raises(gymnasium.error.ResetNeeded):
        environment.step("SELECT 1")
    [task] = environment.tasks("train", 1)
    environment.reset(options={"task": task})
    environment.step(environment.demonstrate(task).actions[-1])
    with pytest.raises(gymnasium.error.ResetNeeded):
        environment.step("SELECT 1")


def test_errors_use_steps_up_and_the_last_one_truncates() -> None:
    environment = DatabaseEnvironment()
    environment.reset(seed=0)
    ends = [environment.step("SELECT nothing FROM nowhere")[2:4] for _ in range(environment.max_steps)]
    assert ends == [(False, False)] * (environment.max_steps - 1) + [(False, True)]


def test_what_is_no_task_is_refused_and_the_names_agree() -> None:
    environment = DatabaseEnvironment()
    with pytest.raises(MalformedTask, match="must be a Task, got str"):
        environment.reset(options={"task": "count the rows"})
    assert environment.name == "database"
    assert type(environment.spawn()) is DatabaseEnvironment
    assert environment.spawn() is not environment
