from __future__ import annotations

import pytest

from lifelong.core import MalformedTask, Task
from lifelong.envs import DatabaseEnvironment


def test_an_error_keeps_the_episode_open_and_an_answer_ends_it() -> None:
    environment = DatabaseEnvironment()
    task = environment.tasks("train", 1, seed=5)[0]
    first, _ = environment.reset(options={"task": task})
    assert first == f"{task.context}\n{task.goal}"
    observation, reward, terminated, truncated, info = environment.step("SELECT nope FROM nowhere")
    assert observation == "Error: no such table: nowhere"
    assert (reward, terminated, truncated, info["error"]) == (0.0, False, False, True)
    gold = environment.demonstrate(task).actions[0]
    _, reward, terminated, truncated, info = environment.step(f"```sql\n{gold}\n```")
    assert (reward, terminated, truncated, info["error"]) == (1.0, True, False, False)


def test_three_errors_truncate() -> None:
    environment = DatabaseEnvironment()
    environment.reset(seed=3)
    assert [environment.step("SELEC")[2:4] for _ in range(3)] == [(False, False), (False, False), (False, True)]


def test_same_id_same_task_in_another_instance() -> None:
    task = DatabaseEnvironment().tasks("test", 20, seed=9)[19]
    assert DatabaseEnvironment().demonstrate(task) == DatabaseEnvironment().demonstrate(task)


@pytest.mark.parametrize("name", ["database-train-0", "graph-train-0-1", "database-dev-0-1", "database-train-0-0"])
def test_unknown_tasks_are_refused(name: str) -> None:
    with pytest.raises(MalformedTask, match=name):
        DatabaseEnvironment().reset(options={"task": Task(id=name, goal="Return everything.")})
