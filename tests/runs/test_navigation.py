"""A run of navigation on tiny stages: what it leaves, that a killed one goes on, and that forgetting is exact."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lifelong.core import Action, Settings, SettingsError, Thought
from lifelong.envs.navigation.scenes import STAGES
from lifelong.learners.navigation.abstention import FIRST_STEPS
from lifelong.learners.navigation.checkpoints import ARRAYS, CheckpointDamaged, load_checkpoint
from lifelong.learners.navigation.goal_novelty import GoalNovelty
from lifelong.learners.navigation.navigator import Navigator, NavigatorSettings
from lifelong.memory import PendingErasure
from lifelong.orchestrator.erasure import erase_rows, search
from lifelong.runs import navigation
from lifelong.runs.navigation import GateResult, NavigationRun, run_navigation

TINY = (4, 2, 2)
LEARNING = NavigatorSettings(epochs=1, batch=4)
SETTINGS = Settings()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every candidate is taken, as no gain can be proven on two tasks."""
    monkeypatch.setattr(GateResult, "published", property(lambda self: True))


def opened(folder: Path) -> NavigationRun:
    return NavigationRun(folder, seed=0, sizes=TINY, learning=LEARNING)


def test_the_gate_wants_a_gain_and_no_credible_loss() -> None:
    assert GateResult(new=(0.1, 0.5), earlier=((-0.3, 0.1), (0.0, 0.2))).published
    assert not GateResult(new=(-0.1, 0.5), earlier=()).published
    assert not GateResult(new=(0.1, 0.5), earlier=((-0.3, 0.1), (-0.4, -0.1))).published


