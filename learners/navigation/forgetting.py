"""Exact forgetting of a category: back to the checkpoint before the stage that taught it, and the stages since then without it."""

from __future__ import annotations

from collections.abc import Sequence

from .navigator import Navigator
from .trajectories import Trajectory


def rebuild_without(checkpoints: Sequence[Navigator], stages: Sequence[Sequence[Trajectory]], category: str) -> list[Navigator]:
    """The checkpoints of a navigator that was never taught a category: its weights and all that it keeps are bit by bit the same.

    `checkpoints` are the navigators before the first stage and after each of `stages`, whose trajectories were kept or recorded anew.
    Those before the stage that taught the category are returned as they are, so the cost is that of the stages since then. A stage that
    taught nothing else leaves the navigator as it was. Raises `ValueError` for a category that no stage taught, and where there is not
    one checkpoint more than there are stages.
    """
    if len(checkpoints) != len(stages) + 1:
        raise ValueError(f"{len(stages)} stages need {len(stages) + 1} checkpoints, the untaught one first; got {len(checkpoints)}")
    first = next((place for place, stage in enumerate(stages) if any(one.category == category for one in stage)), None)
    if first is None:
        raise ValueError(f"no stage taught {category!r}; name a category that was taught")
    rebuilt = list(checkpoints[: first + 1])
    for stage in stages[first:]:
        left = [one for one in stage if one.category != category]
        rebuilt.append(rebuilt[-1].learn(left) if left else rebuilt[-1])
    return rebuilt
