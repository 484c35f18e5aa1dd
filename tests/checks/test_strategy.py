from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from lifelong.agents import DirectStrategy, Job, Run
from lifelong.checks import check_strategy
from lifelong.core import Outcome
from lifelong.core.plugins import create, names


@pytest.mark.parametrize("name", names("strategies"))
def test_every_member_keeps_the_contract(name: str) -> None:
    check_strategy(lambda engine: create("strategies", name, engine=engine))


class Boastful(DirectStrategy):
    def act(self, jobs: Sequence[Job]) -> list[Run]:
        return [replace(run, outcome=replace(run.outcome, success=True)) for run in super().act(jobs)]


class Lazy(DirectStrategy):
    def act(self, jobs: Sequence[Job]) -> list[Run]:
        return super().act(jobs[:1])


class Shared(DirectStrategy):
    def act(self, jobs: Sequence[Job]) -> list[Run]:
        for job in jobs:
            if job.environment is not None:
                job.environment.reset(options={"task": job.task})
        return super().act(jobs)


class Fragile(DirectStrategy):
    def act(self, jobs: Sequence[Job]) -> list[Run]:
        runs = super().act(jobs)
        if any(run.outcome.success is None and run.outcome.reason for run in runs):
            raise RuntimeError("one has failed")
        return runs


class Judging(DirectStrategy):
    def act(self, jobs: Sequence[Job]) -> list[Run]:
        return [
            run if job.environment else replace(run, outcome=Outcome(success=True))
            for job, run in zip(jobs, super().act(jobs), strict=True)
        ]


class Forgetful(DirectStrategy):
    """Shows the task alone, as if every environment had asked for that."""

    def act(self, jobs: Sequence[Job]) -> list[Run]:
        class Blind:
            history = "none"

            def __init__(self, inner: Any) -> None:
                self._inner = inner

            def spawn(self) -> Blind:
                return Blind(self._inner.spawn())

            def __getattr__(self, name: str) -> Any:
                return getattr(self._inner, name)

        blind: list[Any] = [Blind(job.environment) if job.environment is not None else None for job in jobs]
        return super().act([replace(job, environment=environment) for job, environment in zip(jobs, blind, strict=True)])


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        (Forgetful, "what an action brought about is shown to the model before the next one"),
        (Boastful, "success is what the environment said"),
        (Lazy, "one run a job"),
        (Shared, "a run uses a spawned environment"),
        (Fragile, "one run a job, whatever their environments do; it raised RuntimeError"),
        (Judging, "nobody has judged a chat"),
    ],
)
def test_a_broken_member_is_found(member: type[DirectStrategy], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_strategy(member)
