"""Which goals a navigator was never taught, seen by its aligned features: `GoalNovelty`.

A goal that was taught gives features near those of its stage's episodes; one that was not gives others, although scenes and views are of
the same kind. The measure is the Mahalanobis distance of Lee et al. 2018, "A Simple Unified Framework for Detecting Out-of-Distribution
Samples and Adversarial Attacks", https://arxiv.org/abs/1807.03888, equation 2: to the nearest category's mean, under one covariance.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...numerics.class_statistics import ClassStatistics, squared_distances, whitening
from ...perception.scores.neighbours import conformal_quantile
from .modalities import GOALS
from .navigator import Navigator
from .network import aligned_features
from .trajectories import Trajectory, whole

RIDGE = 1e-3
"""Share of the mean variance that is added to every direction: few episodes leave some without any."""


class GoalNovelty:
    """Statistics of taught categories, an episode's mean aligned feature being one sample; their size does not grow with episodes.

    Each category's are of the network of its own stage: what is distilled stays near them.
    """

    def __init__(self) -> None:
        self._statistics: ClassStatistics | None = None
        self.threshold = np.inf
        """Novelty above which a goal is refused; none is before `calibrate`."""

    def after(self, navigator: Navigator, trajectories: Sequence[Trajectory], *, steps: int | None = None) -> GoalNovelty:
        """It after a stage that made `navigator` of `trajectories`; this one is unchanged. `steps` bounds what is looked at of each."""
        import torch

        means = []
        for one in trajectories:
            batch = whole([one], 1.0)
            with torch.no_grad():
                features = aligned_features(navigator.network, batch.views, batch.goals, batch.last)[0].numpy()
            means.append(features[:steps].mean(0))
        rows = np.stack(means).astype(np.float32)
        other = copy.deepcopy(self)
        other._statistics = other._statistics or ClassStatistics(rows.shape[1])
        other._statistics.learn(rows, np.array([GOALS.index(one.category) for one in trajectories], dtype=np.int64))
        return other

    def without(self, category: str) -> GoalNovelty:
        """It without a category's mean. Raises `ValueError` for one that was not taught."""
        other = copy.deepcopy(self)
        if other._statistics is None:
            raise ValueError(f"no category was taught; {category!r} cannot be taken out")
        other._statistics.forget_class(GOALS.index(category))
        return other

    def novelty(self, episodes: Sequence[NDArray[np.floating]]) -> NDArray[np.float64]:
        """Of each episode's goal, from its aligned features `(T, D)`; larger is stranger. Raises `ValueError` before the first stage."""
        if self._statistics is None:
            raise ValueError("no category was taught yet; call `after` with a stage first")
        within = self._statistics.within()
        root = whitening(within + RIDGE * np.trace(within) / len(within) * np.eye(len(within)))
        rows = np.stack([one.mean(0) for one in episodes])
        centres = (self._statistics.means @ root).astype(np.float32)
        distances = squared_distances((rows @ root).astype(np.float32), np.eye(len(root), dtype=np.float32), centres)
        return np.asarray(distances.min(1), dtype=np.float64)

    def calibrate(self, novelty: NDArray[np.floating], *, accepted: float = 0.95) -> GoalNovelty:
        """It with the threshold below which a further taught goal stays with probability `accepted` (split conformal).

        `novelty` is that of taught goals in scenes that nothing was learned from.
        """
        other = copy.deepcopy(self)
        other.threshold = conformal_quantile(novelty, accepted)
        return other

    def refuses(self, novelty: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Which goals are taken for never taught."""
        return np.asarray(novelty) > self.threshold
