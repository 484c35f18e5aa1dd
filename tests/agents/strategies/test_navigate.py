"""The navigator runs jobs as every strategy does: judged by the environment, side by side, one failure for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lifelong.agents import Job
from lifelong.agents.strategies.navigate import OBJECT_NAVIGATION, NavigateStrategy, show_search
from lifelong.agents.strategy import Strategy
from lifelong.core import Action, Judge, MalformedTask, Observation
from lifelong.envs import ObjectNavGridEnvironment
from lifelong.learners.navigation.navigator import Navigator


@pytest.fixture(scope="module")
def environment() -> ObjectNavGridEnvironment:
    return ObjectNavGridEnvironment()


def jobs(environment: ObjectNavGridEnvironment, count: int) -> list[Job]:
    return [Job(task=task, environment=environment, id=task.id) for task in environment.tasks("validation", count)]


def test_runs_are_those_of_the_navigator(environment: ObjectNavGridEnvironment) -> None:
    navigator, wanted = Navigator(width=16, seed=1), jobs(environment, 6)
    strategy = NavigateStrategy(navigator)
    assert isinstance(strategy, Strategy)
    runs = strategy.act(wanted)
    results = navigator.act(environment, [job.task for job in wanted])
    assert [run.outcome.success for run in runs] == [one.success for one in results]
    assert [sum(isinstance(step, Action) for step in run.steps) for run in runs] == [one.steps for one in results]
    assert all(isinstance(run.steps[0], Observation) for run in runs)
    assert all(run.outcome.judge is Judge.ENVIRONMENT for run in runs)
    assert all(run.usage.tokens == 0 for run in runs)
    assert [run.steps for run in strategy.act(wanted[:2])] == [run.steps for run in runs[:2]]
    assert strategy.act([]) == []


def test_what_happens_is_shown_as_it_happens(environment: ObjectNavGridEnvironment) -> None:
    shown: list[tuple[str, str]] = []
    strategy = NavigateStrategy(Navigator(width=16), watch=lambda world, done: shown.append((world.wanted, done)))
    [first, _] = strategy.act(jobs(environment, 2))
    actions = [step.text for step in first.steps if isinstance(step, Action)]
    assert [done for _, done in shown] == ["", *actions]
    assert len({wanted for wanted, _ in shown}) == 1


def test_a_world_that_fails_ends_its_own_run_alone(environment: ObjectNavGridEnvironment) -> None:
    class Broken(ObjectNavGridEnvironment):
        def step(self, action: str) -> Any:
            raise OSError("no display")

    good, bad = jobs(environment, 2)
    runs = NavigateStrategy(Navigator(width=16)).act([good, replace(bad, environment=Broken())])
    assert runs[0].outcome.success is not None
    assert runs[1].outcome.success is None
    assert "OSError: no display" in runs[1].outcome.reason


def test_another_environment_is_refused(environment: ObjectNavGridEnvironment) -> None:
    [job] = jobs(environment, 1)
    with pytest.raises(MalformedTask, match="a navigator acts in objectnav-grid-v1 only"):
        NavigateStrategy(Navigator(width=16)).act([replace(job, environment=None)])


def test_the_expert_searches_and_is_judged(environment: ObjectNavGridEnvironment) -> None:
    runs = [show_search(job) for job in jobs(environment, 4)]
    assert sum(run.outcome.success is True for run in runs) >= 3
    # A goal that is not there cannot be found, which ends this run and says why.
    scene = next(scene for scene in range(1, 60, 3) if not holds(environment, "red ball", scene))
    absent = show_search(Job(task=environment.task("red ball", scene), environment=environment))
    assert not absent.outcome.success
    assert absent.outcome.reason


def holds(environment: ObjectNavGridEnvironment, category: str, scene: int) -> bool:
    environment.reset(options={"task": environment.task(category, scene)})
    return category in environment.map()[0].objects.values()


def test_the_id_that_is_known_beforehand_is_the_environments() -> None:
    assert ObjectNavGridEnvironment.id == OBJECT_NAVIGATION
