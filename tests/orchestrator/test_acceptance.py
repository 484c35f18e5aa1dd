"""Two questions about a task: is it known, and will it succeed; what is accepted keeps the target risk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedEngine
from toy import ToyEnvironment

from lifelong.core import Episode, Judge, Settings
from lifelong.memory import Record, VectorIndex
from lifelong.orchestrator import Components, LifelongLearner, acceptance_rule, unlabelled
from lifelong.perception import HashedEncoder

GOOD, BAD = ToyEnvironment("lamps", right="blue"), ToyEnvironment("bells", right="red")


def opened(home: Path, **values: Any) -> LifelongLearner:
    """A learner whose model always answers `blue`: right for lamps, wrong for bells."""
    settings = Settings(home=home).with_values({"wake.control_share": 0.0, "wake.novelty_quantile": 1.0, **values})
    record = Record(home / "record.sqlite3")
    engine, encoder, index = ScriptedEngine(lambda request: "blue"), HashedEncoder(), VectorIndex(record.index_directory)
    components = Components(settings=settings, engine=engine, encoder=encoder, record=record, index=index, base_path=home)
    return LifelongLearner(components, {"lamps": GOOD, "bells": BAD})


def run_tasks(learner: LifelongLearner, count: int = 40) -> None:
    for environment in (GOOD, BAD):
        ids = [f"{environment.name}-{number}" for number in range(count)]
        learner.wake_many(environment.tasks("train", count), environment, ids=ids)


def asked(learner: LifelongLearner, environment: ToyEnvironment, name: str) -> Episode:
    [task] = unlabelled(environment.tasks("test", 1))
    return learner.wake_many([task], environment, ids=[name])[0]


def test_it_accepts_what_it_does_well_and_says_how_much(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        assert learner.status().acceptance is None
        run_tasks(learner)
        good, bad = asked(learner, GOOD, "good"), asked(learner, BAD, "bad")
        assert good.verdict is not None
        assert bad.verdict is not None
        assert (good.verdict.accepted, bad.verdict.accepted) == (True, False)
        assert good.verdict.success_chance > 0.9 > 0.1 > bad.verdict.success_chance
        assert bad.verdict.likely_to_fail
        rule = learner.status().acceptance
        assert rule is not None
        assert rule.coverage == pytest.approx(0.5, abs=0.05)
        assert rule.risk_bound <= 0.2
        assert acceptance_rule(learner.record, "default", 0.2) == rule, "the record alone tells the same"
        assert learner.record.episodes.get("good").answer_chance == good.answer_chance
        assert good.likelihood == -0.1
        assert good.answer_chance is not None
        assert good.answer_chance > 0.9


def test_a_task_below_the_threshold_is_declined_where_the_policy_says_so(tmp_path: Path) -> None:
    with opened(tmp_path, **{"wake.abstain_on_low_confidence": True}) as learner:
        run_tasks(learner, 10)
        assert asked(learner, BAD, "early").outcome.judge is Judge.ENVIRONMENT, "a rule that accepts nothing declines nothing"
        run_tasks(learner)
        declined = asked(learner, BAD, "bad")
        assert "probably get this wrong" in declined.answer
        assert declined.outcome.success is None
        assert asked(learner, GOOD, "good").answer == "blue"


def test_feedback_changes_the_chance(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        [task] = GOOD.tasks("train", 1)
        first = learner.wake(task)
        assert first.outcome.success is None
        for _ in range(5):
            learner.feedback(learner.wake(task).id, success=False)
        verdict = learner.wake(task).verdict
        assert verdict is not None
        assert verdict.success_chance < 0.2


def test_the_acceptance_rule_is_fitted_again_as_skills_are_added_and_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path) as learner:
        learner.wake_many(GOOD.tasks("train", 40), GOOD, ids=[f"lamps-{number}" for number in range(40)])
        alone = learner.status().acceptance
        run_tasks(learner)
        both = learner.status().acceptance
        assert alone is not None
        assert both is not None
        assert alone.coverage == 1.0
        assert both.coverage == pytest.approx(0.5, abs=0.05)
        learner.forget(skill="bells", rebuild=False)
        assert learner.status().acceptance == alone
