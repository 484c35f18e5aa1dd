"""The main job: environment after environment wake, sleep, wake on unseen tasks; at the end every environment again."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..core import Action, Episode, Step, demonstration_id
from ..core.errors import DemonstrationFailed
from ..core.versions import short_name
from ..envs import Block, Environment, Item, Stream
from ..memory import memory_effect
from ..metrics.provenance import machine, package_versions, source_version
from ..orchestrator import EvaluationRow, LifelongLearner, Progress, RunSeconds, SleepReport, erasure_lock, unlabelled
from .summary import summarise_metrics

log = logging.getLogger("lifelong")

BATCH = 16
"""Tasks that run side by side. A batch is recorded whole or not at all, so a resumed run repeats whole batches."""

FAILED_DEMONSTRATIONS = 5
"""Tasks of a block on which the expert may fail before it is asked no more."""

EXAMPLES = 4
"""Unseen tasks of each environment whose answers the report shows."""

CITED = 100
"""Most episodes that are quoted as the evidence of lessons."""

LONGEST = 600
"""Characters of a task or an answer in the report; what is longer is cut off with a mark."""


@dataclass(frozen=True, kw_only=True)
class RunEnvironment:
    """One environment of the stream and how many of its tasks are used."""

    environment: Environment
    """Where its tasks come from."""
    train: int
    """Tasks of the stream, in their order; these may be learned from and corrected."""
    test: int
    """Unseen tasks that are only ever scored."""
    practice: int = 0
    """Further tasks of the stream after the night, without corrections: here help is measured against harm."""

    @property
    def name(self) -> str:
        """The environment's name without its version: the skill of its tasks."""
        return short_name(self.environment.id)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """What a run does with its environments."""

    environments: tuple[RunEnvironment, ...]
    """In their order."""
    corrections: int
    """How many failed tasks of each environment the expert may answer; 0: learn from verified successes alone."""
    sleep: str = "after_each"
    """`after_each` environment, `at_end` over all of them at once, or `never`."""
    evaluate: str = "all"
    """`all` environments after every night, only those `seen` so far and, at the start, all, or only at the `start`."""

    def stream(self, seed: int) -> Stream:
        """Two blocks an environment: 2 i before the night of environment i, and 2 i + 1 after it."""
        blocks: list[Block] = []
        for member in self.environments:
            blocks += [
                Block(environment=member.environment.id, count=member.train),
                Block(environment=member.environment.id, count=member.practice, start=member.train),
            ]
        return Stream({member.environment.id: member.environment for member in self.environments}, blocks, seed=seed)


def run_stream(
    learner: LifelongLearner,
    schedule: Schedule,
    *,
    method: str = "lifelong",
    untrained: Sequence[dict[str, Any]] = (),
    progress: Progress | None = None,
    write: Callable[[dict[str, Any]], None] = lambda summary: None,
) -> dict[str, Any]:
    """Run the schedule to its end and return the summary that reports and benchmarks are made of.

    `write` keeps the summary; an erasure that begins meanwhile waits for it, so that it finds the files that quote the erased.

    Everything it does is recorded under names that depend on the schedule alone, so running it again on the same home
    goes on where it stopped. `untrained` are rows of `evaluations` at night 0 from a run of the same model, tasks and
    seed; an untrained agent need not be measured twice. Raises whatever the learner raises; nothing acknowledged is lost then.
    """
    show = progress or (lambda *_: None)
    started = time.perf_counter()
    for member in schedule.environments:
        learner.environments[member.environment.id] = member.environment
    for row in untrained:
        first = EvaluationRow(skill=row["environment"], night=0, tasks=row["tasks"], tokens=row["tokens"], each=tuple(row["each"]))
        learner.record.state.put(first)
    learner.resume()
    stream = schedule.stream(learner.settings.seed)
    _evaluate(learner, schedule, 0, len(schedule.environments), show)
    nights: list[dict[str, Any]] = []
    for place, member in enumerate(schedule.environments):
        _wake(learner, stream.block(2 * place), schedule.corrections, show)
        if schedule.sleep == "after_each" or (schedule.sleep == "at_end" and member is schedule.environments[-1]):
            # Counted as the evaluations are: the one night of a schedule that sleeps at the end comes after all environments.
            nights.append({**_sleep(learner, member.name, len(nights) + 1, show), "night": place + 1})
            _wake(learner, stream.block(2 * place + 1), 0, show)
        last = place + 1 == len(schedule.environments)
        if schedule.evaluate != "start" and (schedule.sleep == "after_each" or last):
            _evaluate(learner, schedule, place + 1, len(schedule.environments) if last else place + 1, show)
    with erasure_lock(learner.settings.home, wait=True):
        summary = _summary(learner, schedule, stream, method, nights, time.perf_counter() - started)
        write(summary)
    return summary


