"""`ReplayImageLearner`: some images of every class are kept and seen again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels
from .image_learner import ImageLearner, ImageRecipe
from .views import network_inputs, shifted

if TYPE_CHECKING:
    from torch import Tensor, nn


class ReplayImageLearner(ImageLearner):
    """Experience replay: to every batch of new images comes one as large of kept ones, `per_class` of each class, drawn at random.

    Chaudhry et al. 2019, "On Tiny Episodic Memories in Continual Learning", https://arxiv.org/abs/1902.10486, algorithm 1.
    """

    def __init__(self, recipe: ImageRecipe | None = None, *, per_class: int = 20, seed: int = 0) -> None:
        if per_class < 1:
            raise ValueError(f"per_class {per_class} must be at least 1; an ImageLearner keeps none")
        super().__init__(recipe, seed=seed)
        self.per_class = per_class

    def _loss(self, batch: Tensor, places: Tensor, teacher: nn.Sequential | None, draw: np.random.Generator) -> Tensor:
        import torch
        from torch.nn.functional import cross_entropy

        if teacher is not None:
            kept, old = self._arrays["pixels"], self._arrays["places"]
            some = draw.integers(len(kept), size=len(batch))
            again = shifted(network_inputs(kept[some]).to(batch.device), draw, kept.shape[1] // 8)
            batch, places = torch.cat([batch, again]), torch.cat([places, torch.from_numpy(old[some]).to(places.device)])
        return cross_entropy(self._head(self._encoded(batch)), places)

    def _keep(self, pixels: NDArray[np.uint8], labels: Labels, places: NDArray[np.int64], teacher: nn.Sequential | None) -> None:
        draw = np.random.default_rng([self.seed, len(self._known)])
        for name, array in (("pixels", pixels), ("places", places)):
            self._arrays[name] = np.concatenate([self._arrays[name], array]) if name in self._arrays else array
        rank = draw.permutation(len(self._arrays["places"]))
        chosen = [rank[self._arrays["places"][rank] == place][: self.per_class] for place in range(len(self._known))]
        some = np.sort(np.concatenate(chosen))
        self._arrays = {name: array[some] for name, array in self._arrays.items()}
