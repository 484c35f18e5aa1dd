"""Who acts, and what is learned from having acted.

The `Actor` runs tasks as lists of typed steps on any engine; `reflect` contrasts failed with successful runs and
writes lessons that cite their evidence; `samples` picks the turns that an adapter may learn from.
"""

from __future__ import annotations

from .consolidation.training_samples import prompt, samples
from .reflection.evidence import Evidence, contrast
from .reflection.reflect import Writer, reflect
from .strategies.actor import Actor, Job, Run, replay

__all__ = ["Actor", "Evidence", "Job", "Run", "Writer", "contrast", "prompt", "reflect", "replay", "samples"]
