"""The gate decides whether a candidate adapter may serve, and for which skills.

The rule is this project's own; its interval is `numerics.rate_difference_ci95`, which names its paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...core import GateReport, SkillGate
from ...numerics.intervals import paired_gain_ci95


def decide_publication(
    target: str,
    live: Mapping[str, Sequence[bool]],
    candidate: Mapping[str, Sequence[bool]],
    *,
    allowed_drop: float,
    per_skill_routing: bool = True,
    min_tasks: int = 1,
) -> GateReport:
    """Compare success on the same held-out tasks, skill by skill, and decide.

    `live` and `candidate` hold one list of successes a skill, paired by position. The candidate is accepted only if the
    target has at least `min_tasks` tasks and its gain an exact 95 % interval above zero. It then serves the target and, of
    the old skills, those that gain or hold: where it loses none of at least `min_tasks` tasks that the live policy solves, or
    the lower end of the interval stays above minus `allowed_drop` (which few tasks alone cannot prove). The other skills keep
    what they have; with `per_skill_routing=False`, where one adapter must serve all, such a skill refuses the candidate.
    """
    rows = [_row(skill, live[skill], candidate[skill]) for skill in sorted(live)]
    aim = next((row for row in rows if row.skill == target), None)
    if aim is None or aim.tasks < max(1, min_tasks):
        reason = f"{aim.tasks if aim else 0} held-out tasks of {target!r}; {max(1, min_tasks)} are needed"
        return GateReport(accepted=False, target=target, skills=tuple(rows), reason=reason)
    if aim.gain_ci95[0] <= 0:
        reason = f"{target}: {aim.live:.0%} -> {aim.candidate:.0%} is no proven gain (95 % interval {_interval(aim)})"
        return GateReport(accepted=False, target=target, skills=tuple(rows), reason=reason)
    kept_all = {skill for skill in live if len(live[skill]) >= max(1, min_tasks) and not _losses(live[skill], candidate[skill])}
    holds = {row.skill for row in rows if row.skill == target or row.skill in kept_all or row.gain_ci95[0] > -allowed_drop}
    falls = [row.skill for row in rows if row.skill not in holds]
    if falls and not per_skill_routing:
        reason = f"{', '.join(falls)} may fall by more than {allowed_drop:.0%}"
        return GateReport(accepted=False, target=target, skills=tuple(rows), reason=reason)
    served = tuple(SkillGate(**{**vars(row), "serves": row.skill in holds}) for row in rows)
    kept = f"; {', '.join(falls)} keep what they have" if falls else ""
    reason = f"{target}: {aim.live:.0%} -> {aim.candidate:.0%} (95 % interval of the gain {_interval(aim)}){kept}"
    return GateReport(accepted=True, target=target, skills=served, reason=reason)


def _row(skill: str, live: Sequence[bool], candidate: Sequence[bool]) -> SkillGate:
    if len(live) != len(candidate):
        raise ValueError(f"{skill}: {len(live)} live results against {len(candidate)} of the candidate; they must be paired")
    if not live:
        return SkillGate(skill=skill, tasks=0, live=0.0, candidate=0.0, gain_ci95=(0.0, 0.0))
    return SkillGate(
        skill=skill,
        tasks=len(live),
        live=sum(live) / len(live),
        candidate=sum(candidate) / len(candidate),
        gain_ci95=paired_gain_ci95(
            sum(new and not old for old, new in zip(live, candidate, strict=True)),
            _losses(live, candidate),
            len(live),
        ),
    )


def _losses(live: Sequence[bool], candidate: Sequence[bool]) -> int:
    return sum(old and not new for old, new in zip(live, candidate, strict=True))


def _interval(row: SkillGate) -> str:
    low, high = row.gain_ci95
    return f"{low:+.0%} to {high:+.0%}"
