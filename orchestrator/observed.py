"""Runs that are seen from outside: somebody else's agent asks somebody else's model, and what passes by is remembered.

`prepare` finds a request's session, perceives and recalls before it goes on; `record` writes down what was asked and answered. Neither
asks a model. One request of a user, with all calls of tools until the answer without one, is one run and becomes one episode.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import cast

from ..core import Answer, Episode, Judge, Message, NothingFound, Recall, Task, ToolSpecification, drawn_id, text_of, without_client_text
from ..core.messages import marked_text
from ..memory import (
    ROOT,
    Hints,
    Placement,
    PlacementKind,
    SessionNode,
    SessionRequest,
    call_digests,
    message_hashes,
    new_session,
    next_hash,
    resolve,
    text_digest,
)
from . import wake
from .components import Components
from .effects import is_placebo
from .open_runs import OpenRun, Runs
from .skills import CHAT

TURN = "turn:"
"""Before a client's id of a turn, where it stands among the ids of answers."""


@dataclass(frozen=True, kw_only=True)
class ObservedRequest:
    """A request of somebody else's agent."""

    messages: tuple[Message, ...]
    """The conversation, in OpenAI's shape; the last message is a user's or a tool's."""
    tenant: str
    """Whose request it is."""
    tools: tuple[Mapping[str, object], ...] = ()
    """The tools that the model may call."""
    hints: Hints = field(default_factory=Hints)
    """What it says of its session."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Where a request belongs and what memory has for it."""

    episode: str
    """Id of the run, and of its episode."""
    session: str
    """Its session."""
    placement: Placement
    """How it was found."""
    continues: bool
    """Whether the run is open already."""
    rewritten: bool
    """Whether it continues with a history that was written anew."""
    hashes: tuple[bytes, ...]
    """Running hash at each message that is no system's."""
    roles: tuple[str, ...]
    """Role of each of these messages."""
    base: bytes
    """The hash before the first of them."""
    plan: wake.Plan | None = None
    """What was perceived of a new task; None where the run is open, and where perception was late."""
    blocks: Mapping[int, str] = field(default_factory=dict)
    """Recalled text by the number of the message beside which it stands, counted over all messages."""
    reminder: Recall | None = None
    """A lesson that is shown behind the newest message, a tool's result; its text is among `blocks`."""
    adapter: str = ""
    """The adapter that answers, empty for the base; only an engine that has it can be asked for it."""
    waits: bool = False
    """Whether it runs in the control arm and `perceive` has yet to say what memory would have had."""


