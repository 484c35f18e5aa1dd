"""Wake: perceive, recall, act, judge, record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..agents import Job, Journal, Run
from ..agents.strategies.mixed import act_by_kind
from ..core import (
    NO_VERDICT,
    UNKNOWN,
    Action,
    Episode,
    Lesson,
    LessonStatus,
    Message,
    Observation,
    Recall,
    Task,
    Thought,
    Usage,
    Verdict,
)
from ..core.settings import WakeSettings
from ..envs import Environment
from ..memory import recall
from ..memory.recall.solved import solved_near
from ..memory.turns.other_memories import other_memories
from ..numerics.arrays import Vector
from ..numerics.draws import draw
from .components import Components, log
from .effects import Arm, arm_of, is_withdrawn, placebo_of, review
from .journal import RunJournal, interrupted_runs
from .perceiver import Perceiver
from .run_state import count_other_memories
from .skills import CHAT, TOOL_CALLS, skill_by_form

HOPELESS = 0.1
"""Chance of success below which trying again is not worth its tokens; a correction is."""

AUXILIARY = "chat-auxiliary"
"""Source of requests that a chat tool makes for itself (titles, tags); answered and never learned from."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was decided for a task before the agent acts."""

    task: Task
    """The task."""
    vector: Vector | None
    """Its embedding, unit length; None when the encoder failed."""
    perceiver: Perceiver | None
    """What its tenant's tasks look like; None when perception failed."""
    verdict: Verdict
    """What perception says."""
    skill: str
    """The skill it is handled as; empty when unknown."""
    control: bool
    """Whether it runs in the control arm."""
    placebo: bool = False
    """Whether it runs in the placebo arm."""
    adapter: str
    """The adapter that acts."""
    recall: Recall | None
    """What memory adds."""
    offered: bool
    """Whether memory or an adapter was there to help, withheld or not."""
    below_threshold: bool
    """Known, and its chance of success is below the threshold at which other tasks are accepted."""
    solved: tuple[tuple[Task, str], ...] = ()
    """Solved tasks of the skill that it was recognised as, the nearest first, where the strategy can follow their forms."""

    @property
    def lessons(self) -> tuple[str, ...]:
        """Ids of the lessons shown."""
        return self.recall.lessons if self.recall else ()


def plan(
    components: Components, tasks: Sequence[Task], *, ids: Sequence[str] = (), learning: bool = True, profile: bool = True
) -> list[Plan]:
    """Perceive each task and decide adapter and recall; a failing part costs its help, never the answer (invariant Fail open).

    `ids` name the episodes to come. With `learning=False` (evaluation) there is no control arm and no lesson on probation; without
    `profile` what is known of the person is not shown, since it stands in an earlier turn already.
    """
    vectors = components.guarded("encoder", lambda: list(components.encoder.encode([task.text for task in tasks])), [None] * len(tasks))
    perceivers = {
        tenant: components.guarded("perception", partial(components.perceiver, tenant), None)
        for tenant in dict.fromkeys(task.tenant for task in tasks)
    }
    arms = [
        arm_of(components.settings, task, id_) if learning else Arm.TREATED
        for task, id_ in zip(tasks, ids or [""] * len(tasks), strict=True)
    ]
    return [
        _plan(components, task, vector, perceivers[task.tenant], arm, learning, profile)
        for task, vector, arm in zip(tasks, vectors, arms, strict=True)
    ]


