"""Runs of somebody else's agent: begun, continued over any number of requests, judged and finished; every turn durable as it happens."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ...agents import outcome_of_reaction, outcome_of_results
from ...core import (
    NO_VERDICT,
    UNKNOWN,
    Action,
    Episode,
    Judge,
    MalformedTask,
    Message,
    NothingFound,
    Observation,
    Outcome,
    Recall,
    Reward,
    Step,
    Task,
    ToolCall,
    ToolResult,
    Usage,
    Verdict,
    from_messages,
    reply_text,
    tenant_name,
    text_of,
    tool_call,
)
from ...memory import Record
from ..components import Components
from ..feedback import take_feedback
from ..wake import Plan, blank_vector, credit_lessons, in_control_arm, plan


@dataclass(frozen=True, kw_only=True)
class Session:
    """A conversation or long run, as a list of sessions shows it."""

    id: str
    """Its name."""
    episodes: int
    """How many runs it holds, one under way among them."""
    last: float
    """When its newest run began, in seconds since the epoch."""


class OpenRun:
    """A run under way. Safe for several threads and processes: what it holds is in the record, and each call is one transaction.

    Every method raises `NothingFound` once the run has ended or was erased, and `StoreError`.
    """

    def __init__(self, runs: Runs, head: Episode, recalled: Recall | None) -> None:
        self._runs = runs
        self._store = runs.record.open_runs
        self._head = head
        self.recalled: Recall | None = recalled
        """What memory adds to this run: its text, and the lessons and episodes that it cites."""

    @property
    def id(self) -> str:
        """Id of the run and of its episode."""
        return self._head.id

    @property
    def task(self) -> Task:
        """What was asked."""
        return self._head.task

    @property
    def recall(self) -> str:
        """What memory adds, framed as data to stand in a user's message; empty for nothing."""
        return "".join(text_of(message) for message in self.recalled.to_messages()) if self.recalled else ""

    @property
    def verdict(self) -> Verdict:
        """What perception says of the task."""
        return self._head.verdict or NO_VERDICT

    @property
    def control(self) -> bool:
        """Whether the run is in the control arm: nothing was recalled and no adapter acts."""
        return self._head.control

    @property
    def adapter(self) -> str:
        """The adapter that should act, empty for the base model."""
        return self._head.adapter

    @property
    def skill(self) -> str:
        """The skill that the task is handled as; empty when unknown."""
        return self._head.skill

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything that has happened so far; after a crash too."""
        return self._store.get(self.id).steps

    @property
    def position(self) -> int:
        """How many steps the run has; constant time."""
        return self._store.length(self.id)

    def append(self, messages: Sequence[Message], usage: Usage | None = None) -> int:
        """Keep further messages of the conversation, whoever's they are; returns the new position."""
        return self.record(from_messages(messages), usage)

    def record(self, steps: Sequence[Step], usage: Usage | None = None) -> int:
        """Keep further steps; returns the new position."""
        return self._store.append(self.id, steps, usage)

    def observe(self, text: str) -> int:
        """Keep what the user or the environment said."""
        return self.record([Observation(text=text)])

    def act(
        self,
        text: str = "",
        tool_calls: Sequence[ToolCall] = (),
        *,
        usage: Usage | None = None,
        likelihood: float | None = None,
        extras: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep a turn of the assistant: what it said, which tools it called, what that cost."""
        return self.record([Action(text=text, tool_calls=tuple(tool_calls), likelihood=likelihood, extras=dict(extras or {}))], usage)

    def tool(self, name: str, arguments: str | dict[str, Any], result: object, *, error: bool = False, id: str = "") -> int:
        """Keep a tool's result, and its call, unless the turn before it made that call already.

        `result` is text or plain data; `id` names the call where several like it are open.
        """
        wanted = tool_call(name, arguments, id)
        with self._runs.record.transaction():
            newest = self._store.last(self.id, count=PENDING)
            answered = {step.tool_call_id for step in newest if isinstance(step, ToolResult)}
            calls = [call for step in newest if isinstance(step, Action) for call in step.tool_calls if call["id"] not in answered]
            same = [call for call in calls if (call["id"] == id if id else _same_call(call, wanted))]
            steps: list[Step] = []
            if not same:
                same = [tool_call(name, arguments, id or f"call_{self._store.length(self.id)}")]
                steps.append(Action(text="", tool_calls=(same[0],)))
            text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, default=str)
            return self.record([*steps, ToolResult(text=text, tool=name, tool_call_id=same[0]["id"], error=error)])

    def reward(self, value: float, text: str = "") -> int:
        """Keep what the turn before earned. One below zero is not learned from, even where the run as a whole succeeds."""
        return self.record([Reward(text=text, value=value)])

    def truncate(self, position: int) -> None:
        """Drop the steps from a position on: a retry or an edit replaces them."""
        self._store.truncate(self.id, position)

    def judge(
        self,
        success: bool | None,
        score: float | None = None,
        *,
        judge: Judge = Judge.VERIFIER,
        reason: str = "",
        evidence: str = "",
        correction: str | Message = "",
    ) -> None:
        """Keep an outcome with the run. Raises `MalformedTask` when a more trusted judge has spoken already."""
        right = correction_text(correction)
        self._store.judge(self.id, outcome_of(success, score, judge, reason, evidence, correction=right), right)

    def finish(
        self,
        success: bool | None = None,
        score: float | None = None,
        *,
        judge: Judge = Judge.VERIFIER,
        reason: str = "",
        evidence: str = "",
        correction: str | Message = "",
    ) -> Episode:
        """End the run: its episode is recorded and its lessons are credited. Without a verdict, what `judge` kept before stands."""
        right = correction_text(correction)
        return self._runs.finish(self.id, outcome_of(success, score, judge, reason, evidence, correction=right), right)


PENDING = 64
"""Newest steps among which an open call is looked for; more calls than that are not made in one turn."""


@dataclass(frozen=True, kw_only=True)
class Runs:
    """The runs of a learner that its own strategies do not drive. Thread-safe."""

    components: Components
    """What the learner is made of."""
    finished: Callable[[Task], None] = field(default=lambda task: None)
    """Called after each recorded episode; a learner may begin a night."""

    @property
    def record(self) -> Record:
        """The durable record."""
        return self.components.record

    def plan(self, task: Task, *, id: str) -> Plan:
        """Perceive a task, draw its arm, choose adapter and recall; what fails costs its help alone (invariant Fail open)."""
        return plan(self.components, [task], ids=[id])[0]

    def plan_nothing(self, task: Task, *, id: str) -> Plan:
        """The plan for a task whose perception and recall came too late: neither memory nor adapter."""
        return Plan(
            task=task,
            vector=None,
            perceiver=None,
            verdict=NO_VERDICT,
            skill=task.skill,
            control=in_control_arm(self.components, task, id),
            adapter="",
            recall=None,
            offered=False,
            below_threshold=False,
        )

    def begin(
        self,
        task: Task,
        *,
        id: str = "",
        plan: Plan | None = None,
        previous: str = "",
        messages: Sequence[Message] | None = None,
        confidence: float = 1.0,
    ) -> OpenRun:
        """Open a run; where one of this id is open already, it is taken up as it stands.

        `messages` are the conversation so far that belongs to this run, by default the task as a user's message; `previous` names the
        episode of the same session that it goes on from, `confidence` how sure that is. Raises `MalformedTask` where a run of this id
        has ended.
        """
        id = id or uuid.uuid4().hex
        if self.record.open_runs.owners([id]) == [task.tenant]:
            return self.get(id, tenant=task.tenant)
        plan = plan or self.plan(task, id=id)
        first = from_messages(messages) if messages is not None else (Observation(text=task.text),)
        known = self.record.episodes.get_many([previous], tenant=task.tenant) if previous else []
        for episode in known:
            self.components.guarded("outcome", partial(self._hear, episode, task), None)
        head = Episode(
            id=id,
            task=task,
            steps=(*first, *([plan.recall] if plan.recall else [])),
            outcome=UNKNOWN,
            skill=plan.skill,
            model=self.components.engine.model,
            adapter=plan.adapter,
            lessons=plan.lessons,
            control=plan.control,
            offered=plan.offered,
            verdict=plan.verdict,
            previous=previous if known else "",
            confidence=confidence,
            created=time.time(),
        )
        vector = blank_vector(self.components) if plan.vector is None else plan.vector
        if not self.record.open_runs.begin(head, vector):
            if self.record.open_runs.owners([id]) == [task.tenant]:
                return self.get(id, tenant=task.tenant)
            raise MalformedTask(f"a run {id!r} has ended already; begin one with another id")
        return OpenRun(self, replace(head, steps=()), plan.recall)

    def _hear(self, episode: Episode, task: Task) -> None:
        """Take what a user's next turn says of the episode before, where nothing better is known."""
        heard = outcome_of_reaction(task.goal, episode.task.goal)
        if episode.outcome.success is None and heard.success is not None:
            self.record.episodes.judge(episode.id, heard)

    def get(self, id: str, *, tenant: str = "default") -> OpenRun:
        """An open run, after a restart too. Raises `NothingFound` where the tenant has none of this id."""
        head = self.record.open_runs.head(id) if self.record.open_runs.owners([id]) == [tenant_name(tenant)] else None
        if head is None:
            raise NothingFound(f"tenant {tenant!r} has no open run {id!r}")
        return OpenRun(self, head, self._recalled(head) if head.offered and not head.control else None)

    def _recalled(self, head: Episode) -> Recall | None:
        # It follows the messages that the run began with; only a run that began with very many has to be read as a whole.
        first = self.record.open_runs.first(head.id, PENDING)
        steps = (
            first if any(isinstance(step, Recall) for step in first) or len(first) < PENDING else self.record.open_runs.get(head.id).steps
        )
        return next((step for step in steps if isinstance(step, Recall)), None)

    def open(self, *, tenant: str = "default", session: str | None = None) -> list[OpenRun]:
        """A tenant's open runs, of one session where it is named, oldest first."""
        tenant = tenant_name(tenant)
        return [self.get(id, tenant=tenant) for id in self.record.open_runs.ids(tenant=tenant, session=session)]

    def finish(self, id: str, outcome: Outcome = UNKNOWN, correction: str = "") -> Episode:
        """End a run by its id. Where nobody has judged it, the results of its tools are read (`agents.outcome_of_results`).

        Raises `NothingFound`, and `MalformedTask` where a more trusted judge has spoken already.
        """
        record = self.record
        with record.transaction():
            if outcome.success is not None or correction:
                record.open_runs.judge(id, outcome, correction)
            episode = record.open_runs.get(id)
            if episode.outcome.success is None:
                shown = outcome_of_results(episode.steps)
                episode = replace(episode, outcome=replace(shown, reason=outcome.reason))
            record.open_runs.finish(episode)
        if episode.lessons and episode.outcome.success is not None:
            credit_lessons(self.components, episode)
        self.finished(episode.task)
        return record.episodes.get(id)

    def end_idle(self, seconds: float, *, tenant: str = "default") -> list[Episode]:
        """End a tenant's runs of which nothing was kept for so long, with the outcome that they have; for clients that just stop."""
        tenant, latest = tenant_name(tenant), time.time() - seconds
        idle = [id for id in self.record.open_runs.ids(tenant=tenant) if self.record.open_runs.updated(id) < latest]
        return [self.finish(id, Outcome(success=None, reason=f"nothing happened for {seconds:g} seconds")) for id in idle]

    def judge(
        self,
        id: str,
        success: bool | None,
        score: float | None = None,
        *,
        tenant: str = "default",
        judge: Judge = Judge.VERIFIER,
        reason: str = "",
        evidence: str = "",
        correction: str | Message = "",
    ) -> Episode:
        """Judge a run, whether it is under way or recorded; the outcome is the whole run's.

        A correction is the right answer, as text or as an assistant's message with tool calls. Raises `NothingFound`, and
        `MalformedTask` for what says nothing, contradicts itself, or would overrule a more trusted judge.
        """
        tenant, right = tenant_name(tenant), correction_text(correction)
        outcome = outcome_of(success, score, judge, reason, evidence, correction=right)
        if self.record.open_runs.owners([id]) == [tenant]:
            self.record.open_runs.judge(id, outcome, right)
            return self.record.open_runs.get(id)
        return take_feedback(self.components, id, tenant=tenant, outcome=outcome, correction=right)

    def sessions(self, *, tenant: str = "default", limit: int = 100) -> list[Session]:
        """The sessions in which something happened last, newest first."""
        tenant = tenant_name(tenant)
        found = {id: Session(id=id, episodes=count, last=last) for id, count, last in self.record.episodes.sessions(tenant, limit)}
        for id in self.record.open_runs.ids(tenant=tenant):
            head = self.record.open_runs.head(id)
            if name := head.task.session:
                known = found.get(name, Session(id=name, episodes=0, last=0.0))
                found[name] = Session(id=name, episodes=known.episodes + 1, last=max(known.last, head.created))
        return sorted(found.values(), key=lambda one: one.last, reverse=True)[:limit]

    def session(self, id: str, *, tenant: str = "default") -> list[Episode]:
        """Everything that happened in a session, each turn once: its episodes, and runs under way as episodes without an end.

        Raises `NothingFound` for a session of which the tenant has nothing.
        """
        tenant = tenant_name(tenant)
        with self.record.snapshot():
            opened = [self.record.open_runs.get(run) for run in self.record.open_runs.ids(tenant=tenant, session=id)]
            episodes: list[Episode] = [*self.record.episodes.of_session(tenant, id), *opened]
        if not episodes:
            raise NothingFound(f"tenant {tenant!r} has no session {id!r}")
        return sorted(episodes, key=lambda episode: episode.created)


def outcome_of(
    success: bool | None, score: float | None, judge: Judge, reason: str, evidence: str = "", *, correction: str = ""
) -> Outcome:
    """An outcome as a caller gives it; the score is 1 or 0 where only success is known.

    Raises `MalformedTask` for a score that is not in [0, 1].
    """
    if score is not None and not 0 <= score <= 1:
        raise MalformedTask(f"a score is a number from 0 to 1, got {score}")
    if success is None and correction:
        success = False
    if success is None:
        return Outcome(success=None, score=score or 0.0, reason=reason, evidence=evidence)
    return Outcome(success=success, score=float(success) if score is None else score, judge=judge, reason=reason, evidence=evidence)


def correction_text(correction: str | Message) -> str:
    """A correction as it is kept: tool calls are written as a model without a template for tools would write them."""
    if isinstance(correction, str):
        return correction
    return reply_text(text_of(correction), correction.get("tool_calls") or ())


def _same_call(one: ToolCall, other: ToolCall) -> bool:
    return reply_text("", [{**one, "id": ""}]) == reply_text("", [{**other, "id": ""}])
