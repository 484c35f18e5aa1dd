"""`ParetoHead`: one head for every preference between what is old and what is new."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector
from ...heads.softmax import descend, places, scaled
from .replay import ReplayHead


class ParetoHead(ReplayHead):
    """ParetoCL on frozen vectors: a hypernetwork turns a preference into the weights of the head (Lai et al. 2025, "Pareto Continual
    Learning", https://arxiv.org/abs/2503.23390).

    A preference `(stability, plasticity)` lies on the simplex. The hypernetwork is affine in it: a base and one offset for each
    side, `W(a) = B + a_1 S + a_2 P`. Trained is the mean over preferences drawn evenly from the simplex of `a_1 L_old + a_2 L_new`, with
    old samples from `per_class` kept ones. `preference` is a knob at run time; None takes, sample by sample, the surest of five.
    """

    def __init__(
        self, *, preference: float | None = 0.5, per_class: int = 20, epochs: int = 12, rate: float = 0.005, seed: int = 0
    ) -> None:
        super().__init__(per_class=per_class, epochs=epochs, rate=rate, seed=seed)
        self.preference = preference
        """Stability's part, in [0, 1]; the rest is plasticity's. May be changed at any time."""

    def _fit(self, rows: Vector, labels: Labels) -> None:
        import torch

        new = np.setdiff1d(labels, self._labels)
        self._admit(labels, weights=np.zeros((len(new), 3, rows.shape[1]), np.float32), bias=np.zeros((len(new), 3), np.float32))
        ours = np.ones(len(rows), dtype=bool)
        if "kept" in self._arrays:
            ours = np.concatenate([np.zeros(len(self._arrays["kept"]), dtype=bool), ours])
            rows, labels = np.concatenate([self._arrays["kept"], rows]), np.concatenate([self._arrays["kept_labels"], labels])
        weights = torch.from_numpy(self._arrays["weights"].copy()).requires_grad_()
        bias = torch.from_numpy(self._arrays["bias"].copy()).requires_grad_()
        # A target carries its side with it: classes of the new samples stand behind all of the old ones'.
        targets = torch.from_numpy(places(labels, self._labels) + len(self._labels) * ours)

        def loss(batch: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
            count = len(self._labels)
            plastic = truth >= count
            total = torch.zeros(())
            for stability in torch.rand(3).tolist():
                mix = torch.tensor([1.0, stability, 1 - stability])
                logits = batch @ torch.einsum("ckd,k->cd", weights, mix).T + bias @ mix
                losses = torch.nn.functional.cross_entropy(logits, truth % count, reduction="none")
                for side, share in ((losses[~plastic], stability), (losses[plastic], 1 - stability)):
                    total = total + share * side.sum() / max(len(side), 1) / 3
            return total

        descend([weights, bias], loss, scaled(rows), targets, epochs=self.epochs, rate=self.rate, decay=0.01, seed=self.seed)
        self._arrays |= {"weights": weights.detach().numpy(), "bias": bias.detach().numpy()}
        some = self._drawn(labels)
        self._arrays |= {"kept": rows[some], "kept_labels": labels[some]}

    def _scores(self, rows: Vector) -> NDArray[np.floating]:
        if self.preference is not None:
            return self._at(rows, self.preference)
        every = np.stack([self._at(rows, stability) for stability in (0.0, 0.25, 0.5, 0.75, 1.0)])
        chances = np.exp(every - every.max(2, keepdims=True))
        chances /= chances.sum(2, keepdims=True)
        surest = chances.max(2).argmax(0)
        return np.asarray(every[surest, np.arange(len(rows))])

    def _at(self, rows: Vector, stability: float) -> NDArray[np.float64]:
        if not 0 <= stability <= 1:
            raise ValueError(f"preference {stability} must lie in [0, 1], or be None")
        mix = np.array([1.0, stability, 1 - stability])
        weights = np.einsum("ckd,k->cd", self._arrays["weights"].astype(np.float64), mix)
        return np.asarray(np.sqrt(rows.shape[1]) * rows.astype(np.float64) @ weights.T + self._arrays["bias"] @ mix)
