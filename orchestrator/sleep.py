"""Sleep: the phases of `phases.PHASES` one after another, resumable at each; a failure in one skill's night ends that one alone."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import dropwhile, takewhile

from ..agents.consolidation.practice import practice_source
from ..agents.strategies.navigate import NAVIGATOR_MODEL
from ..core import AdapterStatus
from ..envs import Environment, find_environment
from .components import Components
from .night_lock import night_lock
from .phases import PHASES, NightContext, NightStopped, OutOfTime, Phase, Progress, Scope, Work
from .run_state import NightState, PendingSleep, SleepReport, report_count

_DIRECTORY = re.compile(r"\.?(lifelong-v\d+)(-fold\d+)?(-first)?(\.partial)?")


def sleep(
    components: Components,
    environments: Mapping[str, Environment],
    *,
    tenant: str = "default",
    skills: Sequence[str] = (),
    progress: Progress | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> list[SleepReport]:
    """Look for new skills, then sleep over every skill that has learned enough since its last night; or only over `skills`.

    `environments` judge the held-out tasks, by the tasks' environment. Skills whose night was interrupted come first and go on
    from the phase they had reached. Stops after the skill during which the budget of seconds ran out. Waits while another night
    runs on the same home. Raises `NightStopped` once `stopping` says so; what is pending then goes on the next time.
    """
    night = NightContext(
        components=components,
        environments=environments,
        tenant=tenant,
        every_skill=not skills,
        progress=progress or (lambda *_: None),
        stopping=stopping,
    )
    with night_lock(components.settings.home, tenant, night.check):
        components.adapters_directory.mkdir(parents=True, exist_ok=True)
        _sweep(components)
        night = replace(night, deadline=time.monotonic() + components.settings.sleep.budget_seconds)
        before = list(takewhile(lambda phase: phase.scope is Scope.TENANT, PHASES))
        rest = list(dropwhile(lambda phase: phase.scope is Scope.TENANT, PHASES))
        _run(night, before, Work())
        pending = [one.skill for one in components.record.state.find(PendingSleep, tenant=tenant)]
        reports: list[SleepReport] = []
        for skill in dict.fromkeys([*pending, *(skills or due_skills(components, tenant, environments))]):
            reports.append(_night(night, skill, [phase for phase in rest if phase.scope is Scope.SKILL]))
            if night.out_of_time:
                break
        _run(night, [phase for phase in rest if phase.scope is Scope.TENANT], Work())
    return reports


def due_skills(components: Components, tenant: str, environments: Mapping[str, Environment] | None = None) -> list[str]:
    """Skills with enough trainable episodes that no finished night has learned from, or enough failed ones that it can practise on."""
    new, least = components.record.state.new_episodes, components.settings.sleep.min_episodes
    return [
        skill
        for skill in components.skills(tenant)
        if (
            new(tenant, skill) >= least
            or (_can_practise(components, tenant, skill, environments or {}) and new(tenant, skill, failed=True) >= least)
        )
        and not _is_navigated(components, tenant, skill)
    ]


def _is_navigated(components: Components, tenant: str, skill: str) -> bool:
    """Whether a navigator acts in the skill's tasks: it has nights of its own, and a language model gains nothing from them."""
    newest = components.record.episodes.find(tenant=tenant, skill=skill, newest_first=True, limit=1)
    return bool(newest) and newest[0].model == NAVIGATOR_MODEL


def _can_practise(components: Components, tenant: str, skill: str, environments: Mapping[str, Environment]) -> bool:
    if components.settings.sleep.practice == "never":
        return False
    newest = components.record.episodes.find(tenant=tenant, skill=skill, newest_first=True, limit=1)
    judge = find_environment(environments, newest[0].task.environment) if newest else None
    # Failed chats alone prove no gain, so that a night over them could publish nothing.
    return judge is not None and practice_source(judge, [newest[0].task]) is not None


def _run(night: NightContext, phases: Sequence[Phase], work: Work, seconds: dict[str, float] | None = None) -> Work:
    for phase in phases:
        night.check()
        if phase.due(night, work):
            night.progress(phase.name, 0, 1)
            begun = time.perf_counter()
            work = phase.run(night, work)
            if seconds is not None:
                seconds[phase.name] = time.perf_counter() - begun
            night.progress(phase.name, 1, 1)
    return work


