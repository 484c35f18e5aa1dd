"""`DesireLearner`: a sentence encoder trained through LoRA class after class, from texts, without keeping any.

Guo et al. 2024, "DESIRE: Dynamic Knowledge Consolidation for Rehearsal-Free Continual Learning", https://arxiv.org/abs/2411.19154. Each
task trains a LoRA of its own on the
frozen encoder, nothing holding it back. Two are kept: the merged one so far and the current one. *Representation consolidation* learns how
much of each enters every matrix, on the new texts, by the stored class Gaussians; *boundary refinement* makes the classifier anew from the
Gaussians of all classes, old and new.

What is taken from the paper's description: the separate LoRAs, the two sets, coefficients learned on the new data by the Gaussians, the
classifier from pseudo-features. What is reconstruction, as its code and its exact loss were not at hand: the loss (`consolidated`), where
the coefficients begin, covariances of low rank, mixed half and half with the one all classes share (a class has far fewer texts than its
vector has dimensions), merged changes kept as whole matrices, and how the Gaussians follow the features.

A class's Gaussian is true in the space of the encoder that read its texts. When a merge moves the space, a linear map is fitted from the
new texts' features before to those after, and all Gaussians move by it (`drift`); where the new texts say nothing the map is the identity.
The error of that map is not corrected afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels
from ...heads.head import HeadLogits, predicted
from ..heads.replay import ReplayHead
from ..images.class_gaussians import ClassGaussians, drift
from .adapted_encoder import AdaptedEncoder, Change, EncoderRecipe
from .merging import consolidated, merged

MERGING = EncoderRecipe(epochs=2, learning_rate=0.02)
"""How coefficients are learned: no rank, and few steps, as there are two a matrix."""


class DesireLearner:
    """Learns classes from texts, task after task, and tells the class of a text.

    `recipe` trains each task's LoRA and `merging` the coefficients; they begin where all tasks count alike, and stay there where `merge` is
    `"average"`. `draws` is the number of pseudo-features of each class from which the softmax classifier is made anew.
    """

    def __init__(
        self,
        encoder: AdaptedEncoder,
        *,
        recipe: EncoderRecipe | None = None,
        merging: EncoderRecipe = MERGING,
        merge: Literal["learned", "average"] = "learned",
        draws: int = 150,
        seed: int = 0,
    ) -> None:
        self.encoder, self.recipe, self.merging = encoder, recipe or EncoderRecipe(), merging
        self.merge, self.draws, self.seed = merge, draws, seed
        self.change: Change | None = None
        self.tasks = 0
        self.gaussians = ClassGaussians()
        self._head: ReplayHead | None = None

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return self.gaussians.labels

    def learn(self, texts: Sequence[str], labels: Labels, current: Change | None = None) -> None:
        """A task: texts and class numbers `(n,)`; `current` is its LoRA where that was trained already.

        Raises `ValueError` for no texts and for lengths that differ; nothing has changed then.
        """
        labels = np.asarray(labels, dtype=np.int64)
        recipe = replace(self.recipe, seed=self.seed + self.tasks)
        current = current or self.encoder.train(texts, labels, recipe)[0]
        before, self.change = self.change, self._merged(texts, labels, current)
        self.tasks += 1
        vectors = self.encoder.encode(texts, self.change)
        if before is not None:
            self.gaussians = self.gaussians.moved(*drift(self.encoder.encode(texts, before), vectors))
        self.gaussians.learn(vectors, labels)
        self._head = None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit rows `(n, d)` under the merged change."""
        return self.encoder.encode(texts, self.change)

    def scores(self, texts: Sequence[str]) -> HeadLogits:
        """Logits `(n, classes)`, larger is likelier. Raises `ValueError` before the first task."""
        if not self.tasks:
            raise ValueError("DesireLearner knows no class yet; call `learn` first")
        if self._head is None:
            # Boundary refinement: a softmax fitted to pseudo-features alone, with nothing left of the last one.
            self._head = ReplayHead(per_class=None, seed=self.seed)
            self._head.learn(*self.gaussians.draws(self.draws, self.seed))
        return self._head.logits(self.encode(texts))

    def predict(self, texts: Sequence[str]) -> Labels:
        """The likeliest class number `(n,)`. Raises as `scores` does."""
        return predicted(self.labels, self.scores(texts))

    def _merged(self, texts: Sequence[str], labels: Labels, current: Change) -> Change:
        if self.change is None:
            return current
        changes, share = (self.change, current), 1 / (self.tasks + 1)
        if self.merge == "learned":
            return consolidated(self.encoder, texts, labels, changes, self.gaussians, replace(self.merging, seed=self.seed), share)
        import torch

        return merged(self.encoder, changes, torch.tensor([[1 - share], [share]]).repeat(1, len(self.encoder.names)))
