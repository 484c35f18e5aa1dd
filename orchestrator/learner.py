"""`LifelongLearner`: the public class, with the three verbs wake, sleep and forget."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Self

from ..agents import Run, replay
from ..core import Episode, Judge, Message, Outcome, Receipt, Settings, Task, demonstration_id, tenant_name
from ..envs import Environment
from ..memory import Memory, MemoryEffect, ProfileLine, Record, memory_effect, read_profile
from ..perception import SelectiveRule
from ..serving import Engine, UpstreamAddress
from . import forget as _forget
from . import wake as _wake
from .components import Components
from .effects import Effects, effects_of
from .feedback import take_feedback
from .held import Held, describe, edit, forget_saying, pin
from .nights import Nights
from .observed import Observer
from .open import open_components
from .open_runs import RunContext, Runs, outcome_of
from .phases import Progress
from .run_state import Night, PendingSleep, SleepReport, report_count
from .skill_heads import outcome_model_of, skill_routes

CLOSE_SECONDS = 30.0
"""How long closing waits for a night in the background to reach its next step."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of one tenant."""

    tenant: str
    """Whose figures these are."""
    episodes: int
    """Recorded runs."""
    unjudged: int
    """Of these, runs that nobody has judged."""
    novel: int
    """Runs in the novelty buffer, unknown to every skill."""
    skills: dict[str, str]
    """Skill to live adapter, empty where the base serves."""
    lessons: dict[str, int]
    """Lessons by status."""
    nights: int
    """Nights slept over a skill."""
    last_night: Night | None
    """The newest night: how it stands or ended, and why."""
    memory_effect: MemoryEffect
    """Help against harm: treated against control arm."""
    acceptance: SelectiveRule | None
    """What is accepted, at which coverage and risk; None before any outcome."""
    faults: dict[str, int]
    """Failures that were passed over since the start (invariant Fail open)."""


