"""Heads name the skills in waking, sleep refits and compresses, an erasure unlearns and says how exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scripted import open_scripted

from lifelong.core import Action, Episode, Judge, Outcome, Task
from lifelong.learners import SkillHead
from lifelong.orchestrator import LifelongLearner, answer, unlabelled
from lifelong.orchestrator import skill_heads as skills_of
from lifelong.orchestrator.run_state import RefitStamp
from lifelong.orchestrator.skill_heads import has_outcome, learn_outcome
from lifelong.perception import OutcomeModel

WORDS = {"flights": "book a flight to {} on day {}", "recipes": "write the recipe of {} for {} people", "lamps": "press lamp {} in room {}"}
THINGS = ("Rome", "Oslo", "Lima", "soup", "cake", "bread", "seven", "green")


def goals(kind: str, first: int = 0, count: int = 12) -> list[Task]:
    texts = [WORDS[kind].format(THINGS[n % 8], n) for n in range(first, first + count)]
    return [Task(id=f"{kind}-{n}", goal=text, skill=kind, environment="chat") for n, text in enumerate(texts, first)]


def run_tasks(learner: LifelongLearner, *kinds: str, count: int = 12) -> None:
    for task in (task for kind in kinds for task in goals(kind, count=count)):
        learner.wake(task)


def named(learner: LifelongLearner, kind: str) -> list[str]:
    return [run.skill for run in (learner.wake(task) for task in unlabelled(goals(kind, 50, 6)))]


def test_waking_asks_the_head_and_a_fault_of_it_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_scripted(tmp_path) as learner:
        run_tasks(learner, "flights", "recipes")
        verdict = learner.wake(unlabelled(goals("recipes", 60, 1))[0]).verdict
        assert verdict.skill == "recipes"
        monkeypatch.setattr(SkillHead, "name", lambda self, vector: ("lamps", 1.0))
        assert learner.wake(unlabelled(goals("recipes", 61, 1))[0]).verdict.skill == "recipes", "without a refit the recogniser names it"
        monkeypatch.setattr(SkillHead, "refitted", ("lamps", "recipes"))
        verdict = learner.wake(unlabelled(goals("recipes", 62, 1))[0]).verdict
        assert (verdict.skill, verdict.confidence) == ("lamps", 0.5), "the surer of both names it, half as sure where the other disagrees"
        monkeypatch.setattr(SkillHead, "name", lambda self, vector: ("recipes", 1.0))
        verdict = learner.wake(unlabelled(goals("recipes", 63, 1))[0]).verdict
        assert verdict.skill == "recipes"
        assert 0.5 < verdict.confidence < 1, "where both agree they are as sure as they are on average"

        def broken(self: SkillHead, vector: np.ndarray) -> tuple[str, float]:
            raise RuntimeError("no head")

        monkeypatch.setattr(SkillHead, "name", broken)
        assert learner.wake(unlabelled(goals("recipes", 62, 1))[0]).steps[-1].text == "done"
        assert learner.status().faults == {"perception": 1}


def test_skills_are_known_by_their_cues_once_their_episodes_are_gone(tmp_path: Path) -> None:
    with open_scripted(tmp_path, **{"memory.max_episodes": 4}) as learner:
        run_tasks(learner, "flights", "recipes")
        learner.sleep()
        assert learner.record.episodes.count(tenant="default") == 4
        assert set(learner.record.episodes.skills(tenant="default")) == {"recipes"}
        assert named(learner, "flights") == ["flights"] * 6
    with open_scripted(tmp_path, **{"memory.max_episodes": 4}) as learner:
        assert named(learner, "flights") == ["flights"] * 6


def test_unlearning_is_exact_and_the_receipt_says_so(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        run_tasks(learner, "flights", "recipes", "lamps")
        learner.sleep()
        one = learner.record.episodes.find(skill="flights")[3]
        receipt = learner.forget(episode=one.id)
        assert (receipt.erasure, receipt.traces, receipt.cues_lost) == ("exact", (), 0)
        assert receipt.head_difference is not None
        assert receipt.head_difference < 1e-6
        assert set(receipt.probe.values()) == {0.0}
        receipt = learner.forget(skill="flights")
        assert (receipt.erasure, receipt.episodes) == ("exact", 11)
        assert "flights" not in named(learner, "recipes") + named(learner, "lamps")
        assert learner.record.receipts.find()[-1] == receipt, "a receipt comes back from the record as it was given"


def test_a_head_that_did_not_unlearn_is_found_out_and_does_not_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_scripted(tmp_path) as learner:
        run_tasks(learner, "flights", "recipes")
        one = learner.record.episodes.find(skill="flights")[3]
        monkeypatch.setattr(SkillHead, "unlearn", lambda self, vectors, skills: None)
        receipt = learner.forget(episode=one.id)
        assert receipt.erasure == "approximate"
        assert receipt.head_difference is not None
        assert receipt.head_difference > 1e-3
        vectors, skills = skills_of.labelled_vectors(learner.record, "default")
        anew = SkillHead()
        anew.learn(vectors, skills)
        assert skills_of.difference(learner._components.perceiver("default").head, anew, vectors) < 1e-9, "one made anew serves instead"


def test_an_erasure_that_reaches_cues_is_approximate_while_a_codebook_stays(tmp_path: Path) -> None:
    with open_scripted(tmp_path, **{"memory.max_episodes": 4}) as learner:
        run_tasks(learner, "flights", "recipes")
        learner.sleep()
        gone = learner.record.cues.find(skill="flights")[0]
        receipt = learner.forget(episode=gone)
        assert receipt.erasure == "approximate"
        assert [word in trace for word, trace in zip(("left the budget", "codebook"), receipt.traces, strict=True)] == [True, True]
        assert (receipt.episodes, receipt.cues_lost, receipt.probe["cues_left"]) == (1, 11, 0.0)
        assert receipt.head_difference is not None
        assert receipt.head_difference < 1e-6
        assert learner.record.cues.find(skill="flights") == []
        everything = learner.forget(tenant="default")
        assert (everything.erasure, everything.traces) == ("exact", ()), "with the last cue the codebook goes too"
        assert learner.record.cues.find() == []


def test_an_erasure_that_a_crash_cut_short_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_scripted(tmp_path) as learner:
        run_tasks(learner, "flights", "recipes")
        learner.sleep()

        def crash(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr("lifelong.orchestrator.forget._apart", crash)
            with pytest.raises(KeyboardInterrupt):
                learner.forget(skill="flights")
    with open_scripted(tmp_path) as learner:
        [receipt] = learner.resume()
        assert receipt.erasure == "exact"
        assert receipt.head_difference is None, "no head that had known them was left to be compared"
        assert "flights" not in named(learner, "recipes")


def test_a_crash_right_after_the_rows_are_gone_leaves_no_refit_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_scripted(tmp_path) as learner:
        run_tasks(learner, "flights", "recipes")
        learner.sleep()
        file, erase = skills_of.head_file(tmp_path, "default"), learner.record.erase
        assert file.exists()

        def dies(ids: list[str]) -> None:
            erase(ids)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(learner.record, "erase", dies)
            with pytest.raises(KeyboardInterrupt):
                learner.forget(skill="flights", rebuild=False)
    with open_scripted(tmp_path) as learner:
        [receipt] = learner.resume()
        assert not file.exists(), "its weights had seen what is gone"
        assert (receipt.episodes, receipt.erasure) == (12, "exact")


class Stopped(BaseException):
    pass


@pytest.mark.parametrize("moment", ["compress", "refit", "save_head"])
def test_a_stream_that_stops_mid_sleep_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    def stop(*_: object, **__: object) -> None:
        raise Stopped

    with open_scripted(tmp_path, **{"memory.max_episodes": 16}) as learner:
        run_tasks(learner, "flights", "recipes")
        module = {"save_head": "skill_heads", "refit": "perceiver", "compress": "phases.compress"}[moment]
        with monkeypatch.context() as patched:
            patched.setattr(f"lifelong.orchestrator.{module}.{moment}", stop)
            with pytest.raises(Stopped):
                learner.sleep()
        assert named(learner, "flights") == ["flights"] * 6
    with open_scripted(tmp_path, **{"memory.max_episodes": 16}) as learner:
        assert named(learner, "recipes") == ["recipes"] * 6
        learner.sleep()
        assert learner.record.episodes.count(tenant="default") == 16
        assert learner.record.state.get(RefitStamp, tenant="default")
        assert named(learner, "flights") == ["flights"] * 6


def test_a_renamed_skill_leaves_the_old_refit_unread(tmp_path: Path) -> None:
    with open_scripted(tmp_path) as learner:
        run_tasks(learner, "flights", "recipes")
        head = learner._components.perceiver("default").head
        head._refitted, head._asleep = ("flights", "recipes"), None  # as a refit would leave it
        skills_of.save_head(head, _made(skills_of.head_file(tmp_path, "default")))
        learner.record.state.put(RefitStamp(tenant="default", episodes=(0, 0), filed=0, relabel_count=0))
        ids = [episode.id for episode in learner.record.episodes.find(skill="flights")]
        for id_ in ids:
            answer(learner.record, "default", id_, "journeys")
        assert named(learner, "flights") == ["journeys"] * 6
        assert learner._components.perceiver("default").head.refitted == ()


def _made(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def judged_episode(**values: object) -> Episode:
    outcome = Outcome(success=True, score=1.0, judge=Judge.USER)
    made = {"id": "1", "task": Task(id="1", goal="g"), "steps": (Action(text="a"),), "outcome": outcome, "skill": "s", **values}
    return Episode(**made)  # type: ignore[arg-type]


def test_only_an_own_run_that_somebody_else_judged_tells_what_the_agent_can_do() -> None:
    assert has_outcome(judged_episode())
    assert not has_outcome(judged_episode(skill=""))
    assert not has_outcome(judged_episode(demonstration=True))
    assert not has_outcome(judged_episode(outcome=Outcome(success=True, judge=Judge.SELF)))


def test_a_second_outcome_of_an_episode_replaces_the_first() -> None:
    model, vector = OutcomeModel(), np.eye(4, dtype=np.float32)[0]
    learn_outcome(model, judged_episode(), vector)
    learn_outcome(model, judged_episode(outcome=Outcome(success=False, judge=Judge.USER)), vector)
    assert model.counts("s", "") == (0, 1)