class Observer:
    """What is remembered of requests that somebody else's model answers. Thread-safe."""

    def __init__(self, components: Components, runs: Runs) -> None:
        self._components = components
        self._record = components.record
        self._runs = runs

    def transaction(self) -> AbstractContextManager[None]:
        """All that is recorded inside is kept, or nothing."""
        return self._record.transaction()

    def prepare(self, request: ObservedRequest, *, control_waits: bool = False) -> Prepared:
        """Place the request, perceive and recall; nothing is written.

        With `control_waits` a run of the control arm is only placed, since nothing is shown to it; `perceive` can be asked beside its
        answer.
        """
        placed = self._place(request, uuid.uuid4().hex)
        if placed.continues:
            return self._prepare_further(request, placed)
        shown = self._shown_before(request, placed)
        if control_waits and not shown and self._runs.in_control_arm(_task(request, placed.session), id=placed.episode):
            return replace(placed, waits=True)
        return self._planned(request, placed, shown)

    def perceive(self, request: ObservedRequest, placed: Prepared) -> Prepared:
        """What memory would have had for a run of the control arm that `prepare` has only placed."""
        return replace(self._planned(request, placed, {}), waits=False)

    def _planned(self, request: ObservedRequest, placed: Prepared, shown: dict[int, str]) -> Prepared:
        # The profile that stands beside an earlier turn of the session stands there still.
        plan = self._runs.plan(_task(request, placed.session), id=placed.episode, profile=not shown)
        if not _of_its_arm(plan, shown.values()):
            # What stood in the prompt stays there for the session's life, so this run counts in no arm.
            recall = None if plan.control or plan.placebo else plan.recall
            plan = replace(plan, control=False, placebo=False, offered=False, recall=recall)
        newest = _newest(request.messages)
        if newest in shown:
            # The same request again, after its run has ended: what stood beside it does.
            plan = replace(plan, recall=self._recall_of(request, placed, shown[newest]))
        elif plan.recall is not None:
            shown[newest] = _framed(plan.recall)
        return replace(placed, plan=plan, blocks=shown, adapter=plan.adapter)

    def _prepare_further(self, request: ObservedRequest, placed: Prepared) -> Prepared:
        """A further request of an open run: what was shown before, and a lesson where the newest step is one that it warns of."""
        run = self._runs.get(placed.episode, tenant=request.tenant)
        shown = self._shown_before(request, placed)
        # The same request again gets what it got before.
        fresh = placed.placement.known < len(placed.hashes)
        reminder = self._runs.reminder(run, request.messages) if fresh else None
        if reminder is not None:
            shown[len(request.messages) - 1] = _framed(reminder)
        return replace(placed, blocks=shown, reminder=reminder, adapter=run.adapter)

    def record(self, request: ObservedRequest, prepared: Prepared | None, answer: Answer, id: str) -> None:
        """Write down what was asked and answered; on disk when the transaction around it has ended."""
        placed = prepared or self._place(request, id)
        whole = None if placed.continues or answer.message.get("tool_calls") else self._record_whole(request, placed, answer)
        if whole is not None:
            start, (run, fresh, end) = 0, whole
        else:
            opened, start, fresh = self._continued(request, placed) if placed.continues else self._begun(request, placed)
            run, end = opened.id, opened.append([answer.message], answer.usage)
        last = placed.hashes[-1] if placed.hashes else placed.base
        hashes = [*placed.hashes[len(placed.hashes) - fresh :], next_hash(last, answer.message)]
        positions = [*(start + number + 1 for number in range(fresh - 1)), *([end - 1] if fresh else []), end]
        if placed.rewritten:
            positions = [start] * fresh + [end]
        nodes = [
            SessionNode(hash=hash, session=placed.session, run=run, position=position, leaf=number == fresh)
            for number, (hash, position) in enumerate(zip(hashes, positions, strict=True))
        ]
        before = placed.hashes[-fresh - 1] if fresh < len(placed.hashes) else placed.base
        block, beside = "", b""
        if placed.plan is not None and placed.plan.recall is not None:
            block, beside = placed.blocks.get(_newest(request.messages), ""), placed.hashes[_newest(_said(request.messages))]
        elif placed.reminder is not None:
            block, beside = placed.blocks[len(request.messages) - 1], placed.hashes[-1]
        self._record.session_nodes.add(request.tenant, nodes, before, block=block, beside=beside)
        calls = [one["id"] for one in answer.message.get("tool_calls") or () if one["id"]]
        self._record.session_nodes.add_answer(request.tenant, answer.id, nodes[-1], call_digests(answer.message), calls)
        if request.hints.turn:
            self._record.session_nodes.add_answer(request.tenant, TURN + request.hints.turn, nodes[-1], ())
        if whole is None and not answer.message.get("tool_calls"):
            opened.finish()

    def note_results(self, request: ObservedRequest) -> None:
        """Keep the results of tools that a client shows only in a request of its own, such as one that compacts the history."""
        ends = [number for number, one in enumerate(request.messages) if one["role"] == "tool"]
        if not ends:
            return
        until = replace(request, messages=request.messages[: ends[-1] + 1], hints=replace(request.hints, turn=""))
        placed = self._place(until, "")
        known = placed.placement.known
        if not placed.continues or any(role != "tool" for role in placed.roles[known:]) or known == len(placed.hashes):
            return
        run, start, fresh = self._continued(until, placed)
        nodes = [
            SessionNode(hash=hash, session=placed.session, run=run.id, position=start + number + 1, leaf=number == fresh - 1)
            for number, hash in enumerate(placed.hashes[known:])
        ]
        self._record.session_nodes.add(request.tenant, nodes, placed.hashes[known - 1])

    def judge(
        self,
        *,
        tenant: str,
        id: str = "",
        session: str = "",
        success: bool | None,
        score: float | None = None,
        judge: Judge,
        reason: str = "",
        correction: str | Message = "",
    ) -> Episode:
        """Judge the run of an answer by the answer's id, or the newest run of a session. See `Runs.judge` for what is raised."""
        run = (self._record.session_nodes.run_of(id, tenant) or id) if id else self._runs.session(session, tenant=tenant)[-1].id
        # Who verifies a run has seen its end: an agent that carries out its last call and stops asks for nothing more, which would end it.
        return self._runs.judge(run, success, score, tenant=tenant, judge=judge, reason=reason, correction=correction, ends=judge.final)

    def _place(self, request: ObservedRequest, id: str) -> Prepared:
        nodes = self._record.session_nodes.of(request.tenant)
        answered = nodes.answer(request.hints.continues) if request.hints.continues else None
        base = answered.hash if answered else ROOT
        hashes, roles = message_hashes(request.messages, base)
        said = [one for one in request.messages if one["role"] not in ("system", "developer")]
        asked = SessionRequest(
            hashes=hashes,
            roles=roles,
            results=tuple(str(one.get("tool_call_id") or "") for one in said),
            opening=text_digest(text_of(said[0])) if said else None,
            hints=request.hints,
        )
        placement = resolve(asked, nodes)
        session = placement.session or new_session()
        turn = max((number for number, role in enumerate(roles) if role == "user"), default=-1)
        node = placement.node
        continues = (
            node is not None and placement.known > turn and self._record.open_runs.owners([node.run]) == [request.tenant]
        ) and placement.kind is not PlacementKind.COMPACTION
        rewritten = False
        if not continues and request.hints.turn:
            # The client says that it is still at the user's turn, so a user's message behind it is its own. Where the history does not
            # reach its newest answer it was written anew, and holds nothing that is not known.
            at = nodes.answer(TURN + request.hints.turn)
            if at is not None and at.session == session and self._record.open_runs.owners([at.run]) == [request.tenant]:
                continues = True
                rewritten = node is None or node.run != at.run or node.position < at.position
                if rewritten:
                    node, placement = at, replace(placement, kind=PlacementKind.COMPACTION, node=at)
        return Prepared(
            episode=node.run if continues and node else id,
            session=session,
            placement=placement,
            continues=continues,
            rewritten=rewritten,
            hashes=hashes,
            roles=roles,
            base=base,
        )

    def _continued(self, request: ObservedRequest, placed: Prepared) -> tuple[OpenRun, int, int]:
        """The open run with the request's new messages: the run, its length before them, and how many they are."""
        node, known = placed.placement.node, placed.placement.known
        assert node is not None
        try:
            run = self._runs.get(placed.episode, tenant=request.tenant)
        except NothingFound:  # it has ended since the request came
            return self._begun(request, replace(placed, episode=uuid.uuid4().hex))
        if not node.leaf and not placed.rewritten:
            matched = placed.hashes.index(node.hash) + 1 if node.hash in placed.hashes else 0
            run.truncate(node.position + known - matched)
        start = run.position
        new = _said(request.messages)[known:]
        if new and not placed.rewritten:
            run.append(new)
        if placed.reminder is not None:
            run.remind(placed.reminder)
        return run, start, len(new)

    def _begun(self, request: ObservedRequest, placed: Prepared) -> tuple[OpenRun, int, int]:
        """A new run that begins with the messages that were not seen, or with the user's newest where all were."""
        task, plan, messages = self._beginning(request, placed)
        run = self._runs.begin(
            task,
            id=placed.episode,
            plan=plan,
            previous=self._previous(request.tenant, placed, len(_said(request.messages)) - len(messages)),
            messages=messages,
            confidence=placed.placement.confidence,
        )
        return run, 0, len(messages)

    def _record_whole(self, request: ObservedRequest, placed: Prepared, answer: Answer) -> tuple[str, int, int] | None:
        """A new run that the answer ends: its id, the number of its messages and of its steps; None where it must be opened first."""
        task, plan, messages = self._beginning(request, placed)
        steps = self._runs.record_whole(
            task,
            answer.message,
            answer.usage,
            id=placed.episode,
            plan=plan,
            previous=self._previous(request.tenant, placed, len(_said(request.messages)) - len(messages)),
            messages=messages,
            confidence=placed.placement.confidence,
        )
        return (placed.episode, len(messages), steps) if steps else None

    def _beginning(self, request: ObservedRequest, placed: Prepared) -> tuple[Task, wake.Plan, list[Message]]:
        """What a new run begins with; the run before it ends."""
        said = _said(request.messages)
        turn = max((number for number, one in enumerate(said) if one["role"] == "user"), default=0)
        self._end_previous(request.tenant, placed)
        task = placed.plan.task if placed.plan else _task(request, placed.session)
        return task, placed.plan or self._runs.plan_nothing(task, id=placed.episode), said[min(placed.placement.known, turn) :]

    def _previous(self, tenant: str, placed: Prepared, first: int) -> str:
        """The run whose turns stand before message number `first`."""
        node = placed.placement.node
        if node is None or (placed.placement.kind is PlacementKind.RETRY and first == 0):
            return ""
        if 0 < first < placed.placement.known:
            node = self._record.session_nodes.of(tenant).at(placed.session, placed.hashes[first - 1])
        return node.run if node else ""

    def _end_previous(self, tenant: str, placed: Prepared) -> None:
        """A user who goes on has left the run before as it was."""
        node = placed.placement.node
        if node and node.session == placed.session and self._record.open_runs.owners([node.run]) == [tenant]:
            self._runs.finish(node.run)

    def _recall_of(self, request: ObservedRequest, placed: Prepared, block: str) -> Recall | None:
        """The step that a block beside the newest message of the user was, with what it cites."""
        hash = placed.hashes[_newest(_said(request.messages))]
        node = self._record.session_nodes.of(request.tenant).at(placed.session, hash)
        known = self._record.episodes.get_many([node.run], tenant=request.tenant) if node else []
        recalls = (step for episode in known for step in episode.steps if isinstance(step, Recall))
        return next((step for step in recalls if _framed(step) == block), None)

    def _shown_before(self, request: ObservedRequest, placed: Prepared) -> dict[int, str]:
        """What was shown beside earlier messages of the session: it is shown there again, so that the prefix stays what it was."""
        shown = self._record.session_nodes.blocks(request.tenant, placed.session, placed.hashes[: placed.placement.known])
        numbers = [number for number, one in enumerate(request.messages) if one["role"] not in ("system", "developer")]
        return {number: shown[hash] for number, hash in zip(numbers, placed.hashes, strict=True) if hash in shown}


