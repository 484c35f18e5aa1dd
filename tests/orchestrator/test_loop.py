"""Wake, sleep and forget end to end, on a model small enough to train in seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from toy import COLOURS, ToyEnvironment, open_toy

from lifelong.core import AdapterStatus, EngineUnreachable, Episode, Judge, MalformedTask, NothingFound, Task
from lifelong.orchestrator import LifelongLearner, unlabelled

pytestmark = pytest.mark.slow


def ids(count: int, prefix: str = "run") -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def live_through(learner: LifelongLearner, environment: ToyEnvironment, count: int = 32) -> list[Episode]:
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


def test_a_life(tiny_model: Path, tmp_path: Path) -> None:
    lamps, bells = ToyEnvironment("lamps"), ToyEnvironment("bells")
    with open_toy(tmp_path, tiny_model, lamps, bells) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        bells.right = next(colour for colour in unlike(learner, bells) if colour != lamps.right)

        # Wake: everything is durable, the control arm runs, the base fails.
        assert success(learner, lamps) == 0.0
        episodes = live_through(learner, lamps)
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
        live_through(learner, bells)
        [second] = learner.sleep()
        assert second.published
        assert (success(learner, lamps), success(learner, bells)) == (1.0, 1.0)
        assert learner.models() == [str(tiny_model), *sorted(set(learner.record.adapters.routes("default").values()))]

        # Roll back: the base serves the second skill again.
        assert "bells" in learner.rollback(skill="bells")
        assert learner.status().skills["bells"] != second.adapter

    # The house opens again as it was left.
    with open_toy(tmp_path, tiny_model, lamps, bells) as learner:
        assert success(learner, lamps) == 1.0
        status = learner.status()
        assert (status.episodes, status.nights, status.faults) == (learner.record.episodes.count(tenant="default"), 2, {})


def test_forgetting_takes_rows_lessons_and_weights(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        live_through(learner, lamps)
        [night] = learner.sleep()
        gone = next(e for e in learner.record.adapters.get(night.adapter).episodes if e.endswith("-demonstration")).removesuffix(
            "-demonstration"
        )

        receipt = learner.forget(episode=gone)
        assert receipt.adapters_erased == (night.adapter,)
        assert receipt.episodes == 2
        assert not Path(learner.record.adapters.get(night.adapter).path).exists()
        assert set(receipt.probe.values()) == {0.0}
        [rebuilt] = receipt.adapters_rebuilt
        assert gone not in learner.record.adapters.get(rebuilt).episodes
        assert success(learner, lamps) == 1.0
        with pytest.raises(NothingFound):
            learner.record.episodes.get(gone)

        everything = learner.forget(tenant="default", rebuild=False)
        assert learner.record.episodes.find() == []
        assert set(everything.probe.values()) == {0.0}
        assert success(learner, lamps) == 0.0
        with pytest.raises(NothingFound, match="nothing recorded"):
            learner.forget(tenant="default")
        with pytest.raises(MalformedTask):
            learner.forget()


def test_a_gate_that_sees_no_gain_publishes_nothing(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps, **{"sleep.learning_rate": 1e-7}) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        live_through(learner, lamps)
        [night] = learner.sleep()
        assert not night.published
        assert "no proven gain" in night.reason
        assert learner.record.adapters.get(night.adapter).status is AdapterStatus.REJECTED
        assert learner.status().skills == {"lamps": ""}


def test_too_little_to_learn_from_is_said(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        live_through(learner, lamps, count=3)
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


def test_memory_and_perception_may_fail_and_the_answer_goes_out(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_toy(tmp_path, tiny_model) as learner:

        def broken(*_: object, **__: object) -> None:
            raise OSError("the encoder's files are gone")

        monkeypatch.setattr("lifelong.perception.HashedEncoder.encode", broken)
        episode = learner.wake(Task(id="1", goal="Hello", environment="chat"))
        assert episode.answer
        assert learner.record.episodes.get(episode.id) == episode
        assert learner.status().faults == {"encoder": 1}


def test_a_dead_engine_is_an_error_and_nothing_is_recorded(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(tmp_path, tiny_model) as learner:
        learner._components.engine.close()
        with pytest.raises(EngineUnreachable):
            learner.wake(Task(id="1", goal="Hello", environment="chat"))
        assert learner.record.episodes.count() == 0


def test_tenants_learn_apart(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        live_through(learner, lamps)
        learner.sleep()
        other = [Task(id=t.id, goal=t.goal, environment=t.environment, skill=t.skill, tenant="other") for t in lamps.tasks("test", 8)]
        runs = learner.evaluate(other, lamps)
        assert not any(run.outcome.success for run in runs)
        assert learner.status("other").skills == {}


def test_a_unknown_task_may_be_declined(tiny_model: Path, tmp_path: Path) -> None:
    with open_toy(tmp_path, tiny_model, **{"wake.abstain_on_unknown": True, "wake.control_share": 0.0}) as learner:
        episode = learner.wake(Task(id="1", goal="Fold a crane.", environment="chat"))
        assert "not learned" in episode.answer
        assert episode.outcome.success is None
        assert learner.status().novel == 1


def test_an_adapter_whose_files_are_gone_costs_its_help_and_not_the_answer(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        lamps.right = unlike_the_base(learner, lamps)
        live_through(learner, lamps)
        [night] = learner.sleep()
    shutil.rmtree(tmp_path / "adapters" / night.adapter)
    with open_toy(tmp_path, tiny_model, lamps) as learner:
        [episode] = learner.wake_many(lamps.tasks("test", 1), lamps, ids=["after"])
        assert episode.answer
        assert episode.adapter == ""
        assert learner.status().faults["adapter"] >= 1


def test_a_door_that_stands_open_serves_what_another_process_published(tiny_model: Path, tmp_path: Path) -> None:
    lamps = ToyEnvironment("lamps")
    with open_toy(tmp_path, tiny_model, lamps) as door:
        lamps.right = unlike_the_base(door, lamps)
        with open_toy(tmp_path, tiny_model, lamps) as sleeper:
            live_through(sleeper, lamps)
            sleeper.sleep()
        assert success(door, lamps) == 1.0
        door.rollback()
        assert success(door, lamps) == 0.0


def test_a_home_that_was_moved_is_served_from_where_it_lies(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_toy(Path("home"), tiny_model) as learner:
        environment = ToyEnvironment("left", unlike_the_base(learner, ToyEnvironment("left", "red")))
        learner.environments[environment.id] = environment
        live_through(learner, environment)
        [night] = learner.sleep()
    assert night.published
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home").rename(tmp_path / "elsewhere" / "home")
    monkeypatch.chdir(tmp_path / "elsewhere")
    with open_toy(Path("home"), tiny_model, environment) as again:
        assert again.status().faults == {}
        assert success(again, environment) > 0.5
