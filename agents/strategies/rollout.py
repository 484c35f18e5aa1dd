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
    Observation,
    Outcome,
    Reward,
    Step,
    ToolCall,
    ToolResult,
    Usage,
    from_messages,
    read_reply,
)
from ...core.messages import call_text
from ...envs import Environment, History, history_of
from ...envs.results import RuleBroken, StepResult, read_choices, read_reset, read_step
from ...serving import ChatRequest, Engine, context_of
from ..strategy import Job, Run
from .caller import Caller
from .transcript import TokenBudget, View, visible

log = logging.getLogger("lifelong")

T = TypeVar("T")

RETRY_TEMPERATURE = 0.7
"""Temperature of answers after the first: high enough to differ, low enough to stay near the mode."""
STEP_SECONDS = 120.0
"""Seconds that one call of an environment may take."""


@dataclass
class Rollout:
    """A run under way. A failure of its environment ends it with the reason and leaves all others alone."""

    job: Job
    attempts: int = 1
    """Most composed answers while the environment refuses them, where each is a new attempt at the task."""
    step_seconds: float = STEP_SECONDS
    engine: Engine | None = None
    """Whose tokens and context bound what is shown; None where no model is asked."""
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
    history: History = "full"
    view: View | None = None
    """What the model was last shown; None since its action."""
    budget: TokenBudget | None = None

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
            self.history = history_of(environment)
            observation = read_reset(environment.reset(seed=job.seed, options={"task": job.task}))
            return environment, observation, read_choices(environment.admissible())

        started = self.guarded(start)
        self.steps = [Observation(text=job.task.text if started is None else started[1]), *([job.recall] if job.recall else [])]
        if started is not None:
            self.environment, _, self.admissible = started

    def request(self) -> ChatRequest:
        """What the model is asked next."""
        job = self.job
        self.view = self._view()
        # Where the model sees what was refused, it is another question already.
        again = 0 if self.history == "full" else self.refusals
        return ChatRequest(
            messages=visible(job.task, self.steps, self.view),
            adapter=job.adapter,
            max_tokens=self._max_tokens(),
            temperature=max(job.temperature, RETRY_TEMPERATURE) if again else job.temperature,
            seed=job.seed + again,
            choices=self.admissible,
            tools=job.task.tools,
        )

    def advance(self, action: str, usage: Usage, likelihood: float | None = None, calls: Sequence[ToolCall] = ()) -> None:
        """Carry out an action and record what came of it; where the task has tools, calls written in the text are read out of it."""
        self.usage += usage
        if self.job.task.tools and not calls:
            action, calls = read_reply(action)
        named: list[ToolCall] = [{**call, "id": f"call_{len(self.steps)}_{number}"} for number, call in enumerate(calls)]
        act = Action(text=action, chosen=bool(self.admissible), likelihood=likelihood, tool_calls=tuple(named))
        environment = self.environment
        if environment is None:
            self.steps.append(act)
            self.done = True
            return
        view, self.view = self.view or self._view(), None
        self.steps.append(view.mark(act))
        deeds: list[tuple[str, ToolCall | None]] = [(call_text(call), call) for call in named]
        for deed, call in deeds or [(action, None)]:
            self._carry_out(environment, deed, call)
            if self.done:
                return

    def _carry_out(self, environment: Environment, deed: str, call: ToolCall | None) -> None:
        self.actions += 1
        result = self.guarded(lambda: read_step(environment.step(deed)))
        if result is None:
            return
        id, tool = (call["id"], call["function"]["name"]) if call else ("", "")
        self.steps += [
            ToolResult(text=result.text, error=result.error, tool_call_id=id, tool=tool),
            Reward(text="", value=result.reward),
        ]
        self.refusals += result.error
        # Where actions are chosen or what was refused is shown, a refused one is part of the way; elsewhere it uses up an attempt.
        exhausted = not self.admissible and self.history != "full" and self.refusals >= self.attempts
        if result.terminated or result.truncated or exhausted:
            self._judge(result, result.text if result.error else "")
        elif self.actions >= environment.max_steps:
            self._judge(replace(result, success=False), f"not ended within {environment.max_steps} actions")
        else:
            choices = self.guarded(lambda: read_choices(environment.admissible()))
            self.admissible = choices if choices is not None else ()

    def _view(self) -> View:
        """What the model is shown of the run as it stands."""
        if self.environment is None or self.history != "full" or self.engine is None:
            return View(history=self.history)
        if self.budget is None:
            self.budget = TokenBudget(self.engine.count_tokens, context_of(self.engine) - self._max_tokens())
        return self.budget.fit(self.job.task, self.steps)

    def _max_tokens(self) -> int:
        return min(self.job.max_tokens, self.environment.max_answer_tokens) if self.environment else self.job.max_tokens

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
