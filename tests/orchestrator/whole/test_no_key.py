"""From nothing but the environment's no: failed tasks, exercises over them, a night that trains, gates and publishes for real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toy import ToyEnvironment, ids, open_toy, success, unlike_the_base

from lifelong.core import Task
from lifelong.envs.practice import Exercise


class Practised(ToyEnvironment):
    """The lamps, which can make exercises: other rooms, and what to press there."""

    def exercises(self, tasks: Sequence[Task], count: int, *, weights: Mapping[str, float], seed: int) -> list[Exercise]:
        return [
            Exercise(
                task=Task(
                    id=f"exercise-{number}",
                    goal=f"Press a button of the {self.name} in room {(11 * number) % 60}, floor {3 * number + 100}.",
                    environment=self.id,
                    skill=self.name,
                ),
                answer=self.right,
                template="press",
                source=tasks[number % len(tasks)],
            )
            for number in range(count)
        ]

    def spawn(self) -> Any:
        return Practised(self.name, self.right)


def test_an_agent_that_was_never_shown_an_answer_gets_better(tmp_path: Path, tiny_model: Path) -> None:
    environment = Practised()
    with open_toy(tmp_path, tiny_model, environment, **{"sleep.exercises": 48}) as learner:
        environment.right = unlike_the_base(learner, environment)
        episodes = learner.wake_many(environment.tasks("train", 32), environment, ids=ids(32))
        by_chance = sum(episode.outcome.success is True for episode in episodes)
        assert by_chance < 8, "an untrained model gets few right"
        before = success(learner, environment)
        [report] = learner.sleep()
        assert report.published, report.reason
        assert report.practised == 48
        assert report.samples <= by_chance
        assert success(learner, environment) > max(0.9, before)
        assert not any(episode.correction or episode.demonstration for episode in learner.record.episodes.find(tenant="default"))
