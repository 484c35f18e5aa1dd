"""Gate: the candidate against the live policy on held-out tasks of every skill."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ...agents.consolidation.attempts import Group, deeds
from ...agents.consolidation.diagnosis import diagnosis
from ...core import Adapter, Episode, GateReport
from ...learners import Sample, decide_publication, passes
from ...memory import discard_artefact
from ..held_out import HeldOut, HeldOutResult, Key, choose, held_out_results, key, results_of_unrecorded
from .consolidate import recipe_for, trained, training_data
from .contrast import gathered
from .phase import NightContext, OutOfTime, Scope, Work


class Gate:
    """Judge the candidate on tasks that were chosen before they were run, failures included."""

    name = "gate"
    scope = Scope.SKILL

    def due(self, night: NightContext, work: Work) -> bool:
        return not work.ended and work.gate is None

    def run(self, night: NightContext, work: Work) -> Work:
        assert work.candidate is not None, "a phase runs only where it is due"
        assert work.held_out is not None, "a phase runs only where it is due"
        components, settings, candidate = night.components, night.components.settings.sleep, work.candidate
        components.publish(candidate.name)
        live: dict[str, list[HeldOutResult]] = {}
        ours: dict[str, list[HeldOutResult]] = {}
        for skill in components.skills(night.tenant):
            _check(night)
            held_out = work.held_out if skill == work.skill else HeldOut(episodes=_others(night, skill))
            if not held_out.episodes:
                continue
            if held_out.folds:
                ours[skill] = _in_turn(night, work, held_out, self.name)
            else:
                ours[skill] = held_out_results(components, held_out.episodes, candidate.name, night.environments)
            serving = components.publish(components.record.adapters.route(night.tenant, skill))
            live[skill] = held_out_results(components, held_out.episodes, serving, night.environments)
        before = {skill: [one.success for one in results] for skill, results in live.items()}
        after = {skill: [one.success for one in consistent(live[skill], results)] for skill, results in ours.items()}
        if not settings.gate:
            rows = tuple(replace(row, serves=True) for row in decide_publication(work.skill, before, after, allowed_drop=1).skills)
            report = GateReport(accepted=True, target=work.skill, skills=rows, reason="published without a gate")
        else:
            report = decide_publication(
                work.skill,
                before,
                after,
                allowed_drop=settings.allowed_drop,
                per_skill_routing=settings.per_skill_routing,
                min_tasks=settings.min_held_out,
            )
        if not report.accepted and (why := _diagnosis(work.held_out, live.get(work.skill, []), ours.get(work.skill, []))):
            report = replace(report, reason=f"{report.reason}; {why}")
        return replace(work, gate=report, candidate=replace(candidate, gate=report))


def consistent(live: Sequence[HeldOutResult], ours: Sequence[HeldOutResult]) -> list[HeldOutResult]:
    """The candidate's results, paired with those of the live policy, where both did the same without a difference of verdicts.

    Two policies that do the same are equally good; an environment that says otherwise judges by chance. What is left of its chance falls
    on both alike, so that the gate's interval holds.
    """
    pairs = zip(live, ours, strict=True)
    return [
        replace(one, success=other.success) if other.run and one.run and deeds(other.run) == deeds(one.run) else one for other, one in pairs
    ]


def _diagnosis(held_out: HeldOut, live: Sequence[HeldOutResult], ours: Sequence[HeldOutResult]) -> str:
    """Why no gain can show, from what both policies did and how that was judged."""
    pairs = zip(held_out.episodes, live, ours, strict=True)
    groups = [Group(task=one.task.id, runs=tuple(result.run for result in results if result.run)) for one, *results in pairs]
    return diagnosis([group for group in groups if group.runs])


def _others(night: NightContext, skill: str) -> tuple[Episode, ...]:
    return tuple(choose(night.components, night.environments, night.tenant, skill))


def _in_turn(night: NightContext, work: Work, held_out: HeldOut, phase: str) -> list[HeldOutResult]:
    """Success on each task with an adapter that was trained as the candidate was, without this task and those of its part.

    As the candidate was: as many passes over each sample, and not as many steps, which for fewer samples would be more passes. An
    adapter that learned from fewer tasks does no better on unseen ones than the candidate will, so that judging by it costs the
    candidate some of its gain and never lends it any, however few the parts are (Geisser 1975,
    https://doi.org/10.1080/01621459.1975.10479865).
    """
    results: dict[str, HeldOutResult] = {}
    neutral = [sample for sample in work.data if not sample.episode]
    whole = recipe_for(night, work.data, work.skill)
    for number in sorted(set(held_out.folds)):
        _check(night)
        part = held_out.fold(number)
        without = {key(episode) for episode in part}
        data = [*training_data(night, work.skill, held_out, without=without), *_practice(night, work, without), *neutral]
        recipe = replace(whole, epochs=passes(whole, len(work.data)), min_steps=0)
        name = f"{work.adapter}-fold{number}"
        directory, _ = trained(night, name, data, recipe, phase, gathered(night, work.skill, held_out, without))
        adapter = Adapter(name=name, path=str(directory), base=recipe.base, rank=recipe.rank, tenant=night.tenant, target=work.skill)
        judged = results_of_unrecorded(night.components, part, adapter, night.environments)
        results |= {episode.id: result for episode, result in zip(part, judged, strict=True)}
    for number in set(held_out.folds):
        discard_artefact(night.components.adapters_directory / f"{work.adapter}-fold{number}")
    return [results[episode.id] for episode in held_out.episodes]


def _practice(night: NightContext, work: Work, without: Collection[Key]) -> list[Sample]:
    """The night's exercises but for those made from the tasks of one part."""
    ids = sorted({sample.episode for sample in work.practice})
    kept = {one.id for one in night.components.record.episodes.get_many(ids, tenant=night.tenant) if key(one) not in without}
    return [sample for sample in work.practice if sample.episode in kept]


def _check(night: NightContext) -> None:
    night.check()
    if night.out_of_time:
        raise OutOfTime
