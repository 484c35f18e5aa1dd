"""Who acts, and what is learned from having acted.

A `Strategy` runs tasks as lists of typed steps on any engine; `reflect` contrasts failed with successful runs and
writes lessons that cite their evidence; `samples` picks the turns that an adapter may learn from.
"""

from __future__ import annotations

from .consolidation.training_samples import prompt, samples
from .outcomes.reactions import outcome_of_reaction
from .outcomes.tool_results import outcome_of_results
from .reflection.evidence import Evidence, contrast
from .reflection.reflect import Writer, reflect
from .strategies.direct import DirectStrategy, replay
from .strategies.repair import RepairStrategy
from .strategies.retry import RetryStrategy
from .strategy import Job, Journal, NewSteps, Run, Strategy

__all__ = [
    "DirectStrategy",
    "Evidence",
    "Job",
    "Journal",
    "NewSteps",
    "RepairStrategy",
    "RetryStrategy",
    "Run",
    "Strategy",
    "Writer",
    "contrast",
    "outcome_of_reaction",
    "outcome_of_results",
    "prompt",
    "reflect",
    "replay",
    "samples",
]
