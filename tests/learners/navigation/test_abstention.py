"""What is declined while an episode runs is what its whole trace says, and thresholds come from other scenes."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from lifelong.agents import Job
from lifelong.agents.strategies.navigate import NavigateStrategy
from lifelong.core import Action
from lifelong.envs import ObjectNavGridEnvironment
from lifelong.envs.navigation.scenes import STAGES
from lifelong.learners.navigation.abstention import FIRST_STEPS, Abstention, fit_abstention
from lifelong.learners.navigation.early_stop import EarlyStop
from lifelong.learners.navigation.goal_novelty import GoalNovelty
from lifelong.learners.navigation.navigator import Navigator, NavigatorSettings
from lifelong.learners.navigation.trajectories import Trajectory, record

TASKS = ObjectNavGridEnvironment().tasks("validation", 16)


@pytest.fixture(scope="module")
def stage() -> list[Trajectory]:
    environment = ObjectNavGridEnvironment(STAGES[0])
    return record(environment, environment.tasks("train", 12))


@pytest.fixture(scope="module")
def navigators(stage: list[Trajectory]) -> list[Navigator]:
    untaught = Navigator(width=16, settings=NavigatorSettings(epochs=2, batch=4))
    return [untaught, untaught.learn(stage)]


@pytest.fixture(scope="module")
def fitted(navigators: list[Navigator], stage: list[Trajectory]) -> Abstention:
    """With thresholds in the midst of what there is, so that some episodes are declined for either reason."""
    traces = navigators[1].trace(ObjectNavGridEnvironment(), TASKS)
    ends = copy.deepcopy(traces)
    for number, one in enumerate(ends):
        object.__setattr__(one.result, "success", number % 2 == 0)
    early_stop = EarlyStop(ends)
    early_stop.threshold = float(np.quantile([early_stop.chances(one).min() for one in traces], 0.4))
    goals = GoalNovelty().after(navigators[1], stage, steps=FIRST_STEPS)
    goals.threshold = float(np.median(goals.novelty([one.aligned[:FIRST_STEPS] for one in traces])))
    return Abstention(goals=goals, early_stop=early_stop)


def test_without_a_taught_goal_all_are_declined_at_once() -> None:
    [declined] = Abstention().begin(["red ball"]).after(np.zeros((1, 4)), np.zeros((1, 4)))
    assert declined is not None
    assert (declined.reason, declined.text) == ("unknown goal", "unknown goal: red ball; no goal was taught yet")


def test_acting_ends_where_the_trace_says(navigators: list[Navigator], fitted: Abstention) -> None:
    environment = ObjectNavGridEnvironment()
    whole = [fitted.declined(one) for one in navigators[1].trace(environment, TASKS)]
    shown: list[str] = []
    strategy = NavigateStrategy(navigators[1], abstention=fitted, watch=lambda _, done: shown.append(done))
    runs = strategy.act([Job(task=task, environment=environment, id=task.id) for task in TASKS])
    assert {one[1].reason for one in whole if one} == {"unknown goal", "unlikely to succeed"}
    assert None in whole
    for expected, run in zip(whole, runs, strict=True):
        actions = sum(isinstance(step, Action) for step in run.steps)
        if expected is None:
            assert run.outcome.success is not None
            continue
        place, decline = expected
        assert actions == place
        assert run.steps[-1].text == run.outcome.reason
        # Novelty in another batch differs in its last digits.
        assert run.outcome.reason.split("its novelty")[0] == decline.text.split("its novelty")[0]
        assert run.outcome.success is (None if decline.reason == "unknown goal" else False)
        if decline.reason == "unknown goal":
            assert place == FIRST_STEPS - 1
    first = whole[0]
    assert shown[-1].startswith("nothing more; " if first else ("left", "right", "forward", "open", "stop"))


def test_thresholds_are_set_in_validation_scenes(
    navigators: list[Navigator], stage: list[Trajectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    tasks = ObjectNavGridEnvironment.tasks

    def noted(self: ObjectNavGridEnvironment, split: str, count: int, *, seed: int = 0) -> object:
        assert set(self.categories) == set(navigators[1].taught)
        asked.append((split, count))
        assert seed != 0
        return tasks(self, split, count, seed=seed)  # type: ignore[arg-type]

    monkeypatch.setattr(ObjectNavGridEnvironment, "tasks", noted)
    found = fit_abstention(navigators, [stage], seed=0, watched=7, held_out=9)
    assert sorted(asked) == [("train", 7), ("validation", 9)]
    assert found.goals is not None
    assert np.isfinite(found.goals.threshold)
    assert fit_abstention(navigators[:1], [], seed=0, watched=7, held_out=9) == Abstention()
    with pytest.raises(ValueError, match="1 stages need 2 checkpoints"):
        fit_abstention(navigators[:1], [stage], seed=0, watched=7, held_out=9)


def test_a_stage_that_was_forgotten_whole_leaves_nothing(navigators: list[Navigator], stage: list[Trajectory]) -> None:
    found = fit_abstention([*navigators, navigators[1]], [stage, []], seed=0, watched=4, held_out=4)
    same = fit_abstention(navigators, [stage], seed=0, watched=4, held_out=4)
    assert found.goals is not None
    assert same.goals is not None
    assert found.goals.threshold == same.goals.threshold
