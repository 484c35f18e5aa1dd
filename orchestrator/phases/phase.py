"""What a phase of sleep is: a name, a scope, when it is due, and a step from what is known of the night so far to a little more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol, Self

from ...agents.consolidation.plan import NightPlan
from ...core import Adapter, GateReport
from ...envs import Environment
from ...learners import Sample
from ..components import Components
from ..held_out import HeldOut
from ..run_state import NightState

Progress = Callable[[str, int, int], None]
"""Called with (phase, done, in all) through every long phase."""


class NightStopped(Exception):
    """The learner is being closed: the night ends where it stands and goes on from there the next time."""


class OutOfTime(Exception):
    """The night's budget of seconds is spent before the gate has decided; the next night goes on with what was trained."""


class Scope(StrEnum):
    """What one run of a phase covers."""

    TENANT = "tenant"
    SKILL = "skill"


@dataclass(frozen=True, kw_only=True)
class NightContext:
    """What all phases of a night share."""

    components: Components
    """The learner's parts."""
    environments: Mapping[str, Environment]
    """What judges held-out tasks, by environment id."""
    tenant: str
    """Whose night."""
    every_skill: bool = True
    """Whether the night looks for new skills; one over named skills does not."""
    progress: Progress = lambda *_: None
    """Told of every phase."""
    deadline: float = float("inf")
    """Reading of `time.monotonic` at which the night's budget is spent."""
    stopping: Callable[[], bool] = lambda: False
    """Whether the learner is being closed."""

    @property
    def out_of_time(self) -> bool:
        """Whether the budget of seconds is spent."""
        return time.monotonic() > self.deadline

    @property
    def seconds_left(self) -> float:
        """What is left of the night's budget of seconds."""
        return max(0.0, self.deadline - time.monotonic())

    def check(self) -> None:
        """Raise `NightStopped` when the learner is being closed; long phases call it at every step."""
        if self.stopping():
            raise NightStopped


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is known of one skill's night (or of the tenant's, without a skill); each phase returns it with more filled in."""

    skill: str = ""
    """The skill, empty in a phase of the tenant."""
    adapter: str = ""
    """Name reserved for the candidate."""
    lessons: int = 0
    """Lessons written."""
    plan: NightPlan | None = None
    """What the night does beside learning from what is verified; None before it was planned."""
    practice: tuple[Sample, ...] = ()
    """Exercises that the candidate practises."""
    data: tuple[Sample, ...] = ()
    """What the candidate learns from."""
    seen: tuple[str, ...] = ()
    """Trainable episodes of the skill when the night began: what came later is left to the next one."""
    held_out: HeldOut | None = None
    """What it is judged on."""
    candidate: Adapter | None = None
    """The trained candidate."""
    loss: tuple[float, ...] = ()
    """Mean training loss of each epoch, in nats a token."""
    gate: GateReport | None = None
    """The gate's decision."""
    state: NightState = NightState.RUNNING
    """Anything but running ends the skill's night here."""
    reason: str = ""
    """Why it ended."""

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do for this skill."""
        return self.state is not NightState.RUNNING

    def end(self, state: NightState, reason: str) -> Self:
        """A copy that has ended."""
        return replace(self, state=state, reason=reason)


class Phase(Protocol):
    """A phase of sleep. `run` may be repeated after a crash at any moment: what was done already is found and kept."""

    name: str
    """Shown to people, and the key of its seconds in reports."""
    scope: Scope
    """Whether it runs once a night or once a skill."""

    def due(self, night: NightContext, work: Work) -> bool:
        """Whether there is anything to do; changes nothing."""

    def run(self, night: NightContext, work: Work) -> Work:
        """Do it, and return what is known afterwards."""
