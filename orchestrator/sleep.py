"""Sleep: discover, reflect, consolidate, gate, publish, compress, refit; resumable at every phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..agents import reflect, samples
from ..core import EXPERT, Adapter, AdapterStatus, Episode, GateReport, Lesson, LessonStatus, SkillGate
from ..envs import Environment
from ..learners import Recipe, Sample, TrainingReport, examine, train_lora
from ..memory import compress, posterior
from ..perception import history_chance
from .components import Parts, draw
from .discover import discover
from .held_out import held_out_results
from .skill_heads import refit

Progress = Callable[[str, int, int], None]
"""Called with (phase, done, in all) through every long phase."""

PENDING = "night/pending"
"""Journal key of a night that has begun and not ended."""


@dataclass(frozen=True, kw_only=True)
class Night:
    """What one night did for one skill, and why."""

    number: int
    """Nights are counted from 1."""
    tenant: str
    """Whose night."""
    skill: str
    """The skill it worked on."""
    adapter: str
    """The candidate's name, empty when there was nothing to train on."""
    published: bool
    """Whether the candidate went live."""
    reason: str
    """Why, or why not, in one sentence."""
    lessons: int
    """Lessons written."""
    samples: int
    """Training samples of the skill itself."""
    replayed: int
    """Training samples of other skills."""
    loss: tuple[float, ...]
    """Mean training loss of each epoch, in nats a token."""
    gate: tuple[SkillGate, ...]
    """The gate's figures."""
    phases: dict[str, float] = field(default_factory=dict, compare=False)
    """Seconds by phase."""


def sleep(
    parts: Parts,
    environments: Mapping[str, Environment],
    *,
    tenant: str = "default",
    skills: Sequence[str] = (),
    progress: Progress | None = None,
) -> list[Night]:
    """Look for new skills, then sleep over every skill that has learned enough since its last night; or only over `skills`.

    `environments` judge the held-out tasks, by the tasks' source. A night that was interrupted is finished first,
    from the phase it had reached. Stops after the skill during which the budget of seconds ran out.
    """
    parts.adapters_directory.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    pending = parts.record.journal.get(PENDING, None)
    wanted = [pending["skill"]] if pending and pending["tenant"] == tenant else []
    if not skills:
        found: list[str] = parts.guarded("discovery", lambda: discover(parts, tenant), [])
        (progress or (lambda *_: None))("discover", len(found), len(found))
    wanted += [skill for skill in (skills or _due(parts, tenant)) if skill not in wanted]
    nights: list[Night] = []
    for skill in wanted:
        nights.append(_night(parts, environments, tenant, skill, progress or (lambda *_: None)))
        if time.perf_counter() - started > parts.settings.sleep.budget_seconds:
            break
    if compress(parts.record, tenant, parts.settings.memory.max_episodes):
        parts.unlearn_caches(tenant)
    (progress or (lambda *_: None))("refit", 0, 1)
    parts.guarded("refit", lambda: refit(parts.record, tenant, parts.skill_head(tenant), parts.head_file(tenant)), None)
    (progress or (lambda *_: None))("refit", 1, 1)
    return nights


def is_held_out(episode: Episode, seed: int, share: float) -> bool:
    """Whether the gate keeps this task to itself; by the task, so that no later run of it is trained on either."""
    return draw(seed, "held-out", episode.task.source, episode.task.id) < share


def _due(parts: Parts, tenant: str) -> list[str]:
    due: list[str] = []
    for skill in parts.skills(tenant):
        trainable = parts.record.episodes.count(tenant=tenant, skill=skill, trainable=True)
        fresh = trainable - int(parts.record.journal.get(f"learned/{tenant}/{skill}", 0))
        if fresh >= parts.settings.sleep.min_episodes:
            due.append(skill)
    return due


