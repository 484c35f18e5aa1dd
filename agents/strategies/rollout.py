"""A run under way: what the model sees of it, and what an action brings about, whatever the environment does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ...core import (
    UNKNOWN,
    Action,
    Judge,
    MalformedTask,
    Message,
    Observation,
    Outcome,
    Recall,
    Reward,
    Step,
    Task,
    ToolResult,
    Usage,
    from_messages,
    to_messages,
)
from ...envs import Environment
from ...envs.results import RuleBroken, StepResult, read_choices, read_reset, read_step
from ...serving import ChatRequest
from ..strategy import Job, Run
from .caller import Caller

log = logging.getLogger("lifelong")

T = TypeVar("T")

RETRY_TEMPERATURE = 0.7
"""Temperature of answers after the first: high enough to differ, low enough to stay near the mode."""
STEP_SECONDS = 120.0
"""Seconds that one call of an environment may take."""


def visible(task: Task, steps: Sequence[Step], chosen: bool) -> list[Message]:
    """What the model sees of a run.

    Where actions are chosen from given ones, an observation holds the whole state, so the goal and the last
    observation suffice. Where an answer is composed, the model sees the task; a refused answer is dropped rather than
    shown, since a model that has just failed tends to repeat itself (execution-guided decoding, Wang et al. 2018,
    https://arxiv.org/abs/1807.03100). A chat, where no tool answers, is seen whole.
    """
    recall = [step for step in steps if isinstance(step, Recall)]
    results = [step for step in steps if isinstance(step, ToolResult)]
    if not results:
        return to_messages(task, steps)
    first = next(step for step in steps if isinstance(step, Observation))
    shown = [Observation(text=task.goal), results[-1]] if chosen else [first]
    return to_messages(task, [*shown, *recall])


@dataclass
class Rollout:
    """A run under way. A failure of its environment ends it with the reason and leaves all others alone."""

    job: Job
    attempts: int = 1
    """Most composed answers while the environment refuses them."""
    step_seconds: float = STEP_SECONDS
    environment: Environment | None = None
    steps: list[Step] = field(default_factory=list)
    admissible: tuple[str, ...] = ()
    outcome: Outcome = UNKNOWN
    usage: Usage = field(default_factory=Usage)
    refusals: int = 0
    actions: int = 0
    repairs: int = 0
    done: bool = False
    caller: Caller | None = None

    def begin(self) -> None:
        """Start the episode. Raises `MalformedTask` where the environment refuses the task."""
        job = self.job
        if job.environment is None:
            self.steps = [*from_messages(job.history), Observation(text=job.task.text), *([job.recall] if job.recall else [])]
            return
        given = job.environment
        self.caller = Caller(self.step_seconds)

        def start() -> tuple[Environment, str, tuple[str, ...]]:
            # Runs go side by side; each needs an environment of its own.
            environment = given.spawn()
            observation = read_reset(environment.reset(seed=job.seed, options={"task": job.task}))
            return environment, observation, read_choices(environment.admissible())

        started = self.guarded(start)
        self.steps = [Observation(text=job.task.text if started is None else started[1]), *([job.recall] if job.recall else [])]
        if started is not None:
            self.environment, _, self.admissible = started

    def request(self) -> ChatRequest:
        """What the model is asked next."""
        job = self.job
        return ChatRequest(
            messages=visible(job.task, self.steps, bool(self.admissible)),
            adapter=job.adapter,
            max_tokens=min(job.max_tokens, self.environment.max_answer_tokens) if self.environment else job.max_tokens,
            temperature=job.temperature if self.refusals == 0 else max(job.temperature, RETRY_TEMPERATURE),
            seed=job.seed + self.refusals,
            choices=self.admissible,
        )

    def advance(self, action: str, usage: Usage, likelihood: float | None = None) -> None:
        """Carry out an action and record what came of it."""
        self.usage += usage
        self.steps.append(Action(text=action, chosen=bool(self.admissible), likelihood=likelihood))
        environment = self.environment
        if environment is None:
            self.done = True
            return
        self.actions += 1
        result = self.guarded(lambda: read_step(environment.step(action)))
        if result is None:
            return
        self.steps += [ToolResult(text=result.text, error=result.error), Reward(text="", value=result.reward)]
        self.refusals += result.error
        # Where actions are chosen, a refused one is part of the way; where they are composed, it uses up an attempt.
        exhausted = not self.admissible and self.refusals >= self.attempts
        if result.terminated or result.truncated or exhausted:
            self._judge(result, result.text if result.error else "")
        elif self.actions >= environment.max_steps:
            self._judge(replace(result, success=False), f"not ended within {environment.max_steps} actions")
        else:
            choices = self.guarded(lambda: read_choices(environment.admissible()))
            self.admissible = choices if choices is not None else ()

    def error(self) -> str:
        """What the environment said of a refused last action; empty where it refused none."""
        last = next((step for step in reversed(self.steps) if isinstance(step, ToolResult)), None)
        return last.text if last is not None and last.error else ""

    def result(self) -> Run:
        """The finished run. Its environment is given back."""
        if self.caller is not None:
            environment = self.environment
            self.caller.end(environment.close if environment is not None else lambda: None)
            self.caller = None
        return Run(steps=tuple(self.steps), outcome=self.outcome, usage=self.usage)

    def _judge(self, result: StepResult, reason: str) -> None:
        score = max(0.0, min(1.0, result.reward))
        self.outcome = Outcome(success=result.success, score=score, judge=Judge.ENVIRONMENT, reason=reason)
        self.done = True

    def guarded(self, call: Callable[[], T]) -> T | None:
        """What the call returns; None where it fails, which ends the run with the reason and without a judgement."""
        assert self.caller is not None
        try:
            return self.caller.call(call)
        except MalformedTask:
            raise
        except TimeoutError as error:
            reason = f"the environment was too slow: {error}"
        except RuleBroken as error:
            reason = f"the environment broke a rule: {error}"
        except Exception as error:
            reason = f"the environment failed: {type(error).__name__}: {error}"
            log.warning("environment %s failed on task %s", self.job.task.environment, self.job.task.id, exc_info=True)
        self.outcome = Outcome(success=None, reason=reason[:500])
        self.done = True
        return None
