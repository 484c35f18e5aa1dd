"""When an episode is not going to succeed: the chance of success at every step, and the threshold below which it is stopped.

The chance is read from what the decoder has made of the episode so far. The threshold is set on episodes in validation scenes: a further
successful episode of the same kind is stopped with at most a given probability (split conformal prediction, Vovk et al. 2005,
"Algorithmic Learning in a Random World"; the score of an episode is its lowest chance).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.extras import require
from .traces import EpisodeTrace

ROUNDS = 100
"""Trees."""
LEAVES = 15
"""Leaves of a tree."""
RATE = 0.05
"""Share of each tree's correction that is added."""


class EarlyStop:
    """The chance of success by gradient-boosted trees on aligned and temporal features, and a threshold. Same traces, same trees.

    Friedman 2001, "Greedy Function Approximation: A Gradient Boosting Machine", https://doi.org/10.1214/aos/1013203451, as
    scikit-learn computes it on binned values.
    """

    def __init__(self, traces: Sequence[EpisodeTrace]) -> None:
        """Learn from finished episodes, every step of which says how its episode ended.

        Raises `ValueError` where none failed or none succeeded, `PackageMissing` without scikit-learn.
        """
        outcomes = [one.result.success for one in traces]
        if len(set(outcomes)) < 2:
            raise ValueError(f"successful and failed episodes are needed; got {len(traces)}, all with the same end")
        require("sklearn")
        from sklearn.ensemble import HistGradientBoostingClassifier

        rows = np.vstack([_rows(one.aligned, one.temporal, np.arange(1, one.result.steps + 1)) for one in traces])
        ends = np.concatenate([np.full(one.result.steps, one.result.success) for one in traces])
        self._trees: Any = HistGradientBoostingClassifier(
            max_iter=ROUNDS, learning_rate=RATE, max_leaf_nodes=LEAVES, early_stopping=False, random_state=0
        ).fit(rows, ends)
        self.threshold = -np.inf
        """Chance below which an episode is stopped; none is before `calibrate`."""

    def chances(self, trace: EpisodeTrace) -> NDArray[np.float64]:
        """The chance of success before each action of an episode `(T,)`."""
        return self._chances(_rows(trace.aligned, trace.temporal, np.arange(1, trace.result.steps + 1)))

    def stops(self, aligned: NDArray[np.floating], temporal: NDArray[np.floating], step: int) -> NDArray[np.bool_]:
        """Which of N episodes to give up before their action number `step`, from 1, given the features of this step `(N, D)`."""
        return self._chances(_rows(aligned, temporal, np.full(len(aligned), step))) < self.threshold

    def _chances(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.asarray(self._trees.predict_proba(rows)[:, 1], dtype=np.float64)

    def calibrate(self, traces: Sequence[EpisodeTrace], *, good_stopped: float = 0.05) -> EarlyStop:
        """It with the threshold at which at most `good_stopped` of further successful episodes are stopped; with too few, none is.

        `traces` are of scenes that nothing was learned from. Raises `ValueError` for a share outside of (0, 1).
        """
        if not 0 < good_stopped < 1:
            raise ValueError(f"good_stopped must lie between 0 and 1; got {good_stopped}")
        lowest = np.sort([self.chances(one).min() for one in traces if one.result.success])
        other = copy.copy(self)
        rank = int(good_stopped * (len(lowest) + 1))
        other.threshold = float(lowest[rank - 1]) if rank else -np.inf
        return other

    def stopped_before(self, trace: EpisodeTrace) -> int | None:
        """The action, counted from 0, before which an episode is stopped; None where it goes on to its end."""
        below = np.flatnonzero(self.chances(trace) < self.threshold)
        return int(below[0]) if len(below) else None


def _rows(aligned: NDArray[np.floating], temporal: NDArray[np.floating], steps: NDArray[np.integer]) -> NDArray[np.floating]:
    return np.hstack([aligned, temporal, steps[:, None]])
