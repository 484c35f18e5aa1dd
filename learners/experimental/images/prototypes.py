"""`PrototypeImageLearner`: PASS and PASS++, where the encoder trains and no image is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels
from ...heads.analytic import shrunk
from ...heads.streaming_lda import oracle_shrinkage
from ..heads.augmentation import TEMPERATURE, implicit_logits, prototype_radius
from .class_gaussians import drift
from .image_learner import ImageLearner, ImageRecipe, encoded, features_of
from .views import TURNS, turned, turned_places

if TYPE_CHECKING:
    from torch import Tensor, nn
RIDGE = 0.01
"""Regularisation of the drift, as a share of the features' mean variance, times their number."""


def ensemble_scores(logits: Tensor) -> Tensor:
    """Scores `(n, classes)` from the logits `(4, n, 4 classes)` of an image in its four turns: of each turn its own columns, their mean."""
    return sum(logits[turn, :, turn::TURNS] for turn in range(TURNS)) / TURNS  # type: ignore[return-value]  # four tensors, never none


def gaussian_scores(views: NDArray[np.floating], means: NDArray[np.floating], covariances: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scores `(n, classes)` of features `(4, n, d)`: linear discriminant analysis in each turn, and their mean.

    `means` `(4, classes, d)`, and `covariances` `(4, d, d)`, one a turn for all its classes.
    """
    total = np.zeros((views.shape[1], means.shape[1]))
    for rows, centres, covariance in zip(views, means, covariances, strict=True):
        weights = np.linalg.solve(covariance, centres.T)
        total += rows @ weights - np.einsum("cd,dc->c", centres, weights) / 2
    return np.asarray(total / len(views))


class PrototypeImageLearner(ImageLearner):
    """PASS (Zhu et al. 2021, "Prototype Augmentation and Self-Supervision for Incremental Learning", CVPR; PASS++:
    https://arxiv.org/abs/2407.14029) and PASS++, its successor (partly reconstructed).

    Every image is turned by a random number of quarters, and each turn of a class is a class of its own. Kept are means of the
    features and one radius, of the first call. Later calls add `strength` times the cross-entropy of old means, `sampled` with
    Gaussian noise of the radius (PASS) or `implicit` in the limit of infinitely many such samples (PASS++), and `distillation`
    times the distance between the features and those of the network before. `hardness` mixes each mean with this share of its
    nearest new feature. With `ensemble` an answer is the mean over the four turns, of which all have means then; otherwise only
    the upright ones do.

    `gaussians` goes beyond both: it keeps of each turn the covariance that classes share beside their means, moves both as the
    features of new images move (`drift`), and answers by linear discriminant analysis instead of the head, which leans towards the
    classes that came last.
    """

    views = TURNS

    def __init__(
        self,
        recipe: ImageRecipe | None = None,
        *,
        form: Literal["sampled", "implicit"] = "implicit",
        strength: float = 10.0,
        distillation: float = 10.0,
        hardness: float = 0.2,
        ensemble: bool = True,
        gaussians: bool = False,
        seed: int = 0,
    ) -> None:
        if form not in ("sampled", "implicit") or not 0 <= hardness < 1:
            raise ValueError(f"form {form!r} must be 'sampled' or 'implicit', and hardness {hardness} in [0, 1)")
        if min(strength, distillation) < 0:
            raise ValueError(f"strength {strength} and distillation {distillation} must not be negative")
        if gaussians and not ensemble:
            raise ValueError("Gaussians are of all four turns; leave `ensemble` on")
        super().__init__(recipe, seed=seed)
        self.form, self.strength, self.distillation = form, strength, distillation
        self.hardness, self.ensemble, self.gaussians = hardness, ensemble, gaussians

    def _loss(self, batch: Tensor, places: Tensor, teacher: nn.Sequential | None, draw: np.random.Generator) -> Tensor:
        import torch
        from torch.nn.functional import cross_entropy

        turns = torch.from_numpy(draw.integers(TURNS, size=len(batch))).to(batch.device)
        batch, columns = turned(batch, turns), turned_places(places, turns)
        features = self._encoded(batch)
        logits = self._head(features) / TEMPERATURE
        total = cross_entropy(logits, columns)
        if teacher is None:
            return total
        with torch.no_grad():
            before = encoded(teacher, batch)
        moved = cast("Tensor", torch.linalg.vector_norm(features - before, dim=1).mean())
        return total + self.distillation * moved + self.strength * self._rehearsed(features.detach(), draw)

    def _rehearsed(self, features: Tensor, draw: np.random.Generator) -> Tensor:
        """The cross-entropy of as many old means as there are new features."""
        import torch
        from torch.nn.functional import cross_entropy

        some = draw.integers(len(self._arrays["means"]), size=len(features))
        centres, columns = (torch.from_numpy(self._arrays[name][some]).to(features.device) for name in ("means", "columns"))
        radius, weights = float(self._arrays["radius"]), cast("nn.Linear", self._trained()[-1]).weight
        nearest = features[torch.cdist(centres, features).argmin(1)]
        centres = (1 - self.hardness) * centres + self.hardness * nearest
        if self.form == "sampled":
            noise = draw.standard_normal(centres.shape, dtype=np.float32)
            centres = centres + radius * torch.from_numpy(noise).to(features.device)
        logits = self._head(centres) / TEMPERATURE
        if self.form == "implicit":
            logits = implicit_logits(logits, weights, columns, radius)
        return cross_entropy(logits, columns)

    def _keep(self, pixels: NDArray[np.uint8], labels: Labels, places: NDArray[np.int64], teacher: nn.Sequential | None) -> None:
        views = [np.rot90(pixels, turn, (1, 2)) for turn in range(TURNS if self.ensemble else 1)]
        after = [features_of(self._trained(), view, self.recipe.device) for view in views]
        if "radius" not in self._arrays:
            self._arrays["radius"] = np.array(prototype_radius(after[0], labels))
        if self.gaussians:
            if teacher is not None:
                self._move(np.concatenate([features_of(teacher, view, self.recipe.device) for view in views]), np.concatenate(after))
            self._scatter(after, places)
        kept = {int(column): mean for column, mean in zip(self._arrays.get("columns", ()), self._arrays.get("means", ()), strict=True)}
        for turn, features in enumerate(after):
            kept |= {TURNS * int(place) + turn: features[places == place].mean(0) for place in np.unique(places)}
        self._arrays |= {"columns": np.array(list(kept), dtype=np.int64), "means": np.array(list(kept.values()), dtype=np.float32)}

    def _move(self, before: NDArray[np.float32], after: NDArray[np.float32]) -> None:
        """Let what is kept go where the features of new images `(n, d)` have gone."""
        matrix, offset = drift(before, after, RIDGE * float(before.var(0).sum()) * len(before) / before.shape[1])
        self._arrays["means"] = (self._arrays["means"] @ matrix + offset).astype(np.float32)
        self._arrays["scatter"] = matrix.T @ self._arrays["scatter"] @ matrix

    def _scatter(self, views: Sequence[NDArray[np.float32]], places: NDArray[np.int64]) -> None:
        """Add what each turn's features `(n, d)` scatter around the means of their classes."""
        kept = self._arrays.setdefault("scatter", np.zeros((TURNS, views[0].shape[1], views[0].shape[1])))
        self._arrays["count"] = np.array(len(places) + int(self._arrays.get("count", 0)))
        for turn, features in enumerate(views):
            for place in np.unique(places):
                rows = features[places == place].astype(np.float64)
                kept[turn] += (rows - rows.mean(0)).T @ (rows - rows.mean(0))

    def _scores(self, inputs: Tensor) -> NDArray[np.floating]:
        import torch

        turns = range(TURNS if self.ensemble else 1)
        features = torch.stack([self._encoded(torch.rot90(inputs, turn, (2, 3))) for turn in turns])
        if self.gaussians:
            means = self._arrays["means"][np.argsort(self._arrays["columns"])].astype(np.float64)
            centres = means.reshape(-1, TURNS, means.shape[1]).transpose(1, 0, 2)
            covariances = self._arrays["scatter"] / int(self._arrays["count"])
            free = int(self._arrays["count"]) - len(means) // TURNS
            covariances = np.stack([shrunk(one, oracle_shrinkage(one, free)) for one in covariances])
            return gaussian_scores(features.cpu().double().numpy(), centres, covariances)
        logits = self._head(features)
        return np.asarray((ensemble_scores(logits) if self.ensemble else logits[0, :, ::TURNS]).cpu().numpy())
