"""`OpenRun`: a run under way, as whoever drives it holds it; every turn durable as it happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...core import (
    NO_VERDICT,
    Action,
    Episode,
    Judge,
    MalformedTask,
    Message,
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
    text_of,
    tool_call,
)
from ...memory import Record

PENDING = 64
"""Newest steps among which an open call is looked for; more calls than that are not made in one turn."""


class OpenRun:
    """A run under way. Safe for several threads and processes: what it holds is in the record, and each call is one transaction.

    Every method raises `NothingFound` once the run has ended or was erased, and `StoreError`.
    """

    def __init__(self, record: Record, head: Episode, recalled: Recall | None, finish: Callable[[str, Outcome, str], Episode]) -> None:
        """`finish` ends a run of an id with an outcome and a correction."""
        self._record = record
        self._store = record.open_runs
        self._finish = finish
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
        with self._record.transaction():
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

    @property
    def placebo(self) -> bool:
        """Whether the run is in the placebo arm."""
        return self._head.placebo

    @property
    def lessons(self) -> tuple[str, ...]:
        """Ids of the lessons that it was shown when it was taken up."""
        return self._head.lessons

    def remind(self, recall: Recall) -> int:
        """Keep what memory adds on the way; its lessons are credited with the others."""
        return self._store.remind(self.id, recall)

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
        return self._finish(self.id, outcome_of(success, score, judge, reason, evidence, correction=right), right)


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
