"""`CueHead`: awake it keeps cues; asleep it recalls them and refits."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....memory.cues.cue_memory import CueMemory
from ....numerics.arrays import Arrays, Labels, Vector, validate_rows
from ...heads.ensemble import chances, fit_network
from ...heads.head import HeadLogits, predicted
from ...heads.softmax import balance, places
from .kernel_ridge import Chances, kernel_ridge

MOST_MEANS = 10
"""Class means that stand in for dropped samples, at most so many a class."""
MOST_SOLVED = 16_000
"""Samples in the closed form, at most: it takes 4 bytes for each pair of them. Of more, so many are drawn."""


class CueHead:
    """Semi-parametric continual memory (SPMC, 2025, https://arxiv.org/abs/2504.14727) over frozen vectors.

    *Awake*, `learn` writes cues, without any gradient. *Asleep*, `sleep` recalls all cues and fits two classifiers of different
    kinds: ridge regression in a Gaussian kernel, in closed form, and a two-layer perceptron under Gaussian noise of `jitter`
    deviations of an entry. Their chances are averaged. Classes count alike, whatever the number of their samples. `logits` sleeps
    first where something was learned since; who cannot wait for that asks `fitted`.

    Taking samples back is not exact (class mean and codebook keep a trace until the class goes), so there is no `unlearn`;
    `forget` removes cues and the next sleep does without them. `forget_class` removes all of a class.
    """

    def __init__(
        self,
        *,
        step: float = 0.07,
        kept: float = 0.72,
        directions: int = 48,
        gamma: float = 1.0,
        regularisation: float = 0.1,
        sharpness: float = 25.0,
        hidden: int = 256,
        epochs: int = 20,
        jitter: float = 0.6,
        seed: int = 0,
    ) -> None:
        self.gamma, self.regularisation, self.sharpness = gamma, regularisation, sharpness
        self.hidden, self.epochs, self.jitter, self.seed = hidden, epochs, jitter, seed
        self.memory = CueMemory(step=step, directions=directions, kept=kept)
        self._members: tuple[Chances, ...] = ()
        self._dimensions: int | None = None

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return self.memory.labels

    @property
    def fitted(self) -> bool:
        """Whether it answers at once, because nothing was learned or forgotten since it slept."""
        return bool(self._members)

    def learn(self, vectors: Vector, labels: Labels) -> None:
        """Wake: write cues of samples `(n, d)`."""
        self.memory.remember(validate_rows("vectors", vectors), labels)
        self._members = ()

    def forget(self, vectors: Vector, labels: Labels) -> int:
        """Remove the cues of samples and return how many there were; the next answer comes from a refit without them."""
        removed = self.memory.forget(validate_rows("vectors", vectors), labels)
        self._members = ()
        return removed

    def forget_class(self, label: int) -> bool:
        """Remove a class; whether nothing of it is left, as in `CueMemory.forget_class`. The next answer comes from a refit."""
        whole = self.memory.forget_class(label)
        self._members = ()
        return whole

    def sleep(self) -> None:
        """Refit from recalled cues. Raises `ValueError` where there are none."""
        if not len(self.labels):
            raise ValueError("CueHead knows no class yet; call `learn` first")
        rows, labels = self._replay_set()
        self._dimensions = rows.shape[1]
        targets = places(labels, self.labels)
        self._members = self._fit_kernel_ridge(rows, targets), self._fit_mlp(rows, targets)

    def _fit_kernel_ridge(self, rows: NDArray[np.float32], targets: NDArray[np.int64]) -> Chances:
        """The classifier in closed form."""
        # The kernel matrix has n^2 entries and is solved in n^3: beyond this many rows a fixed sample stands for all.
        if len(rows) > MOST_SOLVED:
            some = np.sort(np.random.default_rng(self.seed).choice(len(rows), MOST_SOLVED, replace=False))
            rows, targets = rows[some], targets[some]
        weights = balance(targets, len(self.labels)).numpy()
        return kernel_ridge(rows, targets, weights, gamma=self.gamma, regularisation=self.regularisation, sharpness=self.sharpness)

    def _fit_mlp(self, rows: NDArray[np.float32], targets: NDArray[np.int64]) -> Chances:
        """The perceptron."""
        # Another seed than the memory's, so that the two members do not share their randomness.
        known, seed = len(self.labels), self.seed + 1000
        net = fit_network(rows, targets, known, hidden=self.hidden, epochs=self.epochs, jitter=self.jitter, seed=seed)
        return partial(chances, net)

    def _replay_set(self) -> tuple[NDArray[np.float32], Labels]:
        """Recalled samples, and the class means in the place of those that were not kept: at most `MOST_MEANS` times a class."""
        rows, labels = self.memory.recall()
        counts = np.bincount(places(labels, self.labels))
        # A class must weigh as many samples as it had: its mean stands in for those whose cues were not kept.
        missing = np.minimum(counts * (1 - self.memory.kept) / self.memory.kept, MOST_MEANS).round().astype(np.int64)
        means = np.repeat(self.memory.means().astype(np.float32), missing, axis=0)
        return np.concatenate([rows, means]), np.concatenate([labels, np.repeat(self.labels, missing)])

    def logits(self, vectors: Vector) -> HeadLogits:
        """Logarithms of averaged chances `(n, classes)`."""
        if not self._members:
            self.sleep()
        rows = validate_rows("vectors", vectors, self._dimensions)
        chances = np.mean([member(rows) for member in self._members], axis=0)
        # Probabilities are averaged and not logits: the members' logits have different scales. The bound keeps log finite.
        return np.asarray(np.log(np.maximum(chances, 1e-300)))

    def predict(self, vectors: Vector) -> Labels:
        """The likeliest class number `(n,)`."""
        return predicted(self.labels, self.logits(vectors))

    def state(self) -> dict[str, NDArray[Any]]:
        """The cues; the classifiers follow from them."""
        return self.memory.state()

    def restore(self, state: Arrays) -> None:
        """Restore what `state` returned."""
        self.memory.restore(state)
        self._members = ()