def _plan(
    components: Components,
    task: Task,
    vector: Vector | None,
    perceiver: Perceiver | None,
    arm: Arm,
    learning: bool,
    profile: bool,
) -> Plan:
    verdict, rule = NO_VERDICT, None
    if vector is not None and perceiver is not None:
        verdict = components.guarded("perception", lambda: perceiver.judge(vector, task.skill, task.text), NO_VERDICT)
        rule = components.guarded("perception", perceiver.rule, None)
    verdict = without_tools(task, verdict)
    skill = task.skill or (verdict.skill if verdict.known else "")
    # What a request with tools asks for may be new while its form is not: the adapter that was examined on tool calls of no known skill
    # serves it, but nothing that was learned of other requests is shown.
    served = skill or (TOOL_CALLS if skill_by_form(task) == TOOL_CALLS else "")
    adapter, shown = "", None
    solved: tuple[tuple[Task, str], ...] = ()
    helps = not components.guarded("effect", partial(is_withdrawn, components.record, task.tenant, served), False)
    if served and helps and task.environment != AUXILIARY:
        adapter = components.guarded("adapter", lambda: components.publish(components.record.adapters.route(task.tenant, served)), "")
    if skill and helps and task.environment != AUXILIARY:
        shown = components.guarded("recall", lambda: _recall(components, task, skill, vector, adapter, learning), None)
        if vector is not None and arm is Arm.TREATED and _follows_templates(components):
            solved = components.guarded("recall", lambda: solved_near(components.record, components.index, task, skill, vector), ())
    if task.environment == CHAT and helps and vector is not None:
        said = partial(components.turns.block, task, vector, shown, components.settings.memory, components.engine.count_tokens)
        shown = components.guarded("statements", partial(said, adapted=bool(adapter), profile=profile), shown)
    offered = bool(adapter or shown)
    if arm is not Arm.TREATED:
        adapter, shown = "", placebo_of(shown) if arm is Arm.PLACEBO else None
    return Plan(
        task=task,
        vector=vector,
        perceiver=perceiver,
        verdict=verdict,
        skill=skill,
        control=arm is Arm.CONTROL,
        placebo=arm is Arm.PLACEBO,
        adapter=adapter,
        recall=shown,
        offered=offered,
        below_threshold=verdict.known and not verdict.accepted and rule is not None and rule.coverage > 0,
        solved=solved,
    )


def without_tools(task: Task, verdict: Verdict) -> Verdict:
    """The verdict, or that a task is unknown after all where it resembles tool calls and has no tools."""
    if task.tools or verdict.skill != TOOL_CALLS or not verdict.known:
        return verdict
    return replace(verdict, known=False, accepted=False, reason=f"{verdict.reason}; like {TOOL_CALLS!r}, but it has no tools")


def _follows_templates(components: Components) -> bool:
    return components.settings.wake.templates and getattr(components.strategy, "follows_templates", False) is True


def _recall(components: Components, task: Task, skill: str, vector: Vector | None, adapter: str, learning: bool) -> Recall | None:
    settings = components.settings
    if settings.memory.recall == "off" or vector is None:
        return None
    probation = [one.id for one in lessons_on_trial(components, task, skill)] if learning else []
    return recall(
        components.record,
        components.index,
        tenant=task.tenant,
        skill=skill,
        vector=vector,
        settings=settings.memory,
        count_tokens=components.engine.count_tokens,
        probation=probation,
        # Past runs are what the weights have learned and would be shown twice; a user's word on this very question stands above them.
        near_only=bool(adapter),
        tools=task.tool_names,
    )


def lessons_on_trial(components: Components, task: Task, skill: str) -> list[Lesson]:
    """Of a skill's lessons on probation, those that are drawn for a task."""
    settings = components.settings
    return [
        lesson
        for lesson in components.record.lessons.find(tenant=task.tenant, skill=skill, status=LessonStatus.PROBATION)
        if draw(settings.seed, "probation", task.id, lesson.id) < settings.memory.probation_share
    ]


