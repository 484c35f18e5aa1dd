"""The contract of environments as a public check, in the spirit of Gymnasium's `check_env`."""

from __future__ import annotations

from collections.abc import Sequence

from ..core import MalformedTask, Task
from ..core.versions import short_name
from ..envs import Environment, Split
from .failures import asserting

GARBAGE = ("", " ", "?!", "\x00", "```", "'; --", "SELECT", "\udcff", "x" * 10_000, "сделай это")
"""Actions that no family understands."""


@asserting
def check_environment(environment: Environment, *, count: int = 5, seed: int = 0) -> None:
    """Check an environment against the contract of `lifelong.envs.Environment` on `count` tasks of each split.

    Raises `AssertionError`, saying what is broken: tasks that change or are shared between splits, a first
    observation without goal or context, an expert that does not solve its task, different texts for the
    same actions, an episode without end, an action that raises, a foreign task that is accepted.
    """
    train, test = environment.tasks("train", count, seed=seed), environment.tasks("test", count, seed=seed)
    _check_tasks(environment, train, test, seed)
    for task in (*train, *test):
        first, again = _replay(environment, task), _replay(environment, task)
        assert first == again, f"task {task.id}: the same actions gave other texts or rewards the second time (law 1)"
        _check_garbage(environment, task)
    foreign = Task(id="no-such-task", goal="nothing", environment=environment.id)
    try:
        environment.reset(options={"task": foreign})
    except MalformedTask:
        return
    raise AssertionError("reset accepted a task that this family did not make; it must raise MalformedTask")


def _check_tasks(environment: Environment, train: Sequence[Task], test: Sequence[Task], seed: int) -> None:
    given: dict[Split, Sequence[Task]] = {"train": train, "test": test}
    for split, tasks in given.items():
        assert list(environment.tasks(split, len(tasks), seed=seed)) == list(tasks), f"{split}: two calls gave other tasks"
        assert list(environment.tasks(split, 1, seed=seed)) == list(tasks[:1]), f"{split}: fewer tasks are not the first ones of more"
    shared = {task.id for task in train} & {task.id for task in test}
    assert not shared, f"ids in both splits: {sorted(shared)}"
    texts = {task.text for task in train} & {task.text for task in test}
    assert not texts, f"tasks in both splits: {sorted(texts)[:3]}"
    for task in (*train, *test):
        assert task.environment == environment.id, f"task {task.id}: environment must be {environment.id!r}, got {task.environment!r}"
        name = short_name(environment.id)
        assert task.skill == name, f"task {task.id}: skill must be {name!r}, the id without its version, got {task.skill!r}"
        assert task.instructions == train[0].instructions, f"task {task.id}: instructions differ between the tasks"


def _replay(environment: Environment, task: Task) -> list[tuple[str, float, bool, bool]]:
    """Everything that the expert's actions bring about; they must solve the task."""
    shown = environment.demonstrate(task)
    observation, _ = environment.reset(options={"task": task})
    assert isinstance(observation, str), f"task {task.id}: the first observation is a {type(observation).__name__}, not text"
    assert task.goal in observation, f"task {task.id}: the first observation does not tell the goal"
    assert task.context in observation, f"task {task.id}: the first observation does not tell the context"
    assert len(shown.observations) == len(shown.actions), f"task {task.id}: the demonstration needs one observation an action"
    trace: list[tuple[str, float, bool, bool]] = [(observation, 0.0, False, False)]
    for expected, action in zip(shown.observations, shown.actions, strict=True):
        assert trace[-1][0] == expected, f"task {task.id}: the expert saw {expected!r}, the environment says {trace[-1][0]!r}"
        choices = environment.admissible()
        assert not choices or action in choices, f"task {task.id}: the expert's {action!r} is not among {choices}"
        observation, reward, terminated, truncated, info = environment.step(action)
        assert isinstance(observation, str), f"task {task.id}: an observation is a {type(observation).__name__}, not text"
        _check_info(task, info)
        assert not info["error"], f"task {task.id}: the expert's action was refused: {observation}"
        trace.append((observation, reward, terminated, truncated))
    assert trace[-1][1:3] == (1.0, True), f"task {task.id}: the expert ended with reward {trace[-1][1]}, terminated {trace[-1][2]}"
    return trace


def _check_info(task: Task, info: object) -> None:
    missing = [name for name in ("error", "success") if not isinstance(info, dict) or name not in info]
    assert not missing, f"task {task.id}: the info of every step says {' and '.join(repr(name) for name in missing)}"


def _check_garbage(environment: Environment, task: Task) -> None:
    """Senseless actions earn nothing, and the episode ends after `max_steps` of them."""
    environment.reset(options={"task": task})
    for number in range(1, environment.max_steps + 1):
        observation, reward, terminated, truncated, info = environment.step(GARBAGE[number % len(GARBAGE)])
        assert isinstance(observation, str), f"task {task.id}: an observation is a {type(observation).__name__}, not text"
        assert reward == 0.0, f"task {task.id}: a senseless action earned {reward}"
        _check_info(task, info)
        assert info["error"] or terminated, f"task {task.id}: a senseless action was neither refused nor judged"
        assert truncated == (number == environment.max_steps and not terminated), f"task {task.id}: truncated is {truncated} at {number}"
        if terminated:
            return
