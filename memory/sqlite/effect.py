"""Does memory help? Success with it against success in the control arm, with an interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core import Lesson
from ...numerics.clustered import Clusters, clustered_mean, clustered_rate_difference_ci95, mean_difference_ci95
from ...numerics.intervals import rate_difference_ci95

if TYPE_CHECKING:
    from .record import Record


@dataclass(frozen=True, kw_only=True)
class MemoryEffect:
    """Help against harm: tasks that ran with memory and adapter, against the control arm from which both were withheld."""

    treated_successes: int
    """Tasks solved with memory."""
    treated_total: int
    """Tasks judged with memory."""
    control_successes: int
    """Tasks solved in the control arm."""
    control_total: int
    """Tasks judged in the control arm."""

    @property
    def difference(self) -> float | None:
        """Success rate with memory minus without, in [-1, 1]; positive means that it helps; None while an arm is empty."""
        if not self.treated_total or not self.control_total:
            return None
        return self.treated_successes / self.treated_total - self.control_successes / self.control_total

    @property
    def ci95(self) -> tuple[float, float]:
        """95 % interval of the difference (Newcombe 1998, method 10); an empty arm may hold any rate."""
        return rate_difference_ci95(self.treated_successes, self.treated_total, self.control_successes, self.control_total)


def memory_effect(record: Record, tenant: str, skill: str | None = None) -> MemoryEffect:
    """Count a tenant's episodes (of one skill, where named) that the environment or a user judged; looks at no episode.

    Only those for which help was there: the arms then differ by nothing but a coin's fall.
    """
    sql = (
        "SELECT coalesce(sum(iif(success = 1, episodes, 0)), 0), coalesce(sum(episodes), 0) FROM tallies "
        "WHERE tenant = ?1 AND (?2 IS NULL OR skill = ?2) AND control = ?3 AND comparable = 1 AND success >= 0"
    )
    (treated,), (control,) = record._database.rows(sql, (tenant, skill, False)), record._database.rows(sql, (tenant, skill, True))
    return MemoryEffect(treated_successes=treated[0], treated_total=treated[1], control_successes=control[0], control_total=control[1])


@dataclass(frozen=True, kw_only=True)
class ArmDifference:
    """Treated runs against those of another arm by one measure. Sessions were drawn, so the interval is over sessions."""

    measure: str
    """`success` (a rate), `tokens` or `seconds` (means of one run)."""
    arm: str
    """`control` or `placebo`."""
    treated: float
    """Mean of the treated arm."""
    other: float
    """Mean of the other."""
    episodes: tuple[int, int]
    """Runs in both."""
    sessions: tuple[int, int]
    """Sessions in both; a run without a session is one of its own."""
    ci95: tuple[float, float] | None
    """95 % interval of the difference; None where one of the arms has fewer than two sessions to estimate a mean from."""

    @property
    def difference(self) -> float:
        """Treated minus the other. Positive helps for success; negative saves for tokens and seconds."""
        return self.treated - self.other

    @property
    def harmful(self) -> bool:
        """Whether fewer tasks succeed with it, credibly: the whole interval lies below zero."""
        return self.measure == "success" and self.ci95 is not None and self.ci95[1] < 0


ARMS = {1: "control", 2: "placebo"}
"""Arms beside the treated one (0), by the number in the record."""
MEASURES = ("success", "tokens", "seconds")
NEWEST = 20_000
"""Newest comparable runs that are looked at."""


def arm_differences(
    record: Record, tenant: str, *, skill: str | None = None, lesson: str = "", since: int = 0
) -> tuple[ArmDifference, ...]:
    """What memory and adapters do for a tenant, a skill of it, or by one lesson: each measure against each other arm that has runs.

    Only runs that were judged by somebody trusted and for which help was there. Of a lesson: treated runs that it was shown in, against
    runs of its skill from the first such run on. Only rows past number `since`. Reads no body.
    """
    return _differences(_units(record, tenant, skill, lesson, since))


def differences_by_skill(record: Record, tenant: str) -> dict[str, tuple[ArmDifference, ...]]:
    """`arm_differences` of every skill that has runs in two arms; in one pass over the rows."""
    units: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for unit in _units(record, tenant, None, "", 0):
        units[unit[0]].append(unit)
    return {skill: found for skill in sorted(units) if (found := _differences(units[skill]))}


def _units(record: Record, tenant: str, skill: str | None, lesson: str, since: int) -> list[tuple[Any, ...]]:
    """Skill, arm, session, and of each measure count and sum, of every session's runs of a skill."""
    first = "SELECT coalesce(min(sequence), 9e18) FROM episodes JOIN shown ON shown.episode = id WHERE cited = ?3"
    return record._database.rows(
        "SELECT skill, control, unit, count(*), sum(success), count(tokens), sum(tokens), count(seconds), sum(seconds) FROM ("
        "SELECT skill, control, coalesce(nullif(session, ''), id) AS unit, success, tokens, seconds FROM episodes "
        "WHERE tenant = ?1 AND offered AND trusted AND success IS NOT NULL AND (?2 IS NULL OR skill = ?2) AND sequence > ?4 "
        f"AND (?3 = '' OR iif(control, sequence >= ({first}), EXISTS (SELECT 1 FROM shown WHERE cited = ?3 AND episode = id))) "
        f"ORDER BY sequence DESC LIMIT {NEWEST}) GROUP BY skill, control, unit",
        (tenant, skill, lesson, since),
    )


def _differences(units: Iterable[tuple[Any, ...]]) -> tuple[ArmDifference, ...]:
    sums: dict[tuple[int, str, str], tuple[float, int]] = {}
    for _, arm, session, *figures in units:
        for measure, count, total in zip(MEASURES, figures[::2], figures[1::2], strict=True):
            if count:
                # A session may hold runs of several skills; it is one cluster all the same.
                before = sums.get((arm, measure, session), (0.0, 0))
                sums[arm, measure, session] = (before[0] + total, before[1] + count)
    found: dict[tuple[int, str], list[tuple[float, int]]] = defaultdict(list)
    for (arm, measure, _), cluster in sums.items():
        found[arm, measure].append(cluster)
    return tuple(
        _difference(ARMS[arm], measure, treated, other)
        for arm in ARMS
        for measure in MEASURES
        if (treated := found[0, measure]) and (other := found[arm, measure])
    )


def _difference(arm: str, measure: str, treated: Clusters, other: Clusters) -> ArmDifference:
    interval = clustered_rate_difference_ci95 if measure == "success" else mean_difference_ci95
    return ArmDifference(
        measure=measure,
        arm=arm,
        treated=clustered_mean(treated),
        other=clustered_mean(other),
        episodes=(sum(count for _, count in treated), sum(count for _, count in other)),
        sessions=(len(treated), len(other)),
        ci95=interval(treated, other),
    )


def posterior(lesson: Lesson) -> tuple[float, float, float]:
    """Probability that a task succeeds with this lesson shown: mean and 95 % credible interval of its Beta posterior.

    Prior Beta(1, 1): Beta(1 + helped, 1 + harmed), whose quantiles are the inverse regularised incomplete beta function.
    """
    from scipy.special import betaincinv  # type: ignore[import-untyped, unused-ignore]

    helped, harmed = 1 + lesson.helped, 1 + lesson.harmed
    return helped / (helped + harmed), float(betaincinv(helped, harmed, 0.025)), float(betaincinv(helped, harmed, 0.975))
