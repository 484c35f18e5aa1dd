"""A record as a table, for analysis: `to_frame`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.extras import require
from .sqlite.record import Record

if TYPE_CHECKING:
    import pandas


def to_frame(record: Record, tenant: str | None = None) -> pandas.DataFrame:
    """One row an episode, in the order in which they were recorded; of one tenant, or of all.

    Raises `PackageMissing` without pandas, which the extra `bench` brings.
    """
    require("pandas")
    import pandas

    rows = [
        {
            "id": one.id,
            "tenant": one.task.tenant,
            "environment": one.task.environment,
            "skill": one.skill,
            "goal": one.task.goal,
            "success": one.outcome.success,
            "judge": str(one.outcome.judge),
            "score": one.outcome.score,
            "adapter": one.adapter,
            "control": one.control,
            "placebo": one.placebo,
            "correction": one.correction,
            "demonstration": one.demonstration,
            "tokens": one.usage.prompt_tokens + one.usage.completion_tokens,
            "seconds": one.usage.seconds,
            "created": pandas.Timestamp(one.created, unit="s", tz="UTC"),
        }
        for one in record.episodes.find(tenant=tenant)
    ]
    return pandas.DataFrame(rows)
