"""The whole loop over tasks of several steps: failed runs, demonstrations, a night, and the same kind of task solved."""

from __future__ import annotations

from pathlib import Path

import pytest
from nights import AdaptedEngine, FakeTrainer, open_fake
from tickets import next_command

from lifelong.core import Action
from lifelong.envs.tools.environment import TicketEnvironment


def test_a_night_learns_every_turn_of_the_demonstrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, trainer = TicketEnvironment(), FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **{"memory.recall": "off"}) as learner:
        learner.environments[environment.id] = environment
        engine = learner._components.engine
        assert isinstance(engine, AdaptedEngine)
        engine._answer = lambda request: next_command(request) if request.adapter else "close all"
        tasks = environment.tasks("train", 24)
        failed = learner.wake_many(tasks, environment, ids=[f"first-{number}" for number in range(24)])
        assert not any(episode.outcome.success for episode in failed)
        shown = [learner.correct(episode, environment) for episode in failed]
        assert all(episode.outcome.success for episode in shown)
        [night] = learner.sleep()
        assert night.published, night
        [(_, samples, _), *_] = trainer.trained
        learned = {sample.episode for sample in samples}
        turns = {episode.id: [step.text for step in episode.steps if isinstance(step, Action)] for episode in shown}
        assert learned <= turns.keys()
        for id in learned:
            assert [sample.answer for sample in samples if sample.episode == id] == turns[id]
        # What is asked in training is what is asked in serving.
        engine.requests.clear()
        [again] = learner.wake_many(environment.tasks("test", 1), environment, ids=["again"])
        assert again.outcome.success
        assert again.adapter
        asked = {len(request.messages) for request in engine.requests}
        assert asked == {len(sample.messages) for sample in samples if len(sample.messages) <= max(asked)}
