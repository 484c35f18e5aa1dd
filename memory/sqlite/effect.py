"""Does memory help? Success with it against success in the control arm, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core import Lesson
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


def posterior(lesson: Lesson) -> tuple[float, float, float]:
    """Probability that a task succeeds with this lesson shown: mean and 95 % credible interval of its Beta posterior.

    Prior Beta(1, 1): Beta(1 + helped, 1 + harmed), whose quantiles are the inverse regularised incomplete beta function.
    """
    from scipy.special import betaincinv  # type: ignore[import-untyped, unused-ignore]

    helped, harmed = 1 + lesson.helped, 1 + lesson.harmed
    return helped / (helped + harmed), float(betaincinv(helped, harmed, 0.025)), float(betaincinv(helped, harmed, 0.975))