def _night(parts: Parts, environments: Mapping[str, Environment], tenant: str, skill: str, progress: Progress) -> Night:
    state: dict[str, Any] = parts.record.journal.get(PENDING, None) or _begin(parts, tenant, skill)
    phases: dict[str, float] = {}

    def timed(phase: str, work: Callable[[], Any]) -> Any:
        progress(phase, 0, 1)
        begun = time.perf_counter()
        result = work()
        phases[phase] = time.perf_counter() - begun
        progress(phase, 1, 1)
        return result

    lessons = timed("reflect", lambda: _reflect(parts, tenant, skill))
    data = training_data(parts, tenant, skill)
    night = Night(
        number=state["number"],
        tenant=tenant,
        skill=skill,
        adapter=state["adapter"],
        published=False,
        reason="",
        lessons=len(lessons),
        samples=sum(sample.skill == skill for sample in data),
        replayed=sum(sample.skill != skill for sample in data),
        loss=(),
        gate=(),
        phases=phases,
    )
    if night.samples < parts.settings.sleep.min_episodes:
        reason = f"{night.samples} training samples of {skill!r}; {parts.settings.sleep.min_episodes} are needed"
        return _end(parts, replace(night, adapter="", reason=reason))
    adapter, losses = timed("consolidate", lambda: consolidate(parts, state["adapter"], tenant, skill, data, progress))
    # A night that was interrupted after its decision keeps it: gated again, the candidate would face itself.
    report: GateReport = timed("gate", lambda: adapter.gate or _gate(parts, adapter, environments))
    timed("publish", lambda: publish(parts, replace(adapter, gate=report)))
    return _end(parts, replace(night, published=report.accepted, reason=report.reason, loss=losses, gate=report.skills))


def _begin(parts: Parts, tenant: str, skill: str) -> dict[str, Any]:
    journal = parts.record.journal
    with parts.record.database.transaction():
        number = int(journal.get("night/count", 0)) + 1
        state = {"number": number, "tenant": tenant, "skill": skill, "adapter": parts.record.adapters.next_name()}
        journal.set(PENDING, state)
    return state


def _end(parts: Parts, night: Night) -> Night:
    journal = parts.record.journal
    with parts.record.database.transaction():
        learned = parts.record.episodes.count(tenant=night.tenant, skill=night.skill, trainable=True)
        journal.set(f"learned/{night.tenant}/{night.skill}", learned)
        journal.set(f"night/{night.number:04d}", asdict(night))
        journal.set("night/count", night.number)
        journal.delete(PENDING)
    return night


def _reflect(parts: Parts, tenant: str, skill: str) -> list[Lesson]:
    store = parts.record.lessons
    episodes = parts.record.episodes.find(tenant=tenant, skill=skill)
    failed = [episode for episode in episodes if episode.outcome.success is False]
    succeeded = [episode for episode in episodes if episode.outcome.verified]
    written = reflect(failed, succeeded, writer=parts.writer, author=parts.settings.model.reflector_model or "evidence")
    known = {lesson.id for lesson in store.find(tenant=tenant, skill=skill)}
    fresh = [lesson for lesson in written if lesson.id not in known]
    for lesson in fresh:
        store.record(lesson)
    without = float(history_chance(*parts.outcome_model(tenant).counts(skill, parts.record.adapters.route(tenant, skill))))
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


def training_data(parts: Parts, tenant: str, skill: str) -> list[Sample]:
    """The skill's own samples and the replayed ones of all other skills, held-out tasks left out; deterministic."""
    settings, seed = parts.settings.sleep, parts.settings.seed
    own: list[Sample] = []
    others: list[Sample] = []
    for episode in parts.record.episodes.find(tenant=tenant, trainable=True):
        if episode.skill and not is_held_out(episode, seed, settings.held_out):
            (own if episode.skill == skill else others).extend(samples([episode]))
    wanted = round(settings.replay * len(own))
    replayed = sorted(others, key=lambda sample: draw(seed, "replay", sample.episode, sample.answer))[:wanted]
    return own + replayed


