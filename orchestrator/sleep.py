"""Sleep: discover, reflect, consolidate, gate, publish, compress, refit; resumable at every phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..agents import reflect, samples
from ..core import Adapter, AdapterStatus, Episode, GateReport, Lesson, LessonStatus
from ..core.versions import short_name
from ..envs import Environment
from ..learners import Recipe, Sample, TrainingReport, decide_publication, train_lora
from ..memory import compress, posterior
from ..perception import history_chance
from .components import Components, draw
from .discover import discover
from .held_out import held_out_results
from .run_state import PendingSleep, SleepReport, report_count

Progress = Callable[[str, int, int], None]
"""Called with (phase, done, in all) through every long phase."""


def sleep(
    components: Components,
    environments: Mapping[str, Environment],
    *,
    tenant: str = "default",
    skills: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[SleepReport]:
    """Look for new skills, then sleep over every skill that has learned enough since its last night; or only over `skills`.

    `environments` judge the held-out tasks, by the tasks' source. A night that was interrupted is finished first,
    from the phase it had reached. Stops after the skill during which the budget of seconds ran out.
    """
    components.adapters_directory.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    wanted = [pending.skill for pending in components.record.state.find(PendingSleep, tenant=tenant)]
    if not skills:
        found: list[str] = components.guarded("discovery", lambda: discover(components, tenant), [])
        (progress or (lambda *_: None))("discover", len(found), len(found))
    wanted += [skill for skill in (skills or _due(components, tenant)) if skill not in wanted]
    nights: list[SleepReport] = []
    for skill in wanted:
        nights.append(_night(components, environments, tenant, skill, progress or (lambda *_: None)))
        if time.perf_counter() - started > components.settings.sleep.budget_seconds:
            break
    compress(components.record, tenant, components.settings.memory.max_episodes)
    (progress or (lambda *_: None))("refit", 0, 1)
    components.guarded("refit", lambda: components.perceiver(tenant).refit(), None)
    (progress or (lambda *_: None))("refit", 1, 1)
    return nights


def is_held_out(episode: Episode, seed: int, share: float) -> bool:
    """Whether the gate keeps this task to itself; by the task, so that no later run of it is trained on either."""
    return draw(seed, "held-out", short_name(episode.task.environment), episode.task.id) < share


def _due(components: Components, tenant: str) -> list[str]:
    due: list[str] = []
    for skill in components.skills(tenant):
        if components.record.state.new_episodes(tenant, skill) >= components.settings.sleep.min_episodes:
            due.append(skill)
    return due


def _night(components: Components, environments: Mapping[str, Environment], tenant: str, skill: str, progress: Progress) -> SleepReport:
    state = components.record.state.get(PendingSleep, tenant=tenant, skill=skill) or _begin(components, tenant, skill)
    phases: dict[str, float] = {}

    def timed(phase: str, work: Callable[[], Any]) -> Any:
        progress(phase, 0, 1)
        begun = time.perf_counter()
        result = work()
        phases[phase] = time.perf_counter() - begun
        progress(phase, 1, 1)
        return result

    lessons = timed("reflect", lambda: _reflect(components, tenant, skill))
    data = training_data(components, tenant, skill)
    night = SleepReport(
        number=state.number,
        tenant=tenant,
        skill=skill,
        adapter=state.adapter,
        published=False,
        reason="",
        lessons=len(lessons),
        samples=sum(sample.skill == skill for sample in data),
        replayed=sum(sample.skill != skill for sample in data),
        loss=(),
        gate=(),
        phases=phases,
    )
    if night.samples < components.settings.sleep.min_episodes:
        reason = f"{night.samples} training samples of {skill!r}; {components.settings.sleep.min_episodes} are needed"
        return _end(components, replace(night, adapter="", reason=reason))
    adapter, losses = timed("consolidate", lambda: consolidate(components, state.adapter, tenant, skill, data, progress))
    # A night that was interrupted after its decision keeps it: gated again, the candidate would face itself.
    report: GateReport = timed("gate", lambda: adapter.gate or _gate(components, adapter, environments))
    timed("publish", lambda: publish(components, replace(adapter, gate=report)))
    return _end(components, replace(night, published=report.accepted, reason=report.reason, loss=losses, gate=report.skills))


def _begin(components: Components, tenant: str, skill: str) -> PendingSleep:
    record = components.record
    with record.database.transaction():
        pending = PendingSleep(
            tenant=tenant,
            skill=skill,
            number=report_count(record, tenant) + 1,
            adapter=record.adapters.next_name(),
            started=time.time(),
        )
        record.state.put(pending)
    return pending


def _end(components: Components, night: SleepReport) -> SleepReport:
    record = components.record
    with record.database.transaction():
        learned = record.episodes.find(tenant=night.tenant, skill=night.skill, trainable=True)
        record.state.mark_learned([episode.id for episode in learned])
        record.state.put(night)
        record.state.delete(PendingSleep, tenant=night.tenant, skill=night.skill)
    return night


def _reflect(components: Components, tenant: str, skill: str) -> list[Lesson]:
    store = components.record.lessons
    episodes = components.record.episodes.find(tenant=tenant, skill=skill)
    failed = [episode for episode in episodes if episode.outcome.success is False]
    succeeded = [episode for episode in episodes if episode.outcome.verified]
    written = reflect(failed, succeeded, writer=components.writer, author=components.settings.model.reflector_model or "evidence")
    known = {lesson.id for lesson in store.find(tenant=tenant, skill=skill)}
    fresh = [lesson for lesson in written if lesson.id not in known]
    for lesson in fresh:
        store.record(lesson)
    without = float(history_chance(*components.perceiver(tenant).outcome_counts(skill, components.record.adapters.route(tenant, skill))))
    for lesson in store.find(tenant=tenant, skill=skill):
        status = _standing(lesson, without)
        if status is not lesson.status:
            store.set_status([lesson.id], status)
    return fresh


def _standing(lesson: Lesson, without: float) -> LessonStatus:
    """Active once its success rate is credibly above what the skill reaches anyhow, retired once credibly below."""
    if lesson.status is LessonStatus.RETIRED or lesson.helped + lesson.harmed == 0:
        return lesson.status
    _, low, high = posterior(lesson)
    if low > without:
        return LessonStatus.ACTIVE
    return LessonStatus.RETIRED if high < without else lesson.status


def training_data(components: Components, tenant: str, skill: str) -> list[Sample]:
    """The skill's own samples and the replayed ones of all other skills, held-out tasks left out; deterministic."""
    settings, seed = components.settings.sleep, components.settings.seed
    own: list[Sample] = []
    others: list[Sample] = []
    for episode in components.record.episodes.find(tenant=tenant, trainable=True):
        if episode.skill and not is_held_out(episode, seed, settings.held_out):
            (own if episode.skill == skill else others).extend(samples([episode]))
    wanted = round(settings.replay * len(own))
    replayed = sorted(others, key=lambda sample: draw(seed, "replay", sample.episode, sample.answer))[:wanted]
    return own + replayed


