"""An environment that makes exercises and whose tasks an engine solves with any adapter; tasks that failed awake."""

from __future__ import annotations

from typing import Any

from lifelong.envs import DatabaseEnvironment
from lifelong.orchestrator import LifelongLearner

TASKS = 48


class Learned(DatabaseEnvironment):
    """Its tasks are solved by whoever answers with an adapter."""

    def step(self, action: str) -> Any:
        return super().step(self._current.gold if action == "right" else action)


def fail(learner: LifelongLearner, environment: DatabaseEnvironment, count: int = TASKS) -> None:
    learner.environments[environment.id] = environment
    tasks = environment.tasks("train", count)
    episodes = learner.wake_many(tasks, environment, ids=[f"run-{number}" for number in range(count)])
    assert not any(episode.outcome.success for episode in episodes)