def _wake(learner: LifelongLearner, items: Sequence[Item], corrections: int, show: Progress) -> None:
    """Handle one block, batch after batch; the expert corrects the first `corrections` failures.

    An expert that fails costs no run: after `FAILED_DEMONSTRATIONS` it is asked no more in this block, and the first failure is logged.
    """
    if not items:
        return
    environment = items[0].environment
    what = f"{short_name(environment.id)}: awake{' again' if items[0].block % 2 else ''}"
    failed: list[DemonstrationFailed] = []
    for start in range(0, len(items), BATCH):
        show(what, start, len(items))
        batch = items[start : start + BATCH]
        for episode in learner.wake_many([item.task for item in batch], environment, ids=[_id(item) for item in batch]):
            if not episode.outcome.success and corrections > 0 and len(failed) < FAILED_DEMONSTRATIONS:
                try:
                    learner.correct(episode, environment)
                    corrections -= 1
                except DemonstrationFailed as error:
                    failed.append(error)
    if failed:
        log.warning("no correction for %d tasks, as the expert failed; the first: %s", len(failed), failed[0])
    show(what, len(items), len(items))


def _id(item: Item) -> str:
    return f"stream-{item.position:05d}"


def _sleep(learner: LifelongLearner, environment: str, number: int, show: Progress) -> dict[str, Any]:
    """Sleep over an environment, or read the report of the night that was slept over it before."""
    if _report(learner, number) is None:
        learner.sleep(skills=[environment], progress=lambda phase, done, total: show(f"{environment}: {phase}", done, total))
    report = _report(learner, number)
    assert report is not None, "a night that ended has its report"
    published = report.adapter if report.published else ""
    return {**asdict(report), "environment": environment, "published": published, "seconds": sum(report.phases.values())}


def _report(learner: LifelongLearner, number: int) -> SleepReport | None:
    return next((report for report in learner.record.state.find(SleepReport, tenant="default") if report.number == number), None)


def _evaluate(learner: LifelongLearner, schedule: Schedule, night: int, seen: int, show: Progress) -> None:
    for member in schedule.environments if schedule.evaluate == "all" else schedule.environments[:seen]:
        if any(row.night == night for row in learner.record.state.find(EvaluationRow, tenant="default", skill=member.name)):
            continue
        tasks = unlabelled(member.environment.tasks("test", member.test, seed=learner.settings.seed))
        successes, answers, tokens = [], [], 0
        label = f"{member.name}: unseen tasks {f'after night {night}' if night else 'before the first night'}"
        for start in range(0, len(tasks), BATCH):
            show(label, start, len(tasks))
            runs = learner.evaluate(tasks[start : start + BATCH], member.environment)
            successes += [run.outcome.success is True for run in runs]
            answers += [_answer(run.steps) for run in runs]
            tokens += sum(run.usage.tokens for run in runs)
        show(label, len(tasks), len(tasks))
        row = EvaluationRow(
            skill=member.name, night=night, tasks=len(tasks), tokens=tokens, each=tuple(successes), answers=tuple(answers[:EXAMPLES])
        )
        learner.record.state.put(row)


