"""`PrototypeAugmentationHead`: old classes are rehearsed by noise around their means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector
from ...heads.softmax import descend, places
from .gradient import GradientHead

if TYPE_CHECKING:
    from torch import Tensor

TEMPERATURE = 0.1
"""Divides the logits, as in PASS."""


def prototype_radius(rows: NDArray[np.floating], labels: Labels) -> float:
    """`sqrt(mean_c tr(cov_c) / d)`: the standard deviation of an entry around its class mean (PASS, section 3.3)."""
    spreads = [((rows[labels == one] - rows[labels == one].mean(0)) ** 2).sum(1).mean() for one in np.unique(labels)]
    return float(np.sqrt(np.mean(spreads) / rows.shape[1]))


def implicit_logits(logits: Tensor, weights: Tensor, own: Tensor, radius: float) -> Tensor:
    """Logits whose cross-entropy bounds that of infinitely many Gaussian samples from above (ISDA's bound, for PASS++).

    To the logit of class `j` comes `r^2 / (2 T^2) |w_j - w_y|^2`, with `T` the temperature that logits were divided by.
    """
    spread = (weights[None] - weights[own][:, None]).square().sum(2)
    return logits + radius**2 / (2 * TEMPERATURE**2) * spread


class PrototypeAugmentationHead(GradientHead):
    """PASS and PASS++ on frozen vectors (Zhu et al. 2021, "Prototype Augmentation and Self-Supervision for Incremental Learning", CVPR;
    PASS++: https://arxiv.org/abs/2407.14029), without rotated inputs.

    Kept are class means and one radius, of the first batch. Later batches add `strength` times the cross-entropy of old means:
    `sampled` with Gaussian noise of the radius (PASS), or `implicit` in the limit of infinitely many such samples (PASS++).
    `hardness` mixes each old mean with this share of its nearest new sample (PASS++, hardness-aware; reconstructed).
    """

    def __init__(
        self,
        *,
        form: Literal["sampled", "implicit"] = "implicit",
        strength: float = 10.0,
        hardness: float = 0.2,
        epochs: int = 20,
        seed: int = 0,
    ) -> None:
        if form not in ("sampled", "implicit") or not 0 <= hardness < 1:
            raise ValueError(f"form {form!r} must be 'sampled' or 'implicit', and hardness {hardness} in [0, 1)")
        super().__init__(epochs=epochs, seed=seed)
        self.form, self.strength, self.hardness = form, strength, hardness

    def _fit(self, rows: Vector, labels: Labels) -> None:
        import torch

        if "radius" not in self._arrays:
            self._arrays["radius"] = np.array(prototype_radius(rows, labels))
        new = np.setdiff1d(labels, self._labels)
        means = np.array([rows[labels == one].mean(0) for one in new], dtype=np.float32).reshape(-1, rows.shape[1])
        before = len(self._labels)
        fresh = self._admit(labels, weights=means, means=means)
        weights = torch.from_numpy(self._arrays["weights"].copy()).requires_grad_()
        old, radius = np.flatnonzero(~fresh), float(self._arrays["radius"])

        def loss(batch: Tensor, truth: Tensor) -> Tensor:
            total = torch.nn.functional.cross_entropy(batch @ weights.T / TEMPERATURE, truth)
            # The first batch has no old class to keep in place.
            if not before:
                return total
            some = torch.from_numpy(old)[torch.randint(len(old), (len(batch),))]
            centres = torch.from_numpy(self._arrays["means"])[some]
            # Hardness-aware: an old mean is drawn towards the new sample that is most easily taken for it.
            nearest = batch[torch.cdist(centres, batch).argmin(1)]
            centres = (1 - self.hardness) * centres + self.hardness * nearest
            if self.form == "sampled":
                centres = centres + radius * torch.randn_like(centres)
            logits = centres @ weights.T / TEMPERATURE
            if self.form == "implicit":
                logits = implicit_logits(logits, weights, some, radius)
            return total + self.strength * torch.nn.functional.cross_entropy(logits, some)

        targets = torch.from_numpy(places(labels, self._labels))
        descend([weights], loss, torch.from_numpy(rows), targets, epochs=self.epochs, rate=0.01, decay=0.0, seed=self.seed)
        self._arrays["weights"] = weights.detach().numpy()

    def _scores(self, rows: Vector) -> NDArray[np.floating]:
        return np.asarray(rows.astype(np.float64) @ self._arrays["weights"].T / TEMPERATURE)
