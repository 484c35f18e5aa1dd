"""`HeadEnsemble`: a few small networks over frozen vectors that name a class and say, each its own way, how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector, validate_rows
from ..training.classifier_training import ClassifierRecipe, train_classifier
from ..training.objectives import CrossEntropy, Objective, OpenMix

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True, kw_only=True)
class HeadOutputs:
    """What the heads say of samples; all float64."""

    probabilities: NDArray[np.float64]
    """Mean over the heads of the softmax over the classes `(n, classes)`: the extra class of OpenMix is dropped first."""
    energy: NDArray[np.float64]
    """Mean of `ln sum exp` of the class logits `(n,)`; larger is surer."""
    outlier: NDArray[np.float64]
    """Mean of the extra logit less that `(n,)`, the log odds of being an outlier; 0 where the heads saw none. Larger is stranger."""
    inlier: NDArray[np.float64]
    """Mean of the largest class probability with the extra class kept `(n,)`; larger is surer."""


class HeadEnsemble:
    """Networks of one hidden layer, alike but for their seeds, whose probabilities are averaged.

    Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles",
    https://arxiv.org/abs/1612.01474. With
    outliers the heads are trained by OpenMix, without by cross-entropy. Vectors are centred and scaled by one number to a
    mean variance of 1, so that the recipe fits any encoder.
    """

    def __init__(self, members: int = 5, *, hidden: int = 256, recipe: ClassifierRecipe | None = None) -> None:
        if members < 1 or hidden < 1:
            raise ValueError(f"members {members} and hidden {hidden} must be at least 1")
        self.members = members
        self.hidden = hidden
        self.recipe = recipe or ClassifierRecipe()
        self._classes: Labels = np.zeros(0, dtype=np.int64)
        self._networks: list[nn.Module] = []

    @property
    def labels(self) -> Labels:
        """Class numbers, ascending: the columns of the probabilities; empty before `fit`."""
        return self._classes

    def fit(self, vectors: Vector, labels: Labels, outliers: Vector | None = None) -> Self:
        """Begin anew from samples `(n, d)`, their class numbers `(n,)` and outliers `(m, d)` of no class.

        Raises `ValueError` for no sample, lengths that differ, NaN or infinite values.
        """
        import torch

        rows = validate_rows("vectors", vectors)
        if not len(rows) == len(labels) > 0:
            raise ValueError(f"{len(rows)} vectors and {len(labels)} labels; one label a vector and at least one sample are needed")
        self._classes, places = np.unique(np.asarray(labels, dtype=np.int64), return_inverse=True)
        self._mean = rows.mean(0)
        self._scale = 1 / max(float(np.sqrt(((rows - self._mean) ** 2).mean())), 1e-6)
        objective: Objective = CrossEntropy()
        if outliers is not None and len(outliers):
            objective = OpenMix(self._inputs(validate_rows("outliers", outliers, rows.shape[1])))
        inputs, targets = self._inputs(rows), torch.from_numpy(places)
        self._networks = []
        for member in range(self.members):
            seed = self.recipe.seed * self.members + member
            network = _network(rows.shape[1], self.hidden, len(self._classes) + objective.extra_classes, seed)
            self._networks.append(train_classifier(network, inputs, targets, replace(self.recipe, seed=seed), objective))
        return self

    def outputs(self, vectors: Vector, without: Labels | None = None) -> HeadOutputs:
        """What the heads say of vectors `(n, d)`, as if the classes `without` had no logit.

        Raises `ValueError` before `fit`, for NaN or infinite values and where no class is left.
        """
        import torch

        if not self._networks:
            raise ValueError("the heads are not trained yet; call `fit` first")
        inputs = self._inputs(validate_rows("vectors", vectors, len(self._mean)))
        kept = ~np.isin(self._classes, [] if without is None else without)
        if not kept.any():
            raise ValueError("every class of the heads is forgotten; train them anew on the classes there are")
        classes = torch.from_numpy(np.flatnonzero(kept))
        with torch.no_grad():
            parts = [_read(network(inputs).double(), classes, len(kept)) for network in self._networks]
        probabilities, energy, outlier, inlier = (torch.stack(part).mean(0).numpy() for part in zip(*parts, strict=True))
        full = np.zeros((len(inputs), len(kept)))
        full[:, kept] = probabilities
        return HeadOutputs(probabilities=full, energy=energy, outlier=outlier, inlier=inlier)

    def _inputs(self, rows: Vector) -> torch.Tensor:
        import torch

        return torch.from_numpy((rows - self._mean) * np.float32(self._scale))


def _network(dimensions: int, hidden: int, outputs: int, seed: int) -> nn.Sequential:
    import torch
    from torch import nn

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(dimensions, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def _read(logits: torch.Tensor, classes: torch.Tensor, count: int) -> tuple[torch.Tensor, ...]:
    """Probabilities, energy, log odds of an outlier and largest probability beside it, of one head."""
    import torch

    known, extra = logits[:, classes], logits[:, count:]
    energy = known.logsumexp(-1)
    outlier = extra[:, 0] - energy if extra.shape[1] else torch.zeros_like(energy)
    inlier = (known.amax(-1) - torch.cat([known, extra], 1).logsumexp(-1)).exp()
    return known.softmax(-1), energy, outlier, inlier
