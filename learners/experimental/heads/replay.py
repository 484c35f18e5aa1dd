"""`ReplayHead`: a softmax head that keeps some raw samples; with none it is the naive learner, with all the joint one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector
from ...heads.softmax import balance, descend, network, places, scaled
from .gradient import GradientHead

if TYPE_CHECKING:
    from torch import nn


class ReplayHead(GradientHead):
    """Keeps `per_class` samples of every class, drawn at random (None: all), and fits them with what is new.

    With `per_class=0` the weights go on from where they are and see the new samples alone; otherwise a linear head is fitted
    anew from the kept samples and the new ones, which is the stronger way when they are few. Classes count alike.

    Chaudhry et al. 2019, "On Tiny Episodic Memories in Continual Learning", https://arxiv.org/abs/1902.10486, algorithm 1, go on
    from the old weights with batches of both.
    """

    def __init__(self, *, per_class: int | None = 20, epochs: int = 12, rate: float = 0.005, seed: int = 0) -> None:
        super().__init__(epochs=epochs, seed=seed)
        self.per_class, self.rate = per_class, rate

    def _fit(self, rows: Vector, labels: Labels) -> None:
        import torch

        new = np.setdiff1d(labels, self._labels)
        d = rows.shape[1]
        self._admit(labels, weights=np.zeros((len(new), d), np.float32), bias=np.zeros(len(new), np.float32))
        if "kept" in self._arrays:
            rows, labels = np.concatenate([self._arrays["kept"], rows]), np.concatenate([self._arrays["kept_labels"], labels])
        net = network(d, len(self._labels), 0, 0.0, self.seed)
        targets = places(labels, self._labels)
        weight = balance(targets, len(self._labels))
        linear = cast("nn.Linear", net[0])
        with torch.no_grad():
            start = 1.0 if self.per_class == 0 else 0.0
            linear.weight.copy_(torch.from_numpy(start * self._arrays["weights"]))
            linear.bias.copy_(torch.from_numpy(start * self._arrays["bias"]))
        descend(
            list(net.parameters()),
            lambda batch, truth: torch.nn.functional.cross_entropy(net(batch), truth, weight=weight),
            scaled(rows),
            torch.from_numpy(targets),
            epochs=self.epochs,
            rate=self.rate,
            decay=0.01,
            seed=self.seed,
        )
        self._arrays |= {"weights": linear.weight.detach().numpy().copy(), "bias": linear.bias.detach().numpy().copy()}
        if self.per_class != 0:
            some = self._drawn(labels)
            self._arrays |= {"kept": rows[some], "kept_labels": labels[some]}

    def _drawn(self, labels: Labels) -> NDArray[np.int64]:
        """Places of the samples to keep. Those kept before come first, and so stay while there is room."""
        if self.per_class is None:
            return np.arange(len(labels))
        rank = np.random.default_rng(self.seed).permutation(len(labels))
        kept = len(self._arrays.get("kept_labels", ()))
        rank[:kept] = -1
        chosen = [np.flatnonzero(labels == one)[np.argsort(rank[labels == one], kind="stable")[: self.per_class]] for one in self._labels]
        return np.sort(np.concatenate(chosen))

    def _scores(self, rows: Vector) -> NDArray[np.floating]:
        return np.asarray(np.sqrt(rows.shape[1]) * rows.astype(np.float64) @ self._arrays["weights"].T + self._arrays["bias"])
