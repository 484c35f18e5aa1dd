"""The actor: runs tasks as lists of typed steps, many at once, on any engine and in any environment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...core import UNKNOWN, Action, Judge, Message, Observation, Outcome, Recall, Reward, Step, Task, ToolResult, Usage, to_messages
from ...envs import Environment
from ...serving import ChatRequest, Engine
from .repair import repair_candidates


@dataclass(frozen=True, kw_only=True)
class Job:
    """One task to run and what it runs with."""

    task: Task
    """What is asked."""
    environment: Environment | None = None
    """Who answers actions and judges; None for a chat, which ends with one reply that nobody has judged."""
    adapter: str = ""
    """A published adapter, empty for the base."""
    recall: Recall | None = None
    """What memory adds to the first turn."""
    history: tuple[Message, ...] = ()
    """Earlier turns of a chat."""
    tries: int = 1
    """Most answers tried while the executor refuses them."""
    max_tokens: int = 128
    """Most tokens of one answer."""
    temperature: float = 0.0
    """Temperature of the first try."""
    seed: int = 0
    """Seed of the later tries, which are sampled."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a job."""

    steps: tuple[Step, ...]
    """Everything that happened."""
    outcome: Outcome
    """How it ended."""
    usage: Usage
    """What it cost."""


RETRY_TEMPERATURE = 0.7
"""Temperature of answers after the first: high enough to differ, low enough to stay near the mode."""


MAX_REPAIRS = 2
"""Most repair_candidates of one run; an answer wrong in more names is better written anew."""


@dataclass
class _Episode:
    """A run under way."""

    job: Job
    environment: Environment | None
    steps: list[Step]
    admissible: tuple[str, ...] = ()
    outcome: Outcome = UNKNOWN
    usage: Usage = field(default_factory=Usage)
    tries: int = 0
    mended: int = 0
    done: bool = False


def visible(task: Task, steps: Sequence[Step], chosen: bool) -> list[Message]:
    """What the model sees of a run.

    Where actions are chosen from given ones, an observation tells the whole state, so the goal and the last
    observation suffice. Where an answer is composed, the model sees the task; a refused answer is dropped rather than
    shown, since a model that has just failed tends to repeat itself (execution-guided decoding, Wang et al. 2018).
    A chat, where no tool answers, is seen whole.
    """
    recall = [step for step in steps if isinstance(step, Recall)]
    results = [step for step in steps if isinstance(step, ToolResult)]
    if not results:
        return to_messages(task, steps)
    first = next(step for step in steps if isinstance(step, Observation))
    shown = [Observation(text=task.goal), results[-1]] if chosen else [first]
    return to_messages(task, [*shown, *recall])


class Actor:
    """Runs jobs in lockstep: every open run contributes one request to each batch."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def act(self, jobs: Sequence[Job]) -> list[Run]:
        """Run all jobs to their end. Raises `MalformedTask` or `EngineUnreachable`; a refused action is a step."""
        episodes = [_begin(job) for job in jobs]
        while open_ones := [episode for episode in episodes if not episode.done]:
            asked = [episode for episode in open_ones if not self._mended(episode)]
            started = time.perf_counter()
            replies = self._engine.chat([_request(episode) for episode in asked]) if asked else []
            share = (time.perf_counter() - started) / max(1, len(asked))
            for episode, reply in zip(asked, replies, strict=True):
                _advance(episode, reply.text, replace(reply.usage, seconds=share), reply.logprob)
        return [Run(steps=tuple(e.steps), outcome=e.outcome, usage=e.usage) for e in episodes]

    def _mended(self, episode: _Episode) -> bool:
        """Mend an answer that was just refused for a name, where that can be done; whether it was."""
        last = next((step for step in reversed(episode.steps) if isinstance(step, ToolResult)), None)
        if episode.mended == MAX_REPAIRS or last is None or not last.error:
            return False
        answer = next(step.text for step in reversed(episode.steps) if isinstance(step, Action))
        options = repair_candidates(answer, last.text, episode.job.task.context)
        if not options:
            return False
        choice = self._engine.choose(replace(_request(episode), choices=(), temperature=0.0), options)
        episode.mended += 1
        _advance(episode, options[choice.index], choice.usage, choice.logprobs[choice.index])
        return True


def replay(task: Task, environment: Environment) -> Run:
    """The expert's demonstration carried out and judged: not every expert is right in every engine."""
    episode = _begin(Job(task=task, environment=environment))
    for action in environment.demonstrate(task).actions:
        if not episode.done:
            _advance(episode, action, Usage())
    return Run(steps=tuple(episode.steps), outcome=episode.outcome, usage=episode.usage)


def _begin(job: Job) -> _Episode:
    if job.environment is None:
        earlier: list[Step] = [
            (Action if message["role"] == "assistant" else Observation)(text=message["content"]) for message in job.history
        ]
        return _Episode(job=job, environment=None, steps=[*earlier, Observation(text=job.task.text), *([job.recall] if job.recall else [])])
    # Runs go side by side; each needs an environment of its own.
    environment = job.environment.spawn()
    observation, _ = environment.reset(seed=job.seed, options={"task": job.task})
    steps: list[Step] = [Observation(text=observation), *([job.recall] if job.recall else [])]
    return _Episode(job=job, environment=environment, steps=steps, admissible=environment.admissible())


def _request(episode: _Episode) -> ChatRequest:
    job = episode.job
    return ChatRequest(
        messages=visible(job.task, episode.steps, bool(episode.admissible)),
        adapter=job.adapter,
        max_tokens=min(job.max_tokens, episode.environment.max_answer_tokens) if episode.environment else job.max_tokens,
        temperature=job.temperature if episode.tries == 0 else max(job.temperature, RETRY_TEMPERATURE),
        seed=job.seed + episode.tries,
        choices=episode.admissible,
    )


def _advance(episode: _Episode, action: str, usage: Usage, likelihood: float | None = None) -> None:
    episode.usage += usage
    episode.steps.append(Action(text=action, chosen=bool(episode.admissible), likelihood=likelihood))
    if episode.environment is None:
        episode.done = True
        return
    observation, reward, terminated, truncated, info = episode.environment.step(action)
    refused = bool(info.get("error"))
    episode.steps += [ToolResult(text=observation, error=refused), Reward(text="", value=reward)]
    episode.tries += refused
    # Where actions are chosen, a refused one is part of the way; where they are composed, it uses up a try.
    exhausted = not episode.admissible and episode.tries >= episode.job.tries
    episode.done = terminated or truncated or exhausted
    if episode.done:
        episode.outcome = Outcome(
            success=bool(info.get("success")),
            score=max(0.0, min(1.0, reward)),
            judge=Judge.ENVIRONMENT,
            reason=observation if refused else "",
        )
    else:
        episode.admissible = episode.environment.admissible()
