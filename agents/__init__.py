"""Who acts, and what is learned from having acted.

The `Actor` runs tasks as lists of typed steps on any engine; `reflect` contrasts failed with successful runs and
writes lessons that cite their evidence; `samples` picks the turns that an adapter may learn from.
"""

from __future__ import annotations

from .actor import Actor, Job, Run, replay
from .consolidation import prompt, samples
from .evidence import Evidence, contrast
from .reflection import Writer, reflect

__all__ = ["Actor", "Evidence", "Job", "Run", "Writer", "contrast", "prompt", "reflect", "replay", "samples"]
