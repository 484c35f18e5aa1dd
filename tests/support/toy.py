"""An environment small enough for a random two-layer model to learn in seconds, and a learner around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lifelong.core import Episode, MalformedTask, Settings, Task
from lifelong.envs import Demonstration, Environment
from lifelong.memory import Record, VectorIndex
from lifelong.orchestrator import Components, LifelongLearner, unlabelled
from lifelong.perception import HashedEncoder
from lifelong.serving import EmbeddedEngine

COLOURS = ("red", "blue", "green", "white")


class ToyEnvironment:
    """Press the button whose colour belongs to the environment; the goal tells which room it is in and nothing else."""

    max_steps = 1
    max_answer_tokens = 8

    def __init__(self, name: str = "lamps", right: str = "blue") -> None:
        self.name = name
        self.id = f"{name}-v1"
        self.right = right
        self._task: Task | None = None

    def tasks(self, split: str, count: int, *, seed: int = 0) -> Sequence[Task]:
        return [
            Task(
                id=f"{self.name}-{split}-{seed}-{number}",
                goal=f"Press a button of the {self.name} in room {(7 * number) % 50}, floor {2 * number + (split == 'test')}.",
                environment=self.id,
                skill=self.name,
            )
            for number in range(count)
        ]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        self._task = (options or {})["task"]
        if not self._task.id.startswith(self.name):
            raise MalformedTask(f"task {self._task.id!r} is not one of {self.name}")
        return self._task.text, {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        right = action == self.right
        return f"{action} pressed", float(right), True, False, {"error": False, "success": right}

    def admissible(self) -> tuple[str, ...]:
        return COLOURS

    def demonstrate(self, task: Task) -> Demonstration:
        return Demonstration(observations=(task.text,), actions=(self.right,))

    def spawn(self) -> ToyEnvironment:
        return ToyEnvironment(self.name, self.right)

    def close(self) -> None:
        pass


SETTINGS = {
    "wake.control_share": 0.1,
    "sleep.epochs": 3,
    "sleep.learning_rate": 0.02,
    "sleep.rank": 4,
    "sleep.held_out": 0.4,
    "sleep.batch_size": 8,
    "model.max_tokens": 8,
}


def open_toy(home: Path, model: Path, *environments: Environment, **values: Any) -> LifelongLearner:
    """A learner on the tiny model with a hashed encoder; it trains, gates and publishes for real."""
    settings = Settings(home=home).with_values({**SETTINGS, **values})
    home.mkdir(parents=True, exist_ok=True)
    record = Record(home / "record.sqlite3")
    components = Components(
        settings=settings,
        engine=EmbeddedEngine(model, threads=1, dtype="float32"),
        encoder=HashedEncoder(),
        record=record,
        index=VectorIndex(record.index_directory),
        base_path=model,
    )
    return LifelongLearner(components, {one.id: one for one in environments})


def ids(count: int, prefix: str = "run") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def run_tasks(learner: LifelongLearner, environment: ToyEnvironment, count: int = 32) -> list[Episode]:
    episodes = learner.wake_many(environment.tasks("train", count), environment, ids=ids(count, environment.name))
    for episode in episodes:
        if not episode.outcome.success:
            learner.correct(episode, environment)
    return episodes


def success(learner: LifelongLearner, environment: ToyEnvironment) -> float:
    runs = learner.evaluate(unlabelled(environment.tasks("test", 16)), environment)
    return sum(run.outcome.success is True for run in runs) / len(runs)


def unlike_the_base(learner: LifelongLearner, environment: ToyEnvironment) -> str:
    """A colour that the untrained model does not choose anyway."""
    return unlike(learner, environment)[0]


def unlike(learner: LifelongLearner, environment: ToyEnvironment) -> list[str]:
    chosen = {run.steps[1].text for run in learner.evaluate(environment.tasks("test", 8), environment)}
    return [colour for colour in COLOURS if colour not in chosen]