def _summary(
    learner: LifelongLearner, schedule: Schedule, stream: Stream, method: str, nights: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    state, names = learner.record.state, [member.name for member in schedule.environments]
    rows_of_names = [row for row in state.find(EvaluationRow, tenant="default") if row.skill in names]
    measured = sorted(rows_of_names, key=lambda row: (row.night, names.index(row.skill)))
    spent = (state.get(RunSeconds, tenant="default") or RunSeconds()).seconds + seconds
    state.put(RunSeconds(seconds=spent))
    rows, used = _stream_rows(learner, stream)
    helped = memory_effect(learner.record, "default")
    lessons = [asdict(lesson) for lesson in learner.record.lessons.find(tenant="default")]
    summary: dict[str, Any] = {
        "method": method,
        "seed": learner.settings.seed,
        "commit": source_version(),
        "versions": package_versions(),
        "machine": machine(),
        "settings": learner.settings.as_dict(),
        "environments": names,
        "stream": rows,
        "evaluations": [_evaluation(row) for row in measured],
        "nights": nights,
        "memory_effect": {
            "treated": [helped.treated_successes, helped.treated_total],
            "control": [helped.control_successes, helped.control_total],
            "difference": helped.difference,
            "ci95": list(helped.ci95),
        },
        "examples": _examples(schedule, measured, learner.settings.seed),
        "lessons": lessons,
        "episodes": _cited(learner, lessons),
        "corrections": {"budget": schedule.corrections * len(names), "used": used},
        "seconds": spent,
    }
    return {**summary, "metrics": summarise_metrics(summary)}


def _evaluation(row: EvaluationRow) -> dict[str, Any]:
    return {
        "night": row.night,
        "environment": row.skill,
        "successes": sum(row.each),
        "tasks": row.tasks,
        "tokens": row.tokens,
        "each": list(row.each),
    }


def _answer(steps: Sequence[Step]) -> str:
    """What the agent did in a run, an action a line."""
    return _shorten("\n".join(step.reply for step in steps if isinstance(step, Action)))


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _examples(schedule: Schedule, measured: Sequence[EvaluationRow], seed: int) -> list[dict[str, Any]]:
    """A few unseen tasks of each environment with what the agent did in them at the first and at the last evaluation."""
    examples = []
    for member in schedule.environments:
        rows = [row for row in measured if row.skill == member.name and row.answers]
        if not rows:
            continue
        for place, task in enumerate(member.environment.tasks("test", member.test, seed=seed)[: len(rows[0].answers)]):
            answers = [
                {"night": row.night, "text": row.answers[place], "success": row.each[place]} for row in dict.fromkeys((rows[0], rows[-1]))
            ]
            examples.append({"environment": member.name, "task": _shorten(task.goal), "answers": answers})
    return examples


def _cited(learner: LifelongLearner, lessons: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The episodes that lessons cite, in words, so that a reader of the report can check a lesson against them."""
    ids = list(dict.fromkeys(id_ for lesson in lessons for id_ in lesson["episodes"]))[:CITED]
    return [
        {
            "id": episode.id,
            "task": _shorten(episode.task.goal),
            "answer": _answer(episode.steps),
            "success": episode.outcome.success,
            "reason": _shorten(episode.outcome.reason),
        }
        for episode in learner.record.episodes.get_many(ids, tenant="default")
    ]


def _stream_rows(learner: LifelongLearner, stream: Stream) -> tuple[list[dict[str, Any]], int]:
    items = {_id(item): item for item in stream}
    handled = learner.record.episodes.get_many(list(items), tenant="default")
    corrected = {e.id for e in learner.record.episodes.get_many([demonstration_id(id_) for id_ in items], tenant="default")}
    rows = [_stream_row(episode, items[episode.id], demonstration_id(episode.id) in corrected) for episode in handled]
    return rows, len(corrected)


def _stream_row(episode: Episode, item: Item, corrected: bool) -> dict[str, Any]:
    return {
        "position": item.position,
        "environment": short_name(item.environment.id),
        "night": (item.block + 1) // 2,
        "success": episode.outcome.success is True,
        "control": episode.control,
        "known": episode.verdict.known if episode.verdict else None,
        "chance": episode.verdict.success_chance if episode.verdict and episode.verdict.known and not episode.control else None,
        "answer_chance": None if episode.control else episode.answer_chance,
        "corrected": corrected,
        "tokens": episode.usage.tokens,
    }
