"""Wake, sleep and forget end to end, on a model small enough to train in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripted import open_scripted
from toy import ToyEnvironment, open_toy, run_tasks, success, unlike, unlike_the_base

from lifelong.core import AdapterStatus, Judge, MalformedTask, NothingFound, Task

pytestmark = pytest.mark.slow


def test_wake_sleep_forget(tiny_model: Path, tmp_path: Path) -> None:
    lamps, bells = ToyEnvironment("lamps"), ToyEnvironment("bells")
    with open_toy(tmp_path, tiny_model, lamps, bells) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        bells.right = next(colour for colour in unlike(learner, bells) if colour != lamps.right)

        # Wake: everything is durable, the control arm runs, the base fails.
        assert success(learner, lamps) == 0.0
        episodes = run_tasks(learner, lamps)
        assert learner.record.episodes.get("lamps-3") == episodes[3]
        assert 0 < sum(episode.control for episode in episodes) < 16

        # Sleep: a lesson with evidence, a candidate, a gate that says why, an immutable version.
        [night] = learner.sleep()
        assert night.published
        assert night.lessons > 0
        assert night.gate[0].candidate > night.gate[0].live
        adapter = learner.record.adapters.get(night.adapter)
        assert adapter.status is AdapterStatus.LIVE
        assert set(adapter.episodes) <= {e.id for e in learner.record.episodes.find(trainable=True)}
        assert success(learner, lamps) == 1.0
        assert learner.sleep() == []

        # A second skill comes; the first keeps what it has.
        run_tasks(learner, bells)
        [second] = learner.sleep()
        assert second.published
        assert (success(learner, lamps), success(learner, bells)) == (1.0, 1.0)
        assert learner.models() == [str(tiny_model), *sorted(set(learner.record.adapters.routes("default").values()))]

        # Roll back: the base serves the second skill again.
        assert "bells" in learner.rollback(skill="bells")
        assert learner.status().skills["bells"] != second.adapter

    # The home opens again as it was left.
    with open_toy(tmp_path, tiny_model, lamps, bells) as learner:
        assert success(learner, lamps) == 1.0
        status = learner.status()
        assert (status.episodes, status.nights, status.faults) == (learner.record.episodes.count(tenant="default"), 2, {})


def test_too_little_to_learn_from_is_said(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        run_tasks(learner, lamps, count=3)
        assert learner.sleep() == []
        [night] = learner.sleep(skills=["lamps"])
        assert not night.published
        assert "are needed" in night.reason


def test_a_chat_learns_from_feedback(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(
        tmp_path, tiny_model, **{"sleep.held_out": 0.3, "sleep.epochs": 10, "wake.control_share": 0.0, "memory.recall": "off"}
    ) as learner:
        for number in range(24):
            episode = learner.wake(Task(id=f"chat-{number}", goal=f"What is the word of room {number}?", environment="chat"))
            assert episode.outcome.success is None
            judged = learner.feedback(episode.id, success=False, correction="xyz")
            assert (judged.outcome.judge, judged.correction, judged.skill) == (Judge.USER, "xyz", "chat")
        [night] = learner.sleep(skills=["chat"])
        assert night.published
        answer = learner.wake(Task(id="new", goal="What is the word of room 99?", environment="chat", skill="chat"))
        assert answer.answer == "xyz"


def test_feedback_is_checked(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(tmp_path, tiny_model) as learner:
        episode = learner.wake(Task(id="1", goal="Hello", tenant="one", environment="chat"))
        with pytest.raises(NothingFound, match="tenant 'two'"):
            learner.feedback(episode.id, tenant="two", success=True)
        with pytest.raises(MalformedTask, match="both"):
            learner.feedback(episode.id, tenant="one", success=True, correction="other")
        with pytest.raises(MalformedTask, match="must say"):
            learner.feedback(episode.id, tenant="one", success=None)
        assert learner.feedback(episode.id, tenant="one", success=True).outcome.verified


def test_tenants_learn_apart(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        run_tasks(learner, lamps)
        learner.sleep()
        other = [Task(id=t.id, goal=t.goal, environment=t.environment, skill=t.skill, tenant="other") for t in lamps.tasks("test", 8)]
        runs = learner.evaluate(other, lamps)
        assert not any(run.outcome.success for run in runs)
        assert learner.status("other").skills == {}


def test_an_open_learner_serves_what_another_process_published(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        with open_toy(tmp_path, tiny_model, lamps) as sleeper:
            run_tasks(sleeper, lamps)
            sleeper.sleep()
        assert success(learner, lamps) == 1.0
        learner.rollback()
        assert success(learner, lamps) == 0.0


def test_a_home_that_was_moved_is_served_from_where_it_lies(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_toy(Path("home"), tiny_model) as learner:
        environment = ToyEnvironment("left", unlike_the_base(learner, ToyEnvironment("left", "red")))
        learner.environments[environment.id] = environment
        run_tasks(learner, environment)
        [night] = learner.sleep()
    assert night.published
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home").rename(tmp_path / "elsewhere" / "home")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with open_toy(Path("home"), tiny_model, environment) as again:
        assert again.status().faults == {}
        assert success(again, environment) > 0.5


def test_warming_up_loads_the_encoder_and_a_failure_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_scripted(tmp_path) as learner:
        read: list[list[str]] = []
        monkeypatch.setattr(learner._components.encoder, "encode", lambda texts: read.append(list(texts)))
        learner.warm_up()
        assert read == [["ready"]]

        def broken(texts: list[str]) -> None:
            raise RuntimeError("no memory")

        monkeypatch.setattr(learner._components.encoder, "encode", broken)
        learner.warm_up()
        assert learner.status().faults["encoder"] == 1