def _said(messages: Sequence[Message]) -> list[Message]:
    return [one for one in messages if one["role"] not in ("system", "developer")]


def _of_its_arm(plan: wake.Plan, shown: Iterable[str]) -> bool:
    """Whether what the session was shown on other days is what the arm of this run shows too."""
    return not any(plan.control or plan.placebo != is_placebo(text) for text in shown)


def _framed(recall: Recall) -> str:
    return "".join(text_of(one) for one in recall.to_messages())


def _newest(messages: Sequence[Message]) -> int:
    return max((number for number, one in enumerate(messages) if one["role"] == "user"), default=-1)


def _task(request: ObservedRequest, session: str) -> Task:
    newest = _newest(request.messages)
    whole = marked_text(request.messages[newest]) if newest >= 0 else ""
    # What the client adds to the person's words is no part of the task, unless nothing else is there.
    goal = without_client_text(whole).strip() or whole
    instructions = "\n".join(text_of(one) for one in request.messages if one["role"] in ("system", "developer"))
    return Task(
        id=drawn_id(),
        goal=(goal.strip() and goal) or "(nothing that can be read)",
        instructions=instructions,
        tenant=request.tenant,
        environment=CHAT,
        session=session,
        tools=cast(tuple[ToolSpecification, ...], request.tools),
    )