class LifelongLearner:
    """An agent that gets better with use, knows when it does not know, and forgets on request.

    Use it as a context manager. `environments` judge held-out tasks during sleep, by the tasks' source.
    """

    def __init__(self, components: Components, environments: Mapping[str, Environment] | None = None) -> None:
        self._components = components
        self.environments: dict[str, Environment] = dict(environments or {})
        self.runs = Runs(components=components, finished=self._sleep_where_due)
        """Runs of agents that are not driven here, begun and continued over several requests."""
        self._nights = Nights(components, self.environments, lambda tenant: self.runs.end_left(tenant=tenant))
        self.observer = Observer(components, self.runs)
        """What remembers requests that pass by on their way to somebody else's model."""
        # Before anything is served: what was promised to be erased is neither recalled nor recognised any more.
        self._finished: list[Receipt] = components.guarded(
            "erasure", lambda: _forget.finish_pending(components, self.environments, rebuild=False), []
        )
        components.turns.notice()
        for name in components.record.adapters.serving():
            components.guarded("adapter", partial(components.publish, name), "")

    @classmethod
    def open(cls, settings: Settings, environments: Mapping[str, Environment] | None = None) -> Self:
        """Open the record, the encoder and the engine that the settings name.

        Raises `ModelMissing`, `EngineUnreachable`, `StoreError` or `SettingsError`, each with what to do.
        """
        return cls(open_components(settings), environments)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def warm_up(self) -> None:
        """Load what the first request would wait for; a part that cannot be loaded is passed over (invariant Fail open)."""
        self._components.guarded("encoder", lambda: self._components.encoder.encode(["ready"]), None)
        # The first search reads the index and loads what ranks it.
        self._components.guarded("statements", lambda: self._components.turns.search("ready", tenant="default", limit=1), None)

    def close(self) -> None:
        """Stop nights at their next step (they go on another time), give back the engine and close the record. May be called twice."""
        self._nights.stop(CLOSE_SECONDS)
        self._components.turns.close()
        self._components.perceivers.close()
        self._components.engine.close()
        self._components.record.close()

    @property
    def settings(self) -> Settings:
        """The settings it was opened with."""
        return self._components.settings

    @property
    def record(self) -> Record:
        """The durable record."""
        return self._components.record

    @property
    def engine(self) -> Engine:
        """Where the model runs."""
        return self._components.engine

    @property
    def upstream(self) -> UpstreamAddress | None:
        """The server that requests can be passed on to, where the engine is only a URL."""
        found: UpstreamAddress | None = getattr(self._components.engine, "upstream", None)
        return found

    def wake(
        self,
        task: Task,
        environment: Environment | None = None,
        *,
        history: Sequence[Message] = (),
        temperature: float = 0.0,
        max_tokens: int | None = None,
        id: str = "",
    ) -> Episode:
        """Handle one task; the returned episode is durable. Where `sleep.every` is set and due, a night begins in the
        background.

        With an `id`, a run that was interrupted goes on where it was, and one that is recorded is returned.
        """
        if id and (known := self.record.episodes.get_many([id], tenant=task.tenant)):
            return known[0]
        id_ = id or uuid.uuid4().hex
        try:
            [episode] = _wake.wake(
                self._components, [task], environment, ids=[id_], history=history, temperature=temperature, max_tokens=max_tokens
            )
        except Exception as error:
            if not id and self.record.open_runs.existing([id_]):
                # Nobody knows the id by which it could go on.
                self.runs.finish(id_, Outcome(success=None, reason=f"the run ended with {type(error).__name__}: {error}"[:500]))
            raise
        self._sleep_where_due(task)
        return episode

    def _sleep_where_due(self, task: Task) -> None:
        every = self.settings.sleep.every
        if every and self.record.episodes.count(tenant=task.tenant) % every == 0:
            # The run is recorded: a night that cannot begin is no failure of it.
            self._components.guarded("sleep", lambda: self.start_sleep(tenant=task.tenant), "")

    def wake_many(self, tasks: Sequence[Task], environment: Environment, *, ids: Sequence[str]) -> list[Episode]:
        """Handle tasks side by side under given episode ids; those already recorded are not run again."""
        done = {e.id: e for tenant in {task.tenant for task in tasks} for e in self.record.episodes.get_many(ids, tenant=tenant)}
        fresh = [(task, id_) for task, id_ in zip(tasks, ids, strict=True) if id_ not in done]
        if fresh:
            episodes = _wake.wake(self._components, [task for task, _ in fresh], environment, ids=[id_ for _, id_ in fresh])
            done |= {episode.id: episode for episode in episodes}
        return [done[id_] for id_ in ids]

    def evaluate(self, tasks: Sequence[Task], environment: Environment) -> list[Run]:
        """Run tasks as they would be served, with neither control arm nor exploration; nothing is recorded or learned."""
        return _wake.act(self._components, _wake.plan(self._components, tasks, learning=False), environment)

    def correct(self, episode: Episode, environment: Environment) -> Episode:
        """Record the expert's run of a failed episode's task under the same skill; the environment judges it as any other."""
        id_ = demonstration_id(episode.id)
        if known := self.record.episodes.get_many([id_], tenant=episode.task.tenant):
            return known[0]
        run = replay(episode.task, environment, self._components.engine)
        expert = Episode(
            id=id_,
            task=episode.task,
            steps=run.steps,
            outcome=run.outcome,
            skill=episode.skill,
            demonstration=True,
            created=time.time(),
        )
        _wake.remember(self._components, [(expert, self._components.encoder.encode([episode.task.text])[0])])
        return expert

    def feedback(
        self, episode_id: str, *, tenant: str = "default", success: bool | None, correction: str = "", reason: str = ""
    ) -> Episode:
        """Take a user's verdict, and the right answer if given. Raises `NothingFound` for another tenant's episode.

        An environment's verdict stands: a user may add a correction to its failure, and not overrule it. A user's own earlier
        verdict may be overruled. Raises `MalformedTask` for feedback that says nothing (blank or invisible text, a confirmed empty
        answer) or contradicts itself.
        """
        outcome = outcome_of(success, None, Judge.USER, reason, correction=correction)
        return take_feedback(self._components, episode_id, tenant=tenant_name(tenant), outcome=outcome, correction=correction)

    def recall(self, question: str, k: int = 10, *, tenant: str = "default", as_of: float | None = None) -> list[Memory]:
        """What people said that a question needs, the most probable first, each hit with its reason, source and age.

        `as_of` (seconds since the epoch) leaves out what was said later. Broader than what is shown to a model unasked.
        """
        return self._components.turns.search(question, tenant=tenant_name(tenant), limit=k, as_of=as_of)

    def memory(self, number: int, *, tenant: str = "default") -> Held:
        """One thing that was said, by the number of its hit, with what is known of it. Raises `NothingFound`."""
        return describe(self.record, tenant_name(tenant), number)

    def profile(self, *, tenant: str = "default") -> list[ProfileLine]:
        """What is known of a person (names, preferences, standing facts), as the last night has chosen it; each line cites its turn."""
        return read_profile(self.record, tenant_name(tenant))

    def edit_memory(self, number: int, text: str, *, tenant: str = "default") -> Memory:
        """Put other words in the place of what a person stated; see `lifelong.orchestrator.held.edit`."""
        return edit(self._components, self.environments, tenant_name(tenant), number, text)

    def pin_memory(self, number: int, pinned: bool = True, *, tenant: str = "default") -> Held:
        """Keep what a person stated in the profile always, or no longer. Raises `NothingFound` and `MalformedTask`."""
        pin(self.record, tenant_name(tenant), number, pinned)
        return self.memory(number, tenant=tenant)

    def forget_memory(self, number: int, *, tenant: str = "default", rebuild: bool = True) -> Receipt:
        """Forget every exchange in which this was said; see `lifelong.orchestrator.held.forget_saying`."""
        return forget_saying(self._components, self.environments, tenant_name(tenant), number, rebuild=rebuild)

    def run(self, task: Task, *, id: str = "", previous: str = "") -> RunContext:
        """A run of your own agent, as `with learner.run(task) as run:` or `async with`.

        Inside, `run.recall` is what memory adds and `run.verdict` what perception says; `run.act` and `run.tool` keep what happens,
        each durable when it returns; `run.finish` gives the outcome of the whole run. A run of an `id` that is open is taken up where
        it stands, after a crash too: `run.steps` tells what was done.
        """
        return RunContext(partial(self.runs.begin, task, id=id, previous=previous))

    def sleep(self, *, tenant: str = "default", skills: Sequence[str] = (), progress: Progress | None = None) -> list[SleepReport]:
        """A night from beginning to end: the phases of `lifelong.orchestrator.phases`, skill by skill.

        A skill whose night fails has a report that says so, and the others' nights go on. Waits while another night runs on the home.
        """
        return self._nights.run(tenant_name(tenant), skills, progress)

    def start_sleep(self, *, tenant: str = "default") -> str:
        """Begin a night in the background and return its id; where one of this tenant is running already, the id of that one."""
        return self._nights.start(tenant_name(tenant)).id

    def night(self, id: str, *, tenant: str = "default") -> Night:
        """How a night stands or ended, and why. Raises `NothingFound` for one that the tenant never had."""
        return self._nights.get(id, tenant_name(tenant))

    def wait_for_nights(self, seconds: float | None = None) -> None:
        """Wait until no night runs in the background of this learner, or for so many seconds."""
        self._nights.wait(seconds)

    def forget(
        self, *, episode: str = "", tenant: str = "", skill: str = "", rebuild: bool = True, progress: Progress | None = None
    ) -> Receipt:
        """Erase and prove it; see `lifelong.orchestrator.forget`."""
        tenant = tenant_name(tenant) if tenant else ""
        return _forget.forget(
            self._components, self.environments, episode=episode, tenant=tenant, skill=skill, rebuild=rebuild, progress=progress
        )

    def effects(self, *, tenant: str = "default") -> Effects:
        """What memory and adapters do to success, tokens and seconds: by tenant, skill and lesson, against control and placebo."""
        return effects_of(self.record, tenant_name(tenant))

    def rollback(self, *, tenant: str = "default", skill: str = "") -> list[str]:
        """Put back what served before the last publication; returns the skills that changed."""
        return self.record.adapters.rollback(tenant_name(tenant), skill or None)

    def resume(self) -> list[SleepReport | Receipt]:
        """Finish what a crash interrupted: a promised erasure first, then a night that had begun."""
        finished: list[SleepReport | Receipt] = []
        finished += self._finished
        self._finished = []
        finished += _forget.finish_pending(self._components, self.environments)
        for pending in self.record.state.find(PendingSleep):
            # A night takes up everything that is pending for its tenant.
            if self.record.state.get(PendingSleep, tenant=pending.tenant, skill=pending.skill):
                finished += self.sleep(tenant=pending.tenant, skills=[pending.skill])
        return finished

    def models(self, tenant: str = "default") -> list[str]:
        """The base model, and the adapters that serve this tenant (invariant Tenants: not even names of another's)."""
        tenant = tenant_name(tenant)
        return [self._components.engine.model, *sorted(set(self.record.adapters.routes(tenant).values()))]

    def status(self, tenant: str = "default") -> Status:
        """Figures of one tenant."""
        tenant = tenant_name(tenant)
        episodes, lessons = self.record.episodes, self.record.lessons.find(tenant=tenant)
        routes = self.record.adapters.routes(tenant)
        return Status(
            tenant=tenant,
            episodes=episodes.count(tenant=tenant),
            unjudged=episodes.unjudged(tenant),
            novel=episodes.count(tenant=tenant, skill=""),
            skills={skill: routes.get(skill, "") for skill in self._components.skills(tenant)},
            lessons={status: sum(lesson.status == status for lesson in lessons) for status in ("probation", "active", "retired")},
            nights=report_count(self.record, tenant),
            last_night=self._nights.last(tenant),
            memory_effect=memory_effect(self.record, tenant),
            acceptance=self._components.perceiver(tenant).rule(),
            faults=dict(self._components.faults),
        )


def acceptance_rule(record: Record, tenant: str, risk: float) -> SelectiveRule | None:
    """What is accepted of a tenant's tasks under a target risk, from the record alone; None before any outcome."""
    return outcome_model_of(record, tenant).rule(skill_routes(record, tenant), risk)


def unlabelled(tasks: Sequence[Task]) -> list[Task]:
    """The same tasks without the name of their skill, so that perception has to recognise it."""
    return [replace(task, skill="") for task in tasks]
