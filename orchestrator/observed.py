"""Runs that are seen from outside: somebody else's agent asks somebody else's model, and what passes by is remembered.

`prepare` perceives and recalls before a request goes on; `record` writes down what was asked and answered. Neither asks a model.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from ..core import UNKNOWN, Answer, Episode, Message, Observation, Step, Task, from_messages, text_of
from . import wake
from .components import Components


@dataclass(frozen=True, kw_only=True)
class ObservedRequest:
    """A request of somebody else's agent."""

    messages: tuple[Message, ...]
    """The conversation, in OpenAI's shape; the last message is a user's or a tool's."""
    tenant: str
    """Whose request it is."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """The tools that the model may call."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What memory has for a request."""

    episode: str
    """Id of the episode that the request belongs to."""
    blocks: Mapping[int, str] = field(default_factory=dict)
    """Recalled text by the number of the message beside which it stands."""
    plan: wake.Plan | None = None
    """What was perceived of a new task; None where the request goes on with an old one."""


class Observer:
    """What is remembered of requests that somebody else's model answers. Thread-safe."""

    def __init__(self, components: Components) -> None:
        self._components = components

    def transaction(self) -> AbstractContextManager[None]:
        """All that is recorded inside is kept, or nothing."""
        return self._components.record.transaction()

    def prepare(self, request: ObservedRequest) -> Prepared:
        """Perceive and recall; nothing is written."""
        id = uuid.uuid4().hex
        if request.messages[-1]["role"] != "user":
            return Prepared(episode=id)
        [plan] = wake.plan(self._components, [_task(request)], ids=[id])
        shown = plan.recall.to_messages() if plan.recall else []
        return Prepared(episode=id, plan=plan, blocks={len(request.messages) - 1: text_of(one) for one in shown})

    def record(self, request: ObservedRequest, prepared: Prepared | None, answer: Answer, id: str) -> None:
        """Write down what was asked and answered; on disk when the transaction around it has ended."""
        if request.messages[-1]["role"] != "user":
            return
        plan = prepared.plan if prepared else None
        task = plan.task if plan else _task(request)
        turns = [one for one in request.messages[:-1] if one["role"] != "system"]
        steps: list[Step] = [
            *from_messages(turns),
            Observation(text=task.text),
            *([plan.recall] if plan and plan.recall else []),
            *from_messages([answer.message]),
        ]
        episode = Episode(
            id=id,
            task=task,
            steps=tuple(steps),
            outcome=UNKNOWN,
            skill=plan.skill if plan else "",
            model=self._components.engine.model,
            lessons=plan.lessons if plan else (),
            control=bool(plan and plan.control),
            offered=bool(plan and plan.offered),
            verdict=plan.verdict if plan else None,
            usage=answer.usage,
            created=time.time(),
        )
        wake.remember(self._components, [(episode, plan.vector if plan else None)])


def _task(request: ObservedRequest) -> Task:
    instructions = "\n".join(text_of(one) for one in request.messages if one["role"] == "system")
    whole = json.dumps([request.tenant, instructions, [one for one in request.messages if one["role"] != "system"]])
    return Task(
        id=hashlib.sha256(whole.encode()).hexdigest()[:32],
        goal=text_of(request.messages[-1]) or "(no text)",
        instructions=instructions,
        tenant=request.tenant,
        environment="chat",
    )
