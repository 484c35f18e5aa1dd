"""`MisclassificationPrompt`: where a vision-language classifier will be wrong, from a few images of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from ....numerics.arrays import Scores
from ..training.classifier_training import Augment
from .vision_language import VisionLanguageEncoder, guided_crops, random_crops, random_prompts, train_prompts

if TYPE_CHECKING:
    from torch import Tensor


class MisclassificationPrompt:
    """Zeng et al. 2025, "Towards Efficient and General-Purpose Few-Shot Misclassification Detection for Vision-Language Models"
    (FSMisD), https://arxiv.org/abs/2503.20492.

    For each class a category prompt is trained, and negative prompts that are held orthogonal. The crop of an image that is least like
    its class gives a pseudo feature, on which a sure answer would be wrong: the negative loss pushes the category prompts from it, and
    its weight of the softmax to the negative prompts. Confidence is the largest share of a class in the softmax over both.

    The paper has no released code: the parts are its own, the form of the losses is a reconstruction. Tested on a tiny CLIP of random
    weights; how well it ranks with a pretrained one was not measured here.
    """

    def __init__(
        self,
        encoder: VisionLanguageEncoder,
        prompts: Sequence[Sequence[int]],
        names: Sequence[Sequence[int]],
        *,
        negatives: int = 10,
        context: int = 16,
        negative_weight: float = 1.0,
        orthogonal_weight: float = 1.0,
        seed: int = 0,
    ) -> None:
        """`prompts` are the tokens of "a photo of a ...", which guide the crops, and `names` those of the class alone.

        Raises `ValueError` for classes or counts that do not fit.
        """
        if not len(prompts) == len(names) > 0:
            raise ValueError(f"{len(prompts)} prompts and {len(names)} names; one of each a class and at least one class are needed")
        if negatives < 1 or context < 1:
            raise ValueError(f"negatives {negatives} and context {context} must be at least 1")
        self._encoder = encoder
        self._weights = negative_weight, orthogonal_weight
        self._draw = np.random.default_rng(seed)
        self._names = [encoder.words(name) for name in names]
        self._guides = encoder.text_features([encoder.words(prompt) for prompt in prompts])
        self.category_prompts = random_prompts(len(names), context, encoder.width, self._draw)
        self.negative_prompts = random_prompts(negatives, context, encoder.width, self._draw)

    def fit(
        self,
        images: Tensor,
        labels: Tensor,
        *,
        epochs: int = 30,
        batch_size: int = 32,
        learning_rate: float = 0.002,
        crops: int = 8,
        crop: Augment = random_crops,
    ) -> Self:
        """Train the prompts on `(n, channels, size, size)` and class numbers `(n,)`; `loss_history` then holds the mean loss by epoch."""
        if not len(images) == len(labels) > 0:
            raise ValueError(f"{len(images)} images and {len(labels)} labels; one label an image and at least one are needed")

        def loss(rows: Tensor, draw: np.random.Generator) -> Tensor:
            asked = labels[rows]
            _, (pseudo, _) = guided_crops(self._encoder, images[rows], self._guides[asked], crop, crops, draw)
            return self.loss(self._encoder.image_features(images[rows])[0], pseudo, asked)

        prompts = [self.category_prompts, self.negative_prompts]
        self.loss_history = train_prompts(
            prompts, loss, len(images), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, draw=self._draw
        )
        return self

    def loss(self, images: Tensor, pseudo: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the images' features `(n, d)`, the negative loss of the pseudo features `(n, d)`, and what is not orthogonal."""
        import torch
        from torch.nn.functional import cross_entropy

        category, negative = self._features()
        logits = self._encoder.scale * images @ torch.cat([category, negative]).T
        out_of_scope = negative_loss(self._encoder.scale * pseudo @ category.T, self._encoder.scale * pseudo @ negative.T)
        return cross_entropy(logits, labels) + self._weights[0] * out_of_scope + self._weights[1] * overlap(negative)

    def probabilities(self, images: Tensor) -> Tensor:
        """`(n, classes)`: the classes' shares of the softmax over classes and negatives; what is missing from 1 is doubt."""
        import torch

        with torch.no_grad():
            category, negative = self._features()
            logits = self._encoder.scale * self._encoder.image_features(images)[0] @ torch.cat([category, negative]).T
            return logits.softmax(-1)[:, : len(category)]

    def confidence(self, images: Tensor) -> Scores:
        """`(n,)`, larger is surer: the largest of `probabilities`."""
        scores: Scores = self.probabilities(images).amax(-1).numpy()
        return scores

    def _features(self) -> tuple[Tensor, Tensor]:
        import torch

        category = [torch.cat([context, name]) for context, name in zip(self.category_prompts, self._names, strict=True)]
        return self._encoder.text_features(category), self._encoder.text_features(list(self.negative_prompts))


def negative_loss(category: Tensor, negative: Tensor) -> Tensor:
    """Mean of `-ln` of the negatives' share of the softmax over both, of logits `(n, classes)` and `(n, negatives)`."""
    import torch

    matched = negative.logsumexp(-1)
    return (torch.logaddexp(matched, category.logsumexp(-1)) - matched).mean()


def overlap(rows: Tensor) -> Tensor:
    """Mean squared cosine between different rows `(n, d)` of length one; 0 where all are orthogonal, and for one row."""
    count = len(rows)
    squares = (rows @ rows.T) ** 2
    return (squares.sum() - squares.diagonal().sum()) / max(1, count * (count - 1))