def wake(
    components: Components,
    tasks: Sequence[Task],
    environment: Environment | None = None,
    *,
    ids: Sequence[str],
    history: Sequence[Message] = (),
    temperature: float = 0.0,
    max_tokens: int | None = None,
) -> list[Episode]:
    """Handle tasks side by side and record each; what is returned is durable.

    A run of several steps keeps each as it happens; one of an id whose run was interrupted goes on where it was.
    All tasks of one call are perceived with what was known before it. `ids` name the episodes.
    Raises `MalformedTask`, `EngineUnreachable`, or `StoreError` when the record cannot be written.
    """
    begun = interrupted_runs(components.record, tasks, ids) if environment is not None else {}
    plans = [
        _plan_again(components, begun[id_]) if id_ in begun else one for one, id_ in zip(plan(components, tasks, ids=ids), ids, strict=True)
    ]
    heads = {id_: partial(_head, components, one, id_) for one, id_ in zip(plans, ids, strict=True)}
    journal = RunJournal(components.record, heads, opened=begun)
    more = Limits(history=tuple(history), temperature=temperature, max_tokens=max_tokens)
    runs = act(components, plans, environment, more, begun=[begun.get(id_) for id_ in ids], ids=ids, journal=journal)
    runs = [replace(run, usage=begun[id_].usage + run.usage) if id_ in begun else run for run, id_ in zip(runs, ids, strict=True)]
    episodes = [_episode(components, one, run, id_) for one, run, id_ in zip(plans, runs, ids, strict=True)]
    with components.record.transaction():
        # What was erased while it ran does not come back.
        gone = (journal.opened - components.record.open_runs.existing(journal.opened)) | journal.erased
        recorded = [
            (episode, one.vector)
            for episode, one in zip(episodes, plans, strict=True)
            if episode.task.environment != AUXILIARY and episode.id not in gone
        ]
        remember(components, recorded)
        for episode, _ in recorded:
            count_other_memories(components.record, episode.task.tenant, episode.other_memories)
        for id_ in journal.opened:
            components.record.open_runs.discard(id_)
    for episode in episodes:
        if episode.lessons and episode.outcome.success is not None:
            credit_lessons(components, episode)
        review(components, episode)
    return episodes


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a caller asks of the answers."""

    history: tuple[Message, ...] = ()
    """Earlier turns of a chat."""
    temperature: float = 0.0
    """0 takes the likeliest token."""
    max_tokens: int | None = None
    """Most tokens of one answer; None leaves it to the settings in an environment, and to the model's context in a chat."""


def act(
    components: Components,
    plans: Sequence[Plan],
    environment: Environment | None,
    limits: Limits | None = None,
    *,
    ids: Sequence[str] = (),
    begun: Sequence[Episode | None] = (),
    journal: Journal | None = None,
) -> list[Run]:
    """Run the plans, spending more tries where the agent is likely to fail; unknown tasks and those below the threshold may be declined.

    With a `journal`, steps are kept under `ids` as they happen; `begun` are the runs that go on.
    """
    limits, ids, begun = limits or Limits(), ids or [""] * len(plans), begun or [None] * len(plans)
    wake_settings = components.settings.wake
    declined = {i for i, one in enumerate(plans) if _declines(wake_settings, one)}
    jobs = [
        Job(
            task=one.task,
            environment=environment,
            adapter=one.adapter,
            recall=one.recall,
            history=limits.history,
            tries=_tries(wake_settings, one.verdict),
            max_tokens=limits.max_tokens or (components.settings.model.max_tokens if environment is not None else None),
            temperature=limits.temperature,
            seed=components.settings.seed,
            constrain=wake_settings.grammar,
            solved=one.solved,
            id=ids[i],
            steps=earlier.steps if (earlier := begun[i]) is not None else (),
            journal=journal,
        )
        for i, one in enumerate(plans)
        if i not in declined
    ]
    runs = iter(act_by_kind(components.strategy, jobs, components.settings.home))
    return [_declined(one) if i in declined else next(runs) for i, one in enumerate(plans)]


def _tries(settings: WakeSettings, verdict: Verdict) -> int:
    """More tries where the agent may fail and may also succeed; at what it never could do, more of the same is wasted."""
    if not verdict.known or verdict.success_chance < HOPELESS:
        return 1
    return settings.max_attempts_when_unlikely if verdict.likely_to_fail else settings.max_attempts


