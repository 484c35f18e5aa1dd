"""`DistillationImageLearner`: Learning without Forgetting."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from .image_learner import ImageLearner, ImageRecipe, encoded

if TYPE_CHECKING:
    from torch import Tensor, nn


def distillation_loss(logits: Tensor, taught: Tensor, temperature: float = 2.0) -> Tensor:
    """`T^2 KL(softmax(taught / T) || softmax(logits / T))`, the mean over rows, in nats (Hinton et al. 2015, "Distilling the Knowledge
    in a Neural Network", section 2, https://arxiv.org/abs/1503.02531).
    """
    from torch.nn.functional import kl_div

    student, teacher = (logits / temperature).log_softmax(1), (taught / temperature).log_softmax(1)
    return temperature**2 * kl_div(student, teacher, reduction="batchmean", log_target=True)


class DistillationImageLearner(ImageLearner):
    """LwF (Li and Hoiem 2016, "Learning without Forgetting", https://arxiv.org/abs/1606.09282): on new images the old columns answer as
    they did before.

    New classes are distinguished among themselves alone, as usual where classes come one after another: a cross-entropy over all
    columns would push the old ones down on every image.
    """

    def __init__(self, recipe: ImageRecipe | None = None, *, strength: float = 1.0, temperature: float = 2.0, seed: int = 0) -> None:
        if strength < 0 or temperature <= 0:
            raise ValueError(f"strength {strength} must not be negative and temperature {temperature} must be above 0")
        super().__init__(recipe, seed=seed)
        self.strength, self.temperature = strength, temperature

    def _loss(self, batch: Tensor, places: Tensor, teacher: nn.Sequential | None, draw: np.random.Generator) -> Tensor:
        import torch
        from torch.nn.functional import cross_entropy

        logits = self._head(self._encoded(batch))
        if teacher is None:
            return cross_entropy(logits, places)
        with torch.no_grad():
            taught = cast("Tensor", teacher[-1](encoded(teacher, batch)))
        before = taught.shape[1]
        fresh = places >= before
        total = self.strength * distillation_loss(logits[:, :before], taught, self.temperature)
        if fresh.any():
            total = total + cross_entropy(logits[fresh, before:], places[fresh] - before)
        if not fresh.all():  # a class that comes again is told from all
            total = total + cross_entropy(logits[~fresh], places[~fresh])
        return total