def _night(night: NightContext, skill: str, phases: Sequence[Phase]) -> SleepReport:
    """One skill's night; whatever goes wrong in it ends in its report, and the other skills' nights go on."""
    pending = night.components.record.state.get(PendingSleep, tenant=night.tenant, skill=skill) or _begin(night, skill)
    work, seconds = Work(skill=skill, adapter=pending.adapter), dict[str, float]()
    try:
        for phase in phases:
            work = _run(night, [phase], work, seconds)
    except NightStopped:
        raise
    except OutOfTime:
        reason = f"the budget of {night.components.settings.sleep.budget_seconds:.0f} s was spent before the gate had judged"
        return _report(night, pending, work.end(NightState.FAILED, f"{reason}; the next night goes on from there"), seconds)
    except Exception as error:
        # An engine or a record that is being closed fails in any way it likes; that is no failure of the night.
        night.check()
        night.components.note_fault("sleep", error)
        work = work.end(NightState.FAILED, f"{type(error).__name__}: {error}")
        _discard(night, skill)
    return _end(night, pending, work, seconds)


def _begin(night: NightContext, skill: str) -> PendingSleep:
    record = night.components.record
    with record.transaction():
        pending = PendingSleep(
            tenant=night.tenant,
            skill=skill,
            number=report_count(record, night.tenant) + 1,
            adapter=record.adapters.next_name(),
            started=time.time(),
        )
        record.state.put(pending)
    return pending


def _end(night: NightContext, pending: PendingSleep, work: Work, seconds: dict[str, float]) -> SleepReport:
    """Write the report; only a night that decided has used its episodes up."""
    record, report = night.components.record, _report(night, pending, work, seconds)
    with record.transaction():
        if work.state in (NightState.PUBLISHED, NightState.REJECTED):
            record.state.mark_learned(list(work.seen))
        record.state.put(report)
        record.state.delete(PendingSleep, tenant=night.tenant, skill=work.skill)
    return report


def _report(night: NightContext, pending: PendingSleep, work: Work, seconds: dict[str, float]) -> SleepReport:
    return SleepReport(
        tenant=night.tenant,
        skill=work.skill,
        number=pending.number,
        adapter=work.candidate.name if work.candidate else "",
        published=work.state is NightState.PUBLISHED,
        reason=work.reason,
        lessons=work.lessons,
        samples=sum(sample.skill == work.skill and not sample.practice for sample in work.data),
        practised=sum(sample.practice for sample in work.data),
        plan=work.plan.reason if work.plan else "",
        replayed=sum(sample.skill not in (work.skill, "") for sample in work.data),
        loss=work.loss,
        gate=work.gate.skills if work.gate else (),
        phases=seconds,
        state=work.state,
        started=pending.started,
        ended=time.time(),
    )


def _sweep(components: Components) -> None:
    """Delete the directories of nights that no longer exist; the lock is held, so that none of them is being written."""
    known = {adapter.name for adapter in components.record.adapters.find()}
    known |= {pending.adapter for pending in components.record.state.find(PendingSleep)}
    for directory in components.adapters_directory.iterdir():
        mark = _DIRECTORY.fullmatch(directory.name)
        half_deleted = directory.name.startswith(".erased-") and directory.name.endswith(".partial")
        if directory.is_dir() and (half_deleted or (mark and mark[1] not in known)):
            shutil.rmtree(directory, ignore_errors=True)


def _discard(night: NightContext, skill: str) -> None:
    """Take back what a failed night trained: a recorded candidate is rejected, a directory without a record is deleted."""
    components, pending = night.components, night.components.record.state.get(PendingSleep, tenant=night.tenant, skill=skill)
    known = [adapter for adapter in components.record.adapters.find(tenant=night.tenant) if pending and adapter.name == pending.adapter]
    if pending and not known:
        shutil.rmtree(components.adapters_directory / pending.adapter, ignore_errors=True)
    for adapter in known:
        if adapter.status is AdapterStatus.CANDIDATE:
            components.guarded("sleep", partial(components.record.adapters.record, adapter.with_status(AdapterStatus.REJECTED)), None)
            components.guarded("sleep", partial(components.retire, adapter.name), None)
