"""`PrototypeHead`: one learnable prototype a class, and distances to them; unlabelled samples help where labels are few."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector
from ...heads.softmax import descend, places
from .gradient import GradientHead

UNLABELLED = -1
"""The label of samples that have none."""


def soft_assignments(rows: NDArray[np.floating], prototypes: NDArray[np.floating], sharpness: float) -> NDArray[np.float64]:
    """Chances `(n, classes)` in proportion to `exp(-sharpness |x - p|^2)` (the distance cross-entropy's softmax)."""
    logits = -sharpness * squared(rows, prototypes)
    chances = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(chances / chances.sum(1, keepdims=True))


def squared(rows: NDArray[np.floating], prototypes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Squared distances `(n, classes)` in float64."""
    rows, prototypes = rows.astype(np.float64), prototypes.astype(np.float64)
    return np.asarray((rows**2).sum(1)[:, None] - 2 * rows @ prototypes.T + (prototypes**2).sum(1))


class PrototypeHead(GradientHead):
    """Incremental prototype classifier (IPC): distance cross-entropy over all prototypes, of which the old ones stay fixed.

    Liu et al. 2023, "Self-Supervised Pre-Training and Prototype Learning", https://arxiv.org/abs/2308.02346; Liu et al. 2024, "Non-Exemplar
    Semi-Supervised Class-Incremental Learning", https://arxiv.org/abs/2403.18291.
    The loss is `-log softmax_y(-s |x - p|^2) + attraction |x - p_y|^2`, as of convolutional prototype learning (Yang et al. 2018,
    https://arxiv.org/abs/1805.03438, equations 8 and 13).

    Rows labelled `UNLABELLED` make it Semi-IPC: the new prototypes first settle by expectation and
    maximisation, in which a labelled row belongs to its class and any other to all prototypes in part, old ones included; then
    unlabelled rows enter the loss with their likeliest class where that is surer than `trust`, and with the entropy of their
    chances. A class is new to a batch by its labelled rows: at least one is needed. The unlabelled term is a reconstruction: the
    paper has no public code.
    """

    def __init__(
        self,
        *,
        sharpness: float = 16.0,
        attraction: float = 0.01,
        rounds: int = 20,
        trust: float = 0.9,
        entropy: float = 0.1,
        epochs: int = 10,
        seed: int = 0,
    ) -> None:
        super().__init__(epochs=epochs, seed=seed)
        self.sharpness, self.attraction, self.rounds, self.trust, self.entropy = sharpness, attraction, rounds, trust, entropy

    def _fit(self, rows: Vector, labels: Labels) -> None:
        named = labels != UNLABELLED
        if not named.any() and not len(self._labels):
            raise ValueError("no row has a label and no class is known; label at least one row of each new class")
        starts = np.array([rows[labels == new].mean(0) for new in np.setdiff1d(labels[named], self._labels)])
        fresh = self._admit(labels[named], weights=starts.reshape(-1, rows.shape[1]).astype(np.float32))
        if not fresh.any():
            return
        truth = np.where(named, places(labels, self._labels), UNLABELLED)
        if not named.all():
            self._settle(rows, truth, fresh)
            chances = soft_assignments(rows, self._arrays["weights"], self.sharpness)
            sure = (truth == UNLABELLED) & (chances.max(1) > self.trust)
            truth[sure] = chances[sure].argmax(1)
        self._descend(rows, truth, fresh)

    def _settle(self, rows: Vector, truth: NDArray[np.int64], fresh: NDArray[np.bool_]) -> None:
        """New prototypes to the means of what belongs to them, again and again; labelled rows stay with their class."""
        prototypes = self._arrays["weights"]
        certain = np.eye(len(prototypes))[np.maximum(truth, 0)]
        for _ in range(self.rounds):
            chances = np.where((truth == UNLABELLED)[:, None], soft_assignments(rows, prototypes, self.sharpness), certain)
            prototypes[fresh] = ((chances.T @ rows) / np.maximum(chances.sum(0), 1e-9)[:, None])[fresh]

    def _descend(self, rows: Vector, truth: NDArray[np.int64], fresh: NDArray[np.bool_]) -> None:
        import torch

        old = torch.from_numpy(self._arrays["weights"][~fresh])
        new = torch.from_numpy(self._arrays["weights"][fresh].copy()).requires_grad_()
        # The columns are the old prototypes and then the new ones.
        column = np.argsort(np.concatenate([np.flatnonzero(~fresh), np.flatnonzero(fresh)]))
        targets = np.where(truth == UNLABELLED, UNLABELLED, column[np.maximum(truth, 0)])

        def loss(batch: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
            distances = torch.cdist(batch, torch.cat([old, new]), compute_mode="donot_use_mm_for_euclid_dist").square()
            logs = torch.log_softmax(-self.sharpness * distances, 1)
            named = known != UNLABELLED
            own = known[named, None]
            total = -logs[named].gather(1, own).sum() + self.attraction * distances[named].gather(1, own).sum()
            open_logs = logs[~named]
            return (total - self.entropy * (open_logs.exp() * open_logs).sum()) / len(batch)

        descend([new], loss, torch.from_numpy(rows), torch.from_numpy(targets), epochs=self.epochs, rate=1e-3, decay=0.0, seed=self.seed)
        self._arrays["weights"][fresh] = new.detach().numpy()

    def _scores(self, rows: Vector) -> NDArray[np.floating]:
        return -self.sharpness * squared(rows, self._arrays["weights"])