@pytest.mark.usefixtures("published")
def test_a_run_leaves_a_summary_a_report_and_checkpoints(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    phases: list[str] = []

    def note(phase: str, done: int, total: int) -> None:
        phases.append(phase)

    folder = run_navigation(SETTINGS, out=tmp_path, sizes=TINY, learning=LEARNING, progress=note, forgotten=STAGES[3][0])
    summary = json.loads((folder / "summary.json").read_text())
    assert [night["stage"] for night in summary["nights"]] == [1, 2, 3, 4]
    assert all(len(night["success"]) == 4 and night["success"][0][1] == 2 for night in summary["nights"])
    assert all(night["declined"]["actions_saved"][1] > 0 for night in summary["nights"])
    assert summary["forgotten"]["erasure"] == "exact"
    assert summary["forgotten"]["refused"][1] == 2
    assert summary["forgotten"]["left"] == 0
    assert {"stage 1: awake", "stage 4: asleep"} <= set(phases)
    page = (folder / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "http" not in page.replace("http://www.w3.org", "")
    for night in summary["nights"]:
        assert load_checkpoint(folder / "home" / "navigator" / f"stage-{night['stage']}").episodes
    # What is done is not done again.
    assert run_navigation(SETTINGS, out=tmp_path, sizes=TINY, learning=LEARNING, forgotten=STAGES[3][0], resume=True) == folder.resolve()
    assert json.loads((folder / "summary.json").read_text())["nights"] == summary["nights"]


@pytest.mark.usefixtures("published")
def test_a_run_that_was_killed_goes_on_as_if_it_had_not_been(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = navigation.begin_run(tmp_path / "whole", {})
    run = opened(whole)
    for stage in (1, 2):
        run.sleep(stage, run.wake(stage))

    monkeypatch.setattr(navigation, "BATCH", 2)
    killed = navigation.begin_run(tmp_path / "killed", {})
    first = opened(killed)
    first.sleep(1, first.wake(1))
    act = navigation.NavigateStrategy.act
    calls: list[int] = []

    def dies(self: navigation.NavigateStrategy, jobs: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return act(self, jobs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(navigation.NavigateStrategy, "act", dies)
        with pytest.raises(KeyboardInterrupt):
            first.wake(2)
    first.close()
    again = opened(killed)
    assert [night["stage"] for night in again.nights] == [1]
    again.sleep(2, again.wake(2))
    assert [night["success"] for night in again.nights] == [night["success"] for night in run.nights]
    assert all(torch.equal(a, b) for a, b in zip(again.live().network.parameters(), run.live().network.parameters(), strict=True))


@pytest.mark.usefixtures("published")
def test_what_is_forgotten_was_never_learned(tmp_path: Path) -> None:
    folder = navigation.begin_run(tmp_path, {})
    run = opened(folder)
    for stage in (1, 2):
        run.sleep(stage, run.wake(stage))
    category = run.verified(1)[0].skill
    others = {one.id for stage in (1, 2) for one in run.verified(stage) if one.skill != category}
    trajectories = [[one for one in run.trajectories(stage) if one.category != category] for stage in (1, 2)]
    receipt = run.forget(category)
    assert receipt["episodes"] > 0
    assert receipt["left"] == 0
    assert {one.id for stage in (1, 2) for one in run.verified(stage)} == others
    never = run.checkpoints()[0]
    for stage in trajectories:
        never = never.learn(stage) if stage else never
    assert all(torch.equal(a, b) for a, b in zip(never.network.parameters(), run.live().network.parameters(), strict=True))
    assert category not in run.live().taught
    named = [load_checkpoint(run.home / "navigator" / f"stage-{stage}").episodes for stage in run.published]
    assert {id for ids in named for id in ids} <= others
    assert run.forget(category) == receipt


def test_fewer_tasks_are_passed_over_more_often() -> None:
    assert [navigation.sleep_settings(tasks).epochs for tasks in (640, 320, 160, 90)] == [10, 10, 20, 36]


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'sofa' is no category of a stage; choose one of: red ball"):
        run_navigation(SETTINGS, out=tmp_path, forgotten="sofa")
    with pytest.raises(SettingsError, match="a stage needs at least one task of each kind"):
        run_navigation(SETTINGS, out=tmp_path, sizes=(4, 2, 0))
    navigation.begin_run(tmp_path, {})
    with pytest.raises(SettingsError, match="use the same flags"):
        run_navigation(replace(SETTINGS, seed=5), out=tmp_path, resume=True)


def test_a_category_of_a_stage_that_was_not_published_is_erased_all_the_same(tmp_path: Path) -> None:
    run = opened(navigation.begin_run(tmp_path, {}))
    run.sleep(1, run.wake(1))
    assert run.published == []
    category = run.verified(1)[0].skill
    receipt = run.forget(category)
    assert receipt["episodes"] > 0
    assert (receipt["left"], receipt["rebuilt"]) == (0, [])


@pytest.mark.usefixtures("published")
def test_goals_never_taught_are_refused_and_the_expert_shows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = opened(navigation.begin_run(tmp_path, {}))
    # Nothing was taught yet: every goal is refused before the first action, named, and shown by the expert.
    first = run.wake(1)
    assert [one.outcome.success for one in first] == [None] * TINY[0]
    for one in first:
        assert one.outcome.reason == f"unknown goal: {one.skill}; no goal was taught yet"
        assert isinstance(one.steps[-1], Thought)
        assert not any(isinstance(step, Action) for step in one.steps)
    run.sleep(1, first)
    night = run.nights[0]
    assert (night["refused"], night["given_up"], night["awake"]) == (TINY[0], 0, 0)
    assert night["learned_from"] > 0
    assert sum(count for _, count in (night["declined"]["unknown_refused"], night["declined"]["taught_refused"])) == 5 * TINY[1]
    # A threshold that nothing reaches refuses every goal after its first steps.
    calibrate = GoalNovelty.calibrate
    monkeypatch.setattr(GoalNovelty, "calibrate", lambda self, novelty: lowered(calibrate(self, novelty)))
    again = opened(run.home.parent)
    second = again.wake(2)
    assert all(one.outcome.reason.startswith(f"unknown goal: {one.skill} was never taught; its novelty is") for one in second)
    assert {sum(isinstance(step, Action) for step in one.steps) for one in second} == {FIRST_STEPS - 1}
    assert len(again.verified(2)) > 0


def lowered(goals: GoalNovelty) -> GoalNovelty:
    goals.threshold = -1.0
    return goals


@pytest.mark.usefixtures("published")
def test_a_run_that_was_killed_while_it_exchanged_a_checkpoint_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = opened(navigation.begin_run(tmp_path, {}))
    run.sleep(1, run.wake(1))
    category = run.verified(1)[0].skill

    def dies(self: Path, target: Path) -> None:
        if self.name.endswith(navigation.REBUILT):
            raise KeyboardInterrupt
        renamed(self, target)

    renamed = Path.rename
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", dies)
        with pytest.raises(KeyboardInterrupt):
            run.forget(category)
    run.close()
    again = opened(run.home.parent)
    assert category not in again.live().taught
    assert again.forget(category)["left"] == 0
    assert not list((run.home / "navigator").glob(f"*{navigation.REBUILT}"))


@pytest.mark.usefixtures("published")
def test_a_run_of_a_version_that_measured_less_is_named(tmp_path: Path) -> None:
    run = opened(navigation.begin_run(tmp_path, {}))
    run.sleep(1, run.wake(1))
    file = run.home / "navigator" / navigation.NIGHTS
    nights = json.loads(file.read_text())
    del nights[0]["failures"]
    file.write_text(json.dumps(nights))
    with pytest.raises(SettingsError, match="begin another one without --resume"):
        opened(run.home.parent)


@pytest.mark.usefixtures("published")
def test_an_erasure_by_the_learner_reaches_checkpoints_and_replay(tmp_path: Path) -> None:
    run = opened(navigation.begin_run(tmp_path, {}))
    for stage in (1, 2):
        run.sleep(stage, run.wake(stage))
    category = run.verified(1)[0].skill
    others = [[one for one in run.trajectories(stage) if one.category != category] for stage in (1, 2)]
    folder, record = run.home.parent, run.record
    assert any(one.category == category for one in run.live().parts[1].buffer.episodes)
    state = PendingErasure(id="e", asked=f"skill={category}", ids=tuple(record.episodes.ids(skill=category)), rebuild=False)
    left = erase_rows(record, run.home, state, again=False)
    assert left.documents == ("navigator/stage-1", "navigator/stage-2")
    assert not list((run.home / "navigator").glob("*stage*"))
    assert search(record, run.home, left).found == ()
    run.close()
    # Opened again, the run learns the stages without it, bit by bit as if it had never been taught.
    again = opened(folder)
    never = Navigator(seed=0, settings=LEARNING)
    for stage in others:
        never = never.learn(stage) if stage else never
    assert all(torch.equal(a, b) for a, b in zip(never.network.parameters(), again.live().network.parameters(), strict=True))
    assert category not in again.live().taught
    assert [night["learned_again"] for night in again.nights] == [True, True]
    assert "stage 1, 2; the figures above are from before" in "".join(navigation._closing(again.nights, None))


@pytest.mark.usefixtures("published")
def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    run = opened(navigation.begin_run(tmp_path, {}))
    run.sleep(1, run.wake(1))
    file = run.home / "navigator" / "stage-1" / ARRAYS
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(CheckpointDamaged, match="stage-1 is not a checkpoint that can be used"):
        run.live()
