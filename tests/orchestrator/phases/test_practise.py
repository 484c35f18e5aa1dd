"""Nights that practise: from nothing but failed tasks an adapter is trained on exercises, and judged on real tasks alone."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nights import FakeTrainer, corrected_chats, open_fake
from practising import Learned, fail
from scripted import ScriptedEngine
from toy import ToyEnvironment

from lifelong.core import Action, Episode, Observation, Outcome, Task, reply_text, text_of, tool_call, tool_specification
from lifelong.envs import DatabaseEnvironment
from lifelong.orchestrator import LifelongLearner, NightState
from lifelong.orchestrator.held_out import is_held_out, key
from lifelong.orchestrator.phases.practise import is_one_answer
from lifelong.orchestrator.sleep import due_skills
from lifelong.serving import ChatRequest


def test_only_failures_become_an_adapter_by_practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.exercises": 40}) as learner:
        fail(learner, Learned())
        [report] = learner.sleep(skills=["database"])
        assert report.published, report.reason
        assert (report.samples, report.practised) == (0, 40)
        assert report.plan.startswith("no corrections, no verified runs, ")
        assert report.plan.endswith(" failed tasks: practice with up to 40 exercises; 40 exercises practised")
        [(_, samples, _)] = trainer.trained
        assert all(sample.practice for sample in samples)
        # Every sample names the episode over whose tables it was made up, and none of them is of a held-out task.
        sources = learner.record.episodes.get_many(sorted({sample.episode for sample in samples}), tenant="default")
        settings = learner.settings
        assert not any(is_held_out(episode, settings.seed, settings.sleep.held_out) for episode in sources)
        [adapter] = [one for one in learner.record.adapters.find() if one.name == report.adapter]
        assert set(adapter.episodes) == {episode.id for episode in sources}
        requests = {text_of(message) for sample in samples for message in sample.messages}
        goals = {key(episode): episode.task.goal for episode in learner.record.episodes.find(tenant="default")}.values()
        assert not [goal for goal in goals if any(goal in request for request in requests)], "no real request is among the exercises"


def test_what_is_erased_is_not_practised_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.exercises": 40}) as learner:
        fail(learner, Learned())
        learner.sleep(skills=["database"])
        gone = trainer.trained[0][1][0].episode
        learner.forget(episode=gone)
        assert all(sample.episode != gone for _, samples, _ in trainer.trained[1:] for sample in samples)
        assert gone not in {id for one in learner.record.adapters.find() if one.status == "live" for id in one.episodes}


def test_the_second_night_attempts_failed_tasks_again_and_weighs_what_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.exercises": 40, "sleep.attempts": 3, "sleep.attempted_tasks": 10}) as learner:
        environment = Learned()
        fail(learner, environment)
        learner.sleep(skills=["database"])
        engine: Any = learner._components.engine
        # With the adapter one attempt in three succeeds.
        engine._answer = lambda request: "right" if request.adapter and request.seed % 3 == 0 else "SELECT 1"
        [report] = learner.sleep(skills=["database"])
        assert "3 attempts at each failed task" in report.plan
        won = [one for one in learner.record.episodes.find(tenant="default") if one.id.endswith("-attempt")]
        assert 0 < len(won) <= 10
        assert all(one.demonstration and one.outcome.verified for one in won)
        assert f"attempts solved {len(won)} more" in report.plan
        assert report.samples == len(won)
        _, samples, _ = trainer.trained[-1]
        assert sum(not sample.practice for sample in samples) == len(won)
        assert {sample.answer for sample in samples if not sample.practice} == {"right"}


def test_corrections_are_learned_without_practice_unless_it_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for practice, practised in (("auto", 0), ("always", 40), ("never", 0)):
        values = {"sleep.exercises": 40, "sleep.practice": practice}
        with open_fake(tmp_path / practice, monkeypatch, **values) as learner:
            environment = Learned()
            fail(learner, environment)
            for episode in learner.record.episodes.find(tenant="default")[:14]:
                learner.correct(episode, environment)
            [report] = learner.sleep(skills=["database"])
            assert report.samples >= 8
            assert report.practised == practised


def test_a_chat_without_an_environment_is_planned_and_not_practised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        corrected_chats(learner, 12)
        [report] = learner.sleep()
        assert report.published
        assert report.practised == 0
        assert report.plan.endswith("learning from what is verified")


class Broken(Learned):
    def exercises(self, *arguments: Any, **values: Any) -> Any:
        raise RuntimeError("no schema today")


class Empty(Learned):
    def exercises(self, *arguments: Any, **values: Any) -> Any:
        return []


@pytest.mark.parametrize("environment", [Broken(), Empty()], ids=["raises", "finds none"])
def test_practice_that_finds_nothing_publishes_nothing_and_says_so(
    environment: DatabaseEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_fake(tmp_path, monkeypatch) as learner:
        fail(learner, environment)
        [report] = learner.sleep(skills=["database"])
        assert report.state is NightState.NOTHING_TO_LEARN
        assert "no exercise could be made" in report.plan
        assert report.reason == "0 training samples of 'database'; 8 are needed"


class Agreeable(Learned):
    """Says yes to everything."""

    def step(self, action: str) -> Any:
        return "Done.", 1.0, True, False, {"error": False, "success": True}


def test_attempts_that_all_succeed_are_not_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{"sleep.exercises": 20}) as learner:
        environment = Learned()
        fail(learner, environment)
        learner.sleep(skills=["database"])
        learner.environments[environment.id] = Agreeable()
        engine: Any = learner._components.engine
        engine._answer = lambda request: f"SELECT {request.seed}"
        [report] = learner.sleep(skills=["database"])
        assert "nothing was kept of the attempts: the environment confirmed all" in report.plan
        assert not [one for one in learner.record.episodes.find(tenant="default") if one.id.endswith("-attempt")]


def test_an_adapter_that_does_no_better_on_real_tasks_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{"sleep.exercises": 20}) as learner:
        learner._components.engine = Useless()
        fail(learner, Learned())
        [report] = learner.sleep(skills=["database"])
        assert report.state is NightState.REJECTED
        assert learner.record.adapters.route("default", "database") == ""


class Useless(ScriptedEngine):
    """Rambles with any adapter and without."""

    def __init__(self) -> None:
        super().__init__(lambda request: "and so on " * 50)

    def chat(self, requests: Any) -> Any:
        assert all(isinstance(request, ChatRequest) for request in requests)
        return super().chat(requests)


def test_failed_tasks_that_can_be_practised_on_make_a_night_due_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_fake(tmp_path, monkeypatch, **{"sleep.exercises": 20}) as learner:
        fail(learner, Learned())
        assert due_skills(learner._components, "default") == [], "nobody is here who makes exercises"
        assert due_skills(learner._components, "default", learner.environments) == ["database"]
        [report] = learner.sleep()
        assert report.published
        assert due_skills(learner._components, "default", learner.environments) == []


LIGHT = tool_specification(
    "set_light",
    "Sets the light of a room to a given colour.",
    {
        "type": "object",
        "properties": {"room": {"type": "integer"}, "colour": {"type": "string", "enum": ["red", "blue", "green"]}},
        "required": ["room", "colour"],
    },
)


class Lights(ToyEnvironment):
    """One call of a tool solves a task; declares nothing for practice."""

    def tasks(self, split: str, count: int, *, seed: int = 0) -> list[Task]:
        return [
            replace(task, goal=f"Room {number}: turn the light {('red', 'blue')[number % 2]}.", tools=(LIGHT,))
            for number, task in enumerate(super().tasks(split, count, seed=seed))
        ]

    def step(self, action: str) -> Any:
        right = call_for(self._task.goal) == action if self._task else False
        return "", float(right), True, False, {"error": False, "success": right}

    def admissible(self) -> tuple[str, ...]:
        return ()

    def spawn(self) -> Any:
        return Lights(self.name)


def call_for(goal: str) -> str:
    room, colour = re.findall(r"\d+", goal)[0], next(one for one in ("red", "blue", "green") if one in goal)
    return reply_text("", [tool_call("set_light", {"room": int(room), "colour": colour}, "")])


def lights(learner: LifelongLearner, count: int = 48) -> Lights:
    """An engine that calls right with an adapter and on every sixth task without."""
    environment = Lights()
    learner.environments[environment.id] = environment
    engine: Any = learner._components.engine

    def answer(request: ChatRequest) -> str:
        goal = text_of(request.messages[-1])
        return call_for(goal) if request.adapter or int(re.findall(r"\d+", goal)[0]) % 6 == 0 else "I cannot."

    engine._answer = answer
    learner.wake_many(environment.tasks("train", count), environment, ids=[f"run-{number}" for number in range(count)])
    return environment


def test_tools_are_practised_where_the_environment_declares_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.exercises": 40}) as learner:
        environment = lights(learner)
        engine: Any = learner._components.engine
        engine.requests.clear()
        [report] = learner.sleep()
        assert report.published, report.reason
        assert report.practised == 40
        practised = [sample for sample in trainer.trained[0][1] if sample.practice]
        goals = {task.goal for task in environment.tasks("train", 48)}
        asked = [text_of(sample.messages[-1]) for sample in practised]
        assert not goals & set(asked), "no real request is among the exercises"
        # Some are the solved tasks with another room or colour, the others are worded from what the tool says of itself.
        assert 0 < sum(re.fullmatch(r"Room \d+: turn the light \w+\.", one) is not None for one in asked) <= 20
        assert sum("set the light of" in one.lower() or "set light" in one.lower() for one in asked) >= 20
        for sample, text in zip(practised, asked, strict=True):
            assert sample.answer == call_for(text)
        # The gate asks real tasks alone.
        assert {text_of(request.messages[-1]) for request in engine.requests} <= goals
        assert report.gate[0].tasks <= len(goals)


def test_exercises_of_tools_go_with_the_task_that_they_were_made_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = FakeTrainer()
    with open_fake(tmp_path, monkeypatch, trainer, **{"sleep.exercises": 40}) as learner:
        lights(learner)
        learner.sleep()
        cited = {sample.episode for sample in trainer.trained[0][1] if sample.practice}
        [adapter] = [one for one in learner.record.adapters.find() if one.status == "live"]
        assert cited <= set(adapter.episodes)
        # What was only practised on is told apart from what was learned from as it was.
        own = {sample.episode for sample in trainer.trained[0][1] if not sample.practice}
        assert own
        assert set(adapter.practised) == cited - own
        assert set(adapter.episodes) == cited | own
        gone = sorted(cited)[0]
        learner.forget(episode=gone)
        assert all(sample.episode != gone for _, samples, _ in trainer.trained[1:] for sample in samples)
        assert gone not in {id for one in learner.record.adapters.find() if one.status == "live" for id in one.episodes}
        assert not [one for one in learner.record.adapters.find() if gone in (*one.episodes, *one.practised)]


def test_a_run_of_several_answers_is_no_pair_of_request_and_answer() -> None:
    task = Task(id="t", goal="?")
    steps = (Observation(text="?"), Action(text="a"))
    one = Episode(id="e", task=task, steps=steps, outcome=Outcome(success=True))
    assert is_one_answer(one)
    assert not is_one_answer(replace(one, steps=(*steps, Action(text="b"))))
    assert not is_one_answer(replace(one, previous="d"))


def test_failed_chats_with_tools_make_no_night_due_and_are_practised_on_once_there_is_something_to_judge_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_fake(tmp_path, monkeypatch, **{"sleep.exercises": 20}) as learner:
        for number in range(24):
            task = Task(id=f"{number}", goal=f"Room {number}: turn the light red.", environment="chat", skill="lights", tools=(LIGHT,))
            episode = learner.wake(task)
            learner.feedback(episode.id, success=number >= 12)
            if number == 11:
                assert due_skills(learner._components, "default", learner.environments) == []
        assert due_skills(learner._components, "default", learner.environments) == ["lights"]
        [report] = learner.sleep(skills=["lights"])
        assert "practice with up to 20 exercises; 20 exercises practised" in report.plan
        assert report.practised == 20
