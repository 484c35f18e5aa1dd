"""A run under way: what the model sees of it, and what an action brings about, whatever the environment does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
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
from ...envs.caller import Caller
from ...envs.environment import always_calls
from ...envs.practice import Preview, can_preview, declared_grammar, preview, template_grammars
from ...envs.results import RuleBroken, StepResult, read_choices, read_reset, read_step
from ...serving import ChatRequest, ConversationCache, Engine, context_of, grammar_error, takes_grammars
from ..strategy import Job, NewSteps, Run
from .resume import TakenUp, take_up
from .transcript import TokenBudget, View, visible

log = logging.getLogger("lifelong")

T = TypeVar("T")

RETRY_TEMPERATURE = 0.7
"""Temperature of answers after the first: high enough to differ, low enough to stay near the mode."""
MOST_TEMPLATES = 4
"""Forms of solved tasks that the answers to one task follow: half of the answers that the best is chosen of."""
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
    grammar: str = ""
    """What an answer may be, where the environment says so and the engine follows it."""
    templates: tuple[str, ...] = ()
    """Grammars of the answers that have the form of a solved task's, one a form, the nearest first."""
    done: bool = False
    caller: Caller | None = None
    history: History = "full"
    view: View | None = None
    """What the model was last shown; None since its action."""
    budget: TokenBudget | None = None
    deeds: list[tuple[str, ToolCall | None]] = field(default_factory=list)
    """What the last action wants carried out."""
    kept: int = 0
    """How many steps the journal has."""
    kept_usage: Usage = field(default_factory=Usage)
    """Of the usage, what the journal has."""
    cache: ConversationCache = field(default_factory=ConversationCache)
    """What the engine has read of this run."""

    def begin(self) -> None:
        """Start the episode. Raises `MalformedTask` where the environment refuses the task."""
        job = self.job
        if job.environment is None:
            self.steps = [*from_messages(job.history), Observation(text=job.task.text), *([job.recall] if job.recall else [])]
            return
        given = job.environment
        self.caller = Caller(self.step_seconds)

        def start() -> tuple[Environment, TakenUp]:
            # Runs go side by side; each needs an environment of its own.
            environment = given.spawn()
            self.history = history_of(environment)
            self.grammar = self._declared_grammar(environment)
            self.templates = self._solved_templates(environment)
            if job.steps:
                return environment, take_up(environment, job.task, job.seed, job.steps)
            observation = read_reset(environment.reset(seed=job.seed, options={"task": job.task}))
            return environment, TakenUp(steps=(Observation(text=observation),), last=None, actions=0)

        started = self.guarded(start)
        begun = [Observation(text=job.task.text), *([job.recall] if job.recall else [])]
        if started is None:
            self.steps = list(job.steps) or begun
            return
        self.environment, taken_up = started
        self.actions = taken_up.actions
        self.steps = list(taken_up.steps) if taken_up.actions else [*(taken_up.steps[:1] or begun[:1]), *begun[1:]]
        self.kept = min(len(job.steps), len(self.steps))
        self.refusals = sum(isinstance(step, ToolResult) and step.error for step in self.steps)
        if taken_up.last is not None and self._ends(taken_up.last):
            return
        self._see_choices()

    def request(self) -> ChatRequest:
        """What the model is asked next."""
        job = self.job
        self.view = self._view()
        # Where the model sees what was refused, it is another question already.
        again = 0 if self.history == "full" else self.refusals
        return ChatRequest(
            messages=visible(job.task, self.steps, self.view),
            adapter=job.adapter,
            max_tokens=self._max_tokens(self.environment) if self.environment else job.max_tokens,
            temperature=max(job.temperature, RETRY_TEMPERATURE) if again else job.temperature,
            seed=job.seed + again,
            choices=self.admissible,
            # What is picked from a list or written as a call of a tool is constrained already.
            grammar="" if self.admissible or job.task.tools else self._grammar_of_try(again),
            cache=self.cache,
            tools=job.task.tools,
            tool_choice="required" if job.task.tools and job.constrain and always_calls(self.environment) else "auto",
        )

    def advance(self, action: str, usage: Usage, likelihood: float | None = None, calls: Sequence[ToolCall] = ()) -> None:
        """Decide on an action and carry it out."""
        self.decide(action, usage, likelihood, calls)
        self.carry_out()

    def decide(
        self, action: str, usage: Usage, likelihood: float | None = None, calls: Sequence[ToolCall] = (), *, cut: bool = False
    ) -> None:
        """Record an action; where the task has tools, calls written in the text are read out of it. `cut`: it had no room to end."""
        self.usage += usage
        if self.job.task.tools and not calls:
            action, calls = read_reply(action)
        named: list[ToolCall] = [{**call, "id": f"call_{len(self.steps)}_{number}"} for number, call in enumerate(calls)]
        act = Action(text=action, chosen=bool(self.admissible), likelihood=likelihood, tool_calls=tuple(named), cut=cut)
        if self.environment is None:
            self.steps.append(act)
            self.done = True
            return
        view, self.view = self.view or self._view(), None
        self.steps.append(view.mark(act))
        self.deeds = [*((call_text(call), call) for call in named)] or [(action, None)]

    def carry_out(self) -> None:
        """Do what the last action wants, and record what comes of it."""
        deeds, self.deeds = self.deeds, []
        for deed, call in deeds:
            if not self.done:
                self._carry_out(deed, call)

    def _carry_out(self, deed: str, call: ToolCall | None) -> None:
        environment = self.environment
        assert environment is not None
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
        if not self._ends(result):
            self._see_choices()

    @property
    def can_preview(self) -> bool:
        """Whether answers can be tried without being judged, each a new attempt at the task."""
        return (
            not self.done and not self.admissible and not self.job.task.tools and self.history == "none" and can_preview(self.environment)
        )

    def preview(self, action: str) -> Preview | None:
        """What an action would bring about; None where the environment fails at it, which ends the run."""
        environment = self.environment
        assert environment is not None
        return self.guarded(lambda: preview(environment, self.job.task, action))

    def _declared_grammar(self, environment: Environment) -> str:
        if not self.job.constrain or self.engine is None or not takes_grammars(self.engine):
            return ""
        grammar = declared_grammar(environment, self.job.task)
        if grammar and (error := grammar_error(grammar)):
            raise RuleBroken(f"its grammar cannot be used: {error}")
        return grammar

    def _grammar_of_try(self, again: int) -> str:
        # A form that the environment has refused is not kept to.
        follows = self.job.template is not None and self.templates and not again
        return self.templates[(self.job.template or 0) % len(self.templates)] if follows else self.grammar

    def _solved_templates(self, environment: Environment) -> tuple[str, ...]:
        if not self.job.solved or not self.job.constrain or self.engine is None or not takes_grammars(self.engine):
            return ()
        try:
            found = template_grammars(environment, self.job.task, self.job.solved, MOST_TEMPLATES)
        except Exception as error:
            # What memory adds costs no answer (invariant Fail open).
            log.warning("no templates for task %s: %s: %s", self.job.task.id, type(error).__name__, error)
            return ()
        return tuple(one for one in found if not grammar_error(one))

    def unkept(self) -> NewSteps | None:
        """What the journal has to keep now; None where it lacks nothing.

        Of a run in a world that ends with the process nothing is kept until its first action is done and has not ended it: one that
        never gets there is recorded as a whole, in one transaction with those beside it.
        """
        begun = self.kept > 0 or (self.actions > 0 and not self.done) or hasattr(self.environment, "restore")
        if self.job.journal is None or self.environment is None or not begun or len(self.steps) == self.kept:
            return None
        usage = replace(self.usage, **{name: getattr(self.usage, name) - getattr(self.kept_usage, name) for name in asdict(self.usage)})
        found = NewSteps(run=self.job.id, position=self.kept, steps=tuple(self.steps[self.kept :]), usage=usage)
        self.kept, self.kept_usage = len(self.steps), self.usage
        return found

    def _see_choices(self) -> None:
        environment = self.environment
        assert environment is not None
        choices = self.guarded(lambda: read_choices(environment.admissible()))
        self.admissible = choices if choices is not None else ()

    def _ends(self, result: StepResult) -> bool:
        """Judge the run where this result ends it; whether it does."""
        assert self.environment is not None
        # Where actions are chosen or what was refused is shown, a refused one is part of the way; elsewhere it uses up an attempt.
        exhausted = not self.admissible and self.history != "full" and self.refusals >= self.attempts
        if result.terminated or result.truncated or exhausted:
            self._judge(result, result.text if result.error else "")
        elif self.actions >= self.environment.max_steps:
            self._judge(replace(result, success=False), f"not ended within {self.environment.max_steps} actions")
        return self.done

    def _view(self) -> View:
        """What the model is shown of the run as it stands."""
        if self.environment is None or self.history != "full" or self.engine is None:
            return View(history=self.history)
        if self.budget is None:
            self.budget = TokenBudget(self.engine.count_tokens, context_of(self.engine) - self._max_tokens(self.environment))
        return self.budget.fit(self.job.task, self.steps)

    def _max_tokens(self, environment: Environment) -> int:
        most = environment.max_answer_tokens
        return most if self.job.max_tokens is None else min(self.job.max_tokens, most)

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
