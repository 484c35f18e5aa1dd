"""`LocalPrompt`: what is out of scope in an image, told by prompts for its regions, from a few images of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from ....numerics.arrays import Scores
from ..training.classifier_training import Augment
from .vision_language import VisionLanguageEncoder, guided_crops, random_crops, random_prompts, train_prompts

if TYPE_CHECKING:
    from torch import Tensor


class LocalPrompt:
    """Zeng et al. 2025, "Local-Prompt: Extensible Local Prompts for Few-Shot Out-of-Distribution Detection",
    https://arxiv.org/abs/2409.04796.

    Global prompts stay as they are written. For each class a local prompt is trained, and negative prompts beside them: the crop that
    is most like the global prompt of its class has to match the local one region by region, the crop that is least like it the
    negative ones. Loss: local contrastive + `negative_weight` x negative + `diversity_weight` x likeness of the negative prompts.

    Tested on a tiny CLIP of random weights. How well it detects with a pretrained one was not measured here; the paper reports it for
    ImageNet. The released code takes the diversity over the class prompts; this takes it over the negative ones, as the paper writes.
    """

    def __init__(
        self,
        encoder: VisionLanguageEncoder,
        prompts: Sequence[Sequence[int]],
        names: Sequence[Sequence[int]],
        *,
        negatives: int = 10,
        context: int = 16,
        regions: int = 50,
        negative_weight: float = 5.0,
        diversity_weight: float = 0.5,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> None:
        """`prompts` are the tokens of "a photo of a ..." and `names` those of the class alone, without marks of beginning and end.

        `regions` is how many of an image's regions count, the most alike. Raises `ValueError` for classes or counts that do not fit.
        """
        if not len(prompts) == len(names) > 0:
            raise ValueError(f"{len(prompts)} prompts and {len(names)} names; one of each a class and at least one class are needed")
        if negatives < 2 or context < 1 or regions < 1:
            raise ValueError(f"negatives {negatives}, context {context} and regions {regions} must be at least 2, 1 and 1")
        self._encoder = encoder
        self._regions = regions
        self._weights = negative_weight, diversity_weight
        self._temperature = temperature
        self._draw = np.random.default_rng(seed)
        self._names = [encoder.words(name) for name in names]
        self._global = encoder.text_features([encoder.words(prompt) for prompt in prompts])
        self.local_prompts = random_prompts(len(names), context, encoder.width, self._draw)
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
            (_, near), (_, far) = guided_crops(self._encoder, images[rows], self._global[asked], crop, crops, draw)
            return self.loss(near, far, asked)

        prompts = [self.local_prompts, self.negative_prompts]
        self.loss_history = train_prompts(
            prompts, loss, len(images), epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, draw=self._draw
        )
        return self

    def loss(self, near: Tensor, far: Tensor, labels: Tensor) -> Tensor:
        """Of the regions `(n, regions, d)` of the crops most and least like their class."""
        local, negative = self._features()
        scale = self._encoder.scale / self._temperature
        fit = local_contrastive(scale * near @ local.T, scale * near @ negative.T, labels, self._regions)
        out_of_scope = negative_contrastive(scale * far @ local.T, scale * far @ negative.T, labels, self._regions)
        return fit + self._weights[0] * out_of_scope + self._weights[1] * mean_likeness(negative)

    def class_scores(self, images: Tensor) -> Tensor:
        """`(n, classes)`, larger is likelier: `exp(global cosine)` times the mean of `exp(local cosine)` over the most alike regions."""
        import torch

        with torch.no_grad():
            whole, regions = self._encoder.image_features(images)
            near = (regions @ self._features()[0].T / self._temperature).exp()
            return (whole @ self._global.T).exp() * near.topk(min(self._regions, near.shape[1]), dim=1).values.mean(1)

    def novelty(self, images: Tensor) -> Scores:
        """`(n,)`, larger is stranger: less the largest global softmax, less the mean of the largest local ones with negatives beside."""
        import torch

        with torch.no_grad():
            whole, regions = self._encoder.image_features(images)
            local, negative = self._features()
            both = (regions @ torch.cat([local, negative]).T / self._temperature).softmax(-1)[..., : len(local)].flatten(1)
            near = both.topk(min(self._regions, both.shape[1]), dim=1).values.mean(1)
            scores: Scores = -((whole @ self._global.T / self._temperature).softmax(-1).amax(-1) + near).numpy()
        return scores

    def _features(self) -> tuple[Tensor, Tensor]:
        import torch

        local = [torch.cat([context, name]) for context, name in zip(self.local_prompts, self._names, strict=True)]
        return self._encoder.text_features(local), self._encoder.text_features(list(self.negative_prompts))


def local_contrastive(local: Tensor, negative: Tensor, labels: Tensor, regions: int) -> Tensor:
    """Mean of `-ln (S_y / (sum of S_c over classes + sum of S_j over negatives))`, S the sum of exp over a prompt's top regions.

    Logits `(n, regions, classes)` and `(n, regions, negatives)`.
    """
    import torch

    regions = min(regions, local.shape[1])
    # Sums of exponentials in logarithms: S of each prompt first, then the sum over all prompts.
    every = torch.cat([local, negative], -1).topk(regions, dim=1).values.logsumexp(1)
    own = every.gather(1, labels[:, None])[:, 0]
    return (every.logsumexp(1) - own).mean()


def negative_contrastive(local: Tensor, negative: Tensor, labels: Tensor, regions: int) -> Tensor:
    """The same with the negatives as what is to be matched, at the regions that look most like the class."""
    import torch

    regions = min(regions, local.shape[1])
    own = local.gather(2, labels[:, None, None].expand(-1, local.shape[1], 1))
    places = own.topk(regions, dim=1).indices.expand(-1, -1, negative.shape[2])
    matched = negative.gather(1, places).flatten(1).logsumexp(1)
    against = local.topk(regions, dim=1).values.flatten(1).logsumexp(1)
    return (torch.logaddexp(matched, against) - matched).mean()


def mean_likeness(rows: Tensor) -> Tensor:
    """Mean cosine between different rows `(n, d)` of length one."""
    count = len(rows)
    cosines = rows @ rows.T
    return (cosines.sum() - cosines.diagonal().sum()) / (count * (count - 1))