def _declines(settings: WakeSettings, one: Plan) -> bool:
    unknown = settings.abstain_on_unknown and not one.skill
    below_threshold = settings.abstain_on_low_confidence and one.below_threshold
    return (unknown or below_threshold) and not (one.control or one.placebo)


def _declined(one: Plan) -> Run:
    verdict = one.verdict
    if one.skill:
        thought = f"doubtful: the chance of success at {one.skill} is {verdict.success_chance:.2f}"
        answer = "I would probably get this wrong. Please show me how, or let me try without guarantees."
    else:
        thought = verdict.reason or "unknown: no skill is known yet"
        answer = "I have not learned to do this yet. Please show me how, or let me try without guarantees."
    steps = (Observation(text=one.task.text), Thought(text=thought), Action(text=answer))
    return Run(steps=steps, outcome=UNKNOWN, usage=Usage())


def _answer_chance(one: Plan, run: Run) -> float | None:
    """The chance that the answer is right, now that the model's own likelihood of it is known."""
    likelihood = next((step.likelihood for step in reversed(run.steps) if isinstance(step, Action)), None)
    if one.perceiver is None or one.vector is None or not one.skill or likelihood is None:
        return None
    return one.perceiver.answer_chance(one.vector, one.skill, one.adapter, likelihood)


def _plan_again(components: Components, run: Episode) -> Plan:
    """The plan that an interrupted run was begun with."""
    recall = next((step for step in run.steps if isinstance(step, Recall)), None)
    return Plan(
        task=run.task,
        vector=components.record.open_runs.vector(run.id),
        perceiver=None,
        verdict=run.verdict or NO_VERDICT,
        skill=run.skill,
        control=run.control,
        placebo=run.placebo,
        adapter=components.guarded("adapter", lambda: components.publish(run.adapter), ""),
        recall=recall,
        offered=run.offered,
        below_threshold=False,
    )


def _head(components: Components, one: Plan, id_: str) -> tuple[Episode, Vector]:
    """What is known of a run before its first step."""
    head = Episode(
        id=id_,
        task=one.task,
        steps=(),
        outcome=UNKNOWN,
        skill=one.skill,
        model=components.engine.model,
        adapter=one.adapter,
        lessons=one.lessons,
        control=one.control,
        placebo=one.placebo,
        offered=one.offered,
        verdict=one.verdict,
        other_memories=other_memories(f"{one.task.instructions}\n{one.task.text}") if one.task.environment == CHAT else (),
        created=time.time(),
    )
    return head, blank_vector(components) if one.vector is None else one.vector


def _episode(components: Components, one: Plan, run: Run, id_: str) -> Episode:
    head = _head(components, one, id_)[0]
    return replace(
        head,
        model=run.model or head.model,
        steps=run.steps,
        outcome=run.outcome,
        answer_chance=components.guarded("perception", lambda: _answer_chance(one, run), None),
        usage=run.usage,
    )


def credit_lessons(components: Components, episode: Episode) -> None:
    """Count an outcome for the lessons that were shown."""
    components.guarded("lessons", lambda: components.record.lessons.credit(episode.lessons, bool(episode.outcome.success)), None)


def blank_vector(components: Components) -> Vector:
    """What stands in the place of an embedding that could not be made; it is near nothing."""
    return np.zeros(components.encoder.dimensions, dtype=np.float32)


def remember(components: Components, episodes: Sequence[tuple[Episode, Vector | None]]) -> None:
    """Write episodes to the record in one transaction; perception and index read them there when they are next asked."""
    blank = blank_vector(components)
    components.record.episodes.record_many([(episode, blank if vector is None else vector) for episode, vector in episodes])
    components.turns.notice()
    for episode, vector in episodes:
        if vector is None:
            log.warning("episode %s is recorded without an embedding and cannot be recalled", episode.id)