def consolidate(
    components: Components, name: str, tenant: str, skill: str, data: Sequence[Sample], progress: Progress
) -> tuple[Adapter, tuple[float, ...]]:
    """Train the candidate, or take it up again where an interrupted night had finished training it."""
    settings = components.settings.sleep
    if known := [adapter for adapter in components.record.adapters.find(tenant=tenant) if adapter.name == name]:
        return known[0], TrainingReport.read(Path(known[0].path)).loss
    directory = components.adapters_directory / name
    recipe = Recipe(
        base=str(components.base_path),
        rank=settings.rank,
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        substitution=settings.substitution,
        seed=components.settings.seed,
        start="" if settings.train_from_base else _latest(components, tenant),
    )
    if not directory.exists():
        train_lora(data, recipe, directory, lambda done, total, _: progress("consolidate", done, total))
    adapter = Adapter(
        name=name,
        path=str(directory),
        base=str(components.base_path),
        rank=settings.rank,
        tenant=tenant,
        target=skill,
        episodes=tuple(dict.fromkeys(sample.episode for sample in data)),
        lessons=tuple(lesson.id for lesson in components.record.lessons.find(tenant=tenant, skill=skill)),
        recipe=asdict(recipe),
    )
    components.record.adapters.record(adapter)
    return adapter, TrainingReport.read(directory).loss


def _latest(components: Components, tenant: str) -> str:
    live = components.record.adapters.find(tenant=tenant, status=AdapterStatus.LIVE)
    return live[-1].path if live else ""


def _gate(components: Components, candidate: Adapter, environments: Mapping[str, Environment]) -> GateReport:
    """Compare candidate and live on the held-out tasks of every skill that has any."""
    settings, tenant = components.settings.sleep, candidate.tenant
    components.publish(candidate.name)
    live: dict[str, list[bool]] = {}
    ours: dict[str, list[bool]] = {}
    for skill in components.skills(tenant):
        held_out = _held_out(components, tenant, skill)
        if held_out:
            ours[skill] = held_out_results(components, held_out, candidate.name, environments)
            live[skill] = held_out_results(
                components, held_out, components.publish(components.record.adapters.route(tenant, skill)), environments
            )
    if not settings.gate:
        rows = tuple(replace(row, serves=True) for row in decide_publication(candidate.target, live, ours, allowed_drop=1).skills)
        return GateReport(accepted=True, target=candidate.target, skills=rows, reason="published without a gate")
    return decide_publication(
        candidate.target,
        live,
        ours,
        allowed_drop=settings.allowed_drop,
        per_skill_routing=settings.per_skill_routing,
        seed=components.settings.seed,
    )


def _held_out(components: Components, tenant: str, skill: str) -> list[Episode]:
    settings, seed = components.settings.sleep, components.settings.seed
    by_task: dict[str, Episode] = {}
    for episode in components.record.episodes.find(tenant=tenant, skill=skill):
        if is_held_out(episode, seed, settings.held_out) and (episode.trainable or episode.demonstration):
            by_task.setdefault(episode.task.id, episode)
    return [by_task[task] for task in sorted(by_task)][: settings.gate_tasks]


def publish(components: Components, adapter: Adapter) -> None:
    """Make the gate's decision true: routes, engine, lessons. A second call changes nothing."""
    assert adapter.gate is not None, "only a gated adapter is published"
    store = components.record.adapters
    if not adapter.gate.accepted:
        store.record(adapter.with_status(AdapterStatus.REJECTED))
        components.retire(adapter.name)
        return
    served = {row.skill for row in adapter.gate.skills if row.serves} | {adapter.target}
    if not components.settings.sleep.per_skill_routing:
        served |= set(components.skills(adapter.tenant))
    before = set(store.routes(adapter.tenant).values())
    store.publish(adapter, sorted(served))
    for name in before - set(store.routes(adapter.tenant).values()):
        components.retire(name)
    carried = components.record.lessons.find(tenant=adapter.tenant, skill=adapter.target)
    components.record.lessons.set_status([lesson.id for lesson in carried if lesson.status is LessonStatus.PROBATION], LessonStatus.RETIRED)
