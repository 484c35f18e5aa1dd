"""Runs of somebody else's agent: begun, continued over any number of requests, judged and finished; every turn durable as it happens."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ...agents import outcome_of_reaction, outcome_of_results
from ...core import (
    NO_VERDICT,
    UNKNOWN,
    Episode,
    Judge,
    MalformedTask,
    Message,
    NothingFound,
    Observation,
    Outcome,
    Recall,
    Task,
    Usage,
    from_messages,
    tenant_name,
)
from ...memory import Record
from ...memory.turns.other_memories import other_memories
from ...numerics.arrays import Vector
from ..components import Components
from ..effects import Arm, arm_of, review
from ..feedback import make_learnable, take_feedback
from ..run_state import count_other_memories
from ..wake import Plan, blank_vector, credit_lessons, plan
from .reminders import reminder
from .run import PENDING, OpenRun, correction_text, outcome_of

LEFT = 3600.0
"""Seconds of silence after which the run of an agent outside is taken to be over when a night begins."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A conversation or long run, as a list of sessions shows it."""

    id: str
    """Its name."""
    episodes: int
    """How many runs it holds, one under way among them."""
    last: float
    """When its newest run began, in seconds since the epoch."""


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

    def plan(self, task: Task, *, id: str, profile: bool = True) -> Plan:
        """Perceive a task, draw its arm, choose adapter and recall; what fails costs its help alone (invariant Fail open)."""
        return plan(self.components, [task], ids=[id], profile=profile)[0]

    def in_control_arm(self, task: Task, *, id: str) -> bool:
        """Whether a run is drawn to go without memory and adapter."""
        return arm_of(self.components.settings, task, id) is Arm.CONTROL

    def plan_nothing(self, task: Task, *, id: str) -> Plan:
        """The plan for a task whose perception and recall came too late: neither memory nor adapter."""
        arm = arm_of(self.components.settings, task, id)
        return Plan(
            task=task,
            vector=None,
            perceiver=None,
            verdict=NO_VERDICT,
            skill=task.skill,
            control=arm is Arm.CONTROL,
            placebo=arm is Arm.PLACEBO,
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
        head = self._head(task, id, plan, previous, messages, confidence)
        if not self.record.open_runs.begin(head, self._vector(plan)):
            if self.record.open_runs.owners([id]) == [task.tenant]:
                return self.get(id, tenant=task.tenant)
            raise MalformedTask(f"a run {id!r} has ended already; begin one with another id")
        count_other_memories(self.record, task.tenant, head.other_memories)
        return OpenRun(self.record, replace(head, steps=()), plan.recall, self.finish)

    def record_whole(
        self,
        task: Task,
        answer: Message,
        usage: Usage,
        *,
        id: str,
        plan: Plan,
        previous: str = "",
        messages: Sequence[Message],
        confidence: float = 1.0,
    ) -> int:
        """Record a run whose first answer ends it, as `begin`, `append` and `finish` would with three times the work.

        Returns how many steps it has; 0, and nothing is recorded, where it has to go that way: one of its id is there already, or what
        it was shown was erased meanwhile.
        """
        head = self._head(task, id, plan, previous, messages, confidence)
        episode = replace(head, steps=(*head.steps, *from_messages([answer])), usage=usage)
        episode = replace(episode, outcome=outcome_of_results(episode.steps))
        with self.record.transaction():
            if not self.record.open_runs.record_ended(episode, self._vector(plan)):
                return 0
            count_other_memories(self.record, task.tenant, episode.other_memories)
        self._ended(episode)
        return len(episode.steps)

    def _vector(self, plan: Plan) -> Vector:
        return blank_vector(self.components) if plan.vector is None else plan.vector

    def _head(self, task: Task, id: str, plan: Plan, previous: str, messages: Sequence[Message] | None, confidence: float) -> Episode:
        """What is known of a run when it begins; the run before it hears the user's words."""
        first = from_messages(messages) if messages is not None else (Observation(text=task.text),)
        known = self.record.episodes.get_many([previous], tenant=task.tenant) if previous else []
        for episode in known:
            self.components.guarded("outcome", partial(self._hear, episode, task), None)
        return Episode(
            id=id,
            task=task,
            steps=(*first, *([plan.recall] if plan.recall else [])),
            outcome=UNKNOWN,
            skill=plan.skill,
            model=self.components.engine.model,
            adapter=plan.adapter,
            lessons=plan.lessons,
            control=plan.control,
            placebo=plan.placebo,
            offered=plan.offered,
            verdict=plan.verdict,
            previous=previous if known else "",
            confidence=confidence,
            other_memories=other_memories("\n".join([task.instructions, *(step.text for step in first if isinstance(step, Observation))])),
            created=time.time(),
        )

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
        return OpenRun(self.record, head, self._recalled(head) if head.offered and not head.control else None, self.finish)

    def _recalled(self, head: Episode) -> Recall | None:
        # It follows the messages that the run began with; only a run that began with very many has to be read as a whole.
        first = self.record.open_runs.first(head.id, PENDING)
        steps = (
            first if any(isinstance(step, Recall) for step in first) or len(first) < PENDING else self.record.open_runs.get(head.id).steps
        )
        return next((step for step in steps if isinstance(step, Recall)), None)

    def reminder(self, run: OpenRun, messages: Sequence[Message]) -> Recall | None:
        """A lesson that warns of the newest step of a run and was not shown to it yet; see `reminders`."""
        return self.components.guarded("recall", partial(reminder, self.components, run, messages), None)

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
        self._ended(episode)
        return record.episodes.get(id)

    def _ended(self, episode: Episode) -> None:
        """What follows on every recorded episode."""
        self.components.turns.notice()
        if episode.lessons and episode.outcome.success is not None:
            credit_lessons(self.components, episode)
        review(self.components, episode)
        self.record.after_commit(partial(self.finished, episode.task))

    def end_idle(self, seconds: float, *, tenant: str = "default") -> list[Episode]:
        """End a tenant's runs of which nothing was kept for so long, with the outcome that they have; for clients that just stop."""
        tenant, latest = tenant_name(tenant), time.time() - seconds
        idle = [id for id in self.record.open_runs.ids(tenant=tenant) if self.record.open_runs.updated(id) < latest]
        return [self.finish(id, Outcome(success=None, reason=f"nothing happened for {seconds:g} seconds")) for id in idle]

    def end_left(self, *, tenant: str = "default") -> list[Episode]:
        """End what agents outside left open: runs that somebody has judged, and those of which nothing was heard for `LEFT` seconds.

        An agent that carries out its last call and stops asks for nothing more. What a program of this library drives stays open: it
        is taken up by its id, however late.
        """
        store, tenant = self.record.open_runs, tenant_name(tenant)
        latest, ended = time.time() - LEFT, list[Episode]()
        for id in sorted(self.record.session_nodes.observed(store.ids(tenant=tenant))):
            try:
                head = store.head(id)
                judged = bool(head.correction) or (head.outcome.success is not None and head.outcome.judge.trusted)
                if judged:
                    ended.append(self._concluded(id))
                elif store.updated(id) < latest:
                    ended.append(self.finish(id, Outcome(success=None, reason=f"nothing happened for {LEFT:g} seconds")))
            except NothingFound:
                # Another process has ended it.
                continue
        return ended

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
        ends: bool = False,
    ) -> Episode:
        """Judge a run, whether it is under way or recorded; the outcome is the whole run's, and `ends` says that it is over with it.

        A correction is the right answer, as text or as an assistant's message with tool calls. Raises `NothingFound`, and
        `MalformedTask` for what says nothing, contradicts itself, or would overrule a more trusted judge.
        """
        tenant, right = tenant_name(tenant), correction_text(correction)
        outcome = outcome_of(success, score, judge, reason, evidence, correction=right)
        if self.record.open_runs.owners([id]) == [tenant]:
            self.record.open_runs.judge(id, outcome, right)
            return self._concluded(id) if ends else self.record.open_runs.get(id)
        return take_feedback(self.components, id, tenant=tenant, outcome=outcome, correction=right)

    def _concluded(self, id: str) -> Episode:
        episode = self.finish(id)
        with self.record.transaction():
            make_learnable(self.record, episode)
        return self.record.episodes.get(id)

    def sessions(self, *, tenant: str = "default", limit: int = 100) -> list[Session]:
        """The sessions in which something happened last, newest first."""
        return newest_sessions(self.record, tenant_name(tenant), limit)

    def session(self, id: str, *, tenant: str = "default") -> list[Episode]:
        """Everything that happened in a session, each turn once: its episodes, and runs under way as episodes without an end.

        Raises `NothingFound` for a session of which the tenant has nothing.
        """
        return session_episodes(self.record, tenant_name(tenant), id)


def newest_sessions(record: Record, tenant: str, limit: int) -> list[Session]:
    """The sessions of a tenant in which something happened last, newest first."""
    found = {id: Session(id=id, episodes=count, last=last) for id, count, last in record.episodes.sessions(tenant, limit)}
    for id in record.open_runs.ids(tenant=tenant):
        head = record.open_runs.head(id)
        if name := head.task.session:
            known = found.get(name, Session(id=name, episodes=0, last=0.0))
            found[name] = Session(id=name, episodes=known.episodes + 1, last=max(known.last, head.created))
    return sorted(found.values(), key=lambda one: one.last, reverse=True)[:limit]


def session_episodes(record: Record, tenant: str, id: str) -> list[Episode]:
    """The runs of a tenant's session, oldest first. Raises `NothingFound`."""
    with record.snapshot():
        opened = [record.open_runs.get(run) for run in record.open_runs.ids(tenant=tenant, session=id)]
        episodes: list[Episode] = [*record.episodes.of_session(tenant, id), *opened]
    if not episodes:
        raise NothingFound(f"tenant {tenant!r} has no session {id!r}")
    return sorted(episodes, key=lambda episode: episode.created)
