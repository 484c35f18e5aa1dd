"""Object navigation goes to the home's navigator, all else to the language agent; one record holds both, and forgetting reaches both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fake_training import open_table

from lifelong.agents import Job, Run
from lifelong.agents.strategies.mixed import act_by_kind, newest_checkpoint
from lifelong.agents.strategies.navigate import NAVIGATOR_MODEL, NavigateStrategy
from lifelong.core import UNKNOWN, Task, Usage
from lifelong.envs import ObjectNavGridEnvironment
from lifelong.learners.navigation.checkpoints import ARRAYS, CheckpointDamaged, save_checkpoint
from lifelong.learners.navigation.navigator import Navigator
from lifelong.orchestrator.sleep import due_skills

ENVIRONMENT = ObjectNavGridEnvironment()
[TASK] = ENVIRONMENT.tasks("validation", 1)


class Language:
    """Answers nothing, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def act(self, jobs: Sequence[Job]) -> list[Run]:
        self.asked += [job.id for job in jobs]
        return [Run(steps=(), outcome=UNKNOWN, usage=Usage()) for _ in jobs]


def kept(home: Path, stage: int, *episodes: str, seed: int = 0) -> Navigator:
    navigator = Navigator(width=16, seed=seed)
    save_checkpoint(navigator, home / "navigator" / f"stage-{stage}", episodes=episodes)
    return navigator


def test_each_job_goes_to_whom_it_is_for(tmp_path: Path) -> None:
    jobs = [Job(task=Task(id="c", goal="hello"), id="chat"), Job(task=TASK, environment=ENVIRONMENT, id="walk"), Job(task=TASK, id="words")]
    language = Language()
    # Without a navigator the language agent does all.
    assert [run.model for run in act_by_kind(language, jobs, tmp_path)] == ["", "", ""]
    assert language.asked == ["chat", "walk", "words"]
    kept(tmp_path, 2, seed=1)
    newest = kept(tmp_path, 10, seed=2)
    language.asked.clear()
    runs = act_by_kind(language, jobs, tmp_path)
    assert language.asked == ["chat", "words"]
    assert [run.model for run in runs] == ["", NAVIGATOR_MODEL, ""]
    assert runs[1].steps == NavigateStrategy(newest).act([jobs[1]])[0].steps
    assert act_by_kind(language, jobs[1:2], tmp_path)[0].steps == runs[1].steps


def test_only_whole_checkpoints_count(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path) is None
    (tmp_path / "navigator" / "stage-4").mkdir(parents=True)
    kept(tmp_path, 3)
    (tmp_path / "navigator" / "stage-3").rename(tmp_path / "navigator" / "stage-3-rebuilt")
    assert newest_checkpoint(tmp_path) is None
    kept(tmp_path, 1)
    assert newest_checkpoint(tmp_path) == tmp_path / "navigator" / "stage-1"


def test_one_learner_chats_and_navigates_and_forgets_both(tmp_path: Path) -> None:
    with open_table(tmp_path, ENVIRONMENT, **{"wake.control_share": 0.0, "sleep.min_episodes": 1}) as learner:
        category = TASK.goal.removeprefix("Mission: find the ").rstrip(".")
        walk = learner.wake(replace(TASK, skill=category), ENVIRONMENT)
        assert walk.model == learner.engine.model
        kept(tmp_path, 1, walk.id)
        again = learner.wake(replace(TASK, skill=category), ENVIRONMENT)
        chat = learner.wake(Task(id="chat", goal="What is the capital of France?", environment="chat"))
        assert (again.model, again.skill, chat.model) == (NAVIGATOR_MODEL, category, learner.engine.model)
        assert {one.id for one in learner.record.episodes.find(tenant="default")} == {walk.id, again.id, chat.id}
        # The navigator's skill is no skill of the language model's nights.
        assert category not in due_skills(learner._components, "default", learner.environments)
        receipt = learner.forget(skill=category)
        assert receipt.episodes == 2
        assert (receipt.erasure, receipt.documents) == ("exact", ("navigator/stage-1",))
        assert newest_checkpoint(tmp_path) is None
        assert [one.id for one in learner.record.episodes.find(tenant="default")] == [chat.id]


def test_a_damaged_navigator_is_named(tmp_path: Path) -> None:
    kept(tmp_path, 1)
    file = tmp_path / "navigator" / "stage-1" / ARRAYS
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CheckpointDamaged, match="stage-1 is not a checkpoint that can be used"):
        act_by_kind(Language(), [Job(task=TASK, environment=ENVIRONMENT)], tmp_path)
