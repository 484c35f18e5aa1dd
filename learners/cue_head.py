"""`CueHead`: awake it keeps cues and answers in closed form; asleep it recalls them and refits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ..memory.cues import CueMemory
from ..perception.encoder import Vector
from ..perception.scorer import Labels, checked
from ._softmax import balance, descend, network, places, scaled
from .head import HeadLogits, State, predicted

if TYPE_CHECKING:
    import torch
    from torch import nn


DROPOUT = 0.5
"""Of the hidden units, in training."""
MOST_MEANS = 10
"""Class means that stand in for dropped samples, at most so many a class."""


class CueHead:
    """Semi-parametric continual memory (SPMC) over frozen vectors.

    *Awake*, `learn` writes cues, without any gradient. *Asleep*, `sleep` recalls all cues and fits a linear network and
    `perceptrons` two-layer ones, these under Gaussian noise of `jitter` deviations of an entry; their chances are averaged.
    Classes count alike, whatever the number of their samples. `logits` sleeps first where something was learned since.

    Taking samples back is not exact (class mean and codebook keep a trace until the class goes), so there is no `unlearn`;
    `forget` removes cues and the next sleep does without them.
    """

    def __init__(
        self,
        *,
        step: float = 0.07,
        kept: float = 0.72,
        directions: int = 48,
        hidden: int = 1024,
        perceptrons: int = 2,
        epochs: int = 20,
        jitter: float = 0.6,
        seed: int = 0,
    ) -> None:
        self.hidden, self.perceptrons, self.epochs, self.jitter, self.seed = hidden, perceptrons, epochs, jitter, seed
        self.memory = CueMemory(step=step, directions=directions, kept=kept)
        self._networks: list[nn.Sequential] = []

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return self.memory.labels

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Wake: write cues of samples `(n, d)`."""
        self.memory.remember(checked("vectors", vectors), labels)
        self._networks = []

    def forget(self, vectors: Vector, labels: Labels) -> int:
        """Remove the cues of samples and return how many there were; the next answer comes from a refit without them."""
        removed = self.memory.forget(checked("vectors", vectors), labels)
        self._networks = []
        return removed

    def sleep(self) -> None:
        """Refit from recalled cues. Raises `ValueError` where there are none."""
        import torch

        if not len(self.labels):
            raise ValueError("CueHead knows no class yet; call `learn` first")
        rows, labels = self._dreamt()
        inputs, targets = scaled(rows), torch.from_numpy(places(labels, self.labels))
        weight = balance(targets.numpy(), len(self.labels))
        self._networks = []
        kinds = [(0, 0.005, 0.0)] + self.perceptrons * [(self.hidden, 0.002, self.jitter)]
        for number, (hidden, rate, jitter) in enumerate(kinds):
            seed = self.seed + 1000 * number
            net = network(rows.shape[1], len(self.labels), hidden, DROPOUT, seed)

            def loss(batch: torch.Tensor, truth: torch.Tensor, net: nn.Sequential = net, jitter: float = jitter) -> torch.Tensor:
                return torch.nn.functional.cross_entropy(net(batch + jitter * torch.randn_like(batch)), truth, weight=weight)

            descend(list(net.parameters()), loss, inputs, targets, epochs=self.epochs, rate=rate, decay=0.01, seed=seed)
            self._networks.append(net.eval())

    def _dreamt(self) -> tuple[NDArray[np.float32], Labels]:
        """Recalled samples, and the class means in the place of those that were not kept: at most `MOST_MEANS` times a class."""
        rows, labels = self.memory.recall()
        counts = np.bincount(places(labels, self.labels))
        missing = np.minimum(counts * (1 - self.memory.kept) / self.memory.kept, MOST_MEANS).round().astype(np.int64)
        means = np.repeat(self.memory.means().astype(np.float32), missing, axis=0)
        return np.concatenate([rows, means]), np.concatenate([labels, np.repeat(self.labels, missing)])

    def logits(self, vectors: Vector) -> HeadLogits:
        """Logarithms of averaged chances `(n, classes)`."""
        import torch

        if not self._networks:
            self.sleep()
        rows = checked("vectors", vectors, cast("nn.Linear", self._networks[0][0]).in_features)
        with torch.no_grad():
            chances = torch.stack([net(scaled(rows)).double().softmax(1) for net in self._networks]).mean(0)
        return np.asarray(np.log(np.maximum(chances.numpy(), 1e-300)))

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class number `(n,)`."""
        return predicted(self.labels, self.logits(vectors))

    def state(self) -> dict[str, NDArray[Any]]:
        """The cues; the networks follow from them."""
        return self.memory.state()

    def restore(self, state: State) -> None:
        """Become what `state` told of."""
        self.memory.restore(state)
        self._networks = []