def consolidate(
    parts: Parts, name: str, tenant: str, skill: str, data: Sequence[Sample], progress: Progress
) -> tuple[Adapter, tuple[float, ...]]:
    """Train the candidate, or take it up again where an interrupted night had finished training it."""
    settings = parts.settings.sleep
    if known := [adapter for adapter in parts.record.adapters.find(tenant=tenant) if adapter.name == name]:
        return known[0], TrainingReport.read(Path(known[0].path)).loss
    directory = parts.adapters_directory / name
    recipe = Recipe(
        base=str(parts.base_path),
        rank=settings.rank,
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        substitution=settings.substitution,
        seed=parts.settings.seed,
        start="" if settings.fresh else _latest(parts, tenant),
    )
    if not directory.exists():
        train_lora(data, recipe, directory, lambda done, total, _: progress("consolidate", done, total))
    adapter = Adapter(
        name=name,
        path=str(directory),
        base=str(parts.base_path),
        rank=settings.rank,
        tenant=tenant,
        target=skill,
        episodes=tuple(dict.fromkeys(sample.episode for sample in data)),
        lessons=tuple(lesson.id for lesson in parts.record.lessons.find(tenant=tenant, skill=skill)),
        recipe=asdict(recipe),
    )
    parts.record.adapters.record(adapter)
    return adapter, TrainingReport.read(directory).loss


def _latest(parts: Parts, tenant: str) -> str:
    live = parts.record.adapters.find(tenant=tenant, status=AdapterStatus.LIVE)
    return live[-1].path if live else ""


def _gate(parts: Parts, candidate: Adapter, environments: Mapping[str, Environment]) -> GateReport:
    """Compare candidate and live on the held-out tasks of every skill that has any."""
    settings, tenant = parts.settings.sleep, candidate.tenant
    parts.publish(candidate.name)
    live: dict[str, list[bool]] = {}
    ours: dict[str, list[bool]] = {}
    for skill in parts.skills(tenant):
        held_out = _held_out(parts, tenant, skill)
        if held_out:
            ours[skill] = held_out_results(parts, held_out, candidate.name, environments)
            live[skill] = held_out_results(parts, held_out, parts.publish(parts.record.adapters.route(tenant, skill)), environments)
    if not settings.gate:
        rows = tuple(replace(row, serves=True) for row in examine(candidate.target, live, ours, allowed_drop=1).skills)
        return GateReport(accepted=True, target=candidate.target, skills=rows, reason="published without a gate")
    return examine(
        candidate.target, live, ours, allowed_drop=settings.allowed_drop, specialise=settings.specialise, seed=parts.settings.seed
    )


def _held_out(parts: Parts, tenant: str, skill: str) -> list[Episode]:
    settings, seed = parts.settings.sleep, parts.settings.seed
    by_task: dict[str, Episode] = {}
    for episode in parts.record.episodes.find(tenant=tenant, skill=skill):
        if is_held_out(episode, seed, settings.held_out) and (episode.trainable or episode.model == EXPERT):
            by_task.setdefault(episode.task.id, episode)
    return [by_task[task] for task in sorted(by_task)][: settings.gate_tasks]


def publish(parts: Parts, adapter: Adapter) -> None:
    """Make the gate's decision true: routes, engine, lessons. A second call changes nothing."""
    assert adapter.gate is not None, "only a gated adapter is published"
    store = parts.record.adapters
    if not adapter.gate.accepted:
        store.record(adapter.with_status(AdapterStatus.REJECTED))
        parts.retire(adapter.name)
        return
    served = {row.skill for row in adapter.gate.skills if row.serves} | {adapter.target}
    if not parts.settings.sleep.specialise:
        served |= set(parts.skills(adapter.tenant))
    before = set(store.routes(adapter.tenant).values())
    store.publish(adapter, sorted(served))
    for name in before - set(store.routes(adapter.tenant).values()):
        parts.retire(name)
    carried = parts.record.lessons.find(tenant=adapter.tenant, skill=adapter.target)
    parts.record.lessons.set_status([lesson.id for lesson in carried if lesson.status is LessonStatus.PROBATION], LessonStatus.RETIRED)
