"""`SelfSupervisedEncoder`: features of images that come group after group without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Arrays
from .branch_tuning import expand, fold, freeze_norms
from .image_learner import ImageRecipe, descend_images, encoded, features_of, load_network_state, network_state
from .image_network import image_network
from .views import checked_images, distorted, network_inputs

if TYPE_CHECKING:
    from torch import Tensor, nn


def barlow_twins_loss(first: Tensor, second: Tensor, redundancy: float = 0.01) -> Tensor:
    """`sum_i (1 - C_ii)^2 + redundancy * sum_{i != j} C_ij^2`, `C` the correlations over the batch of two views `(n, d)`.

    Zbontar et al. 2021, "Barlow Twins: Self-Supervised Learning via Redundancy Reduction", equations 1 and 2,
    https://arxiv.org/abs/2103.03230.
    """
    import torch

    first, second = (((view - view.mean(0)) / (view.std(0, correction=0) + 1e-5)) for view in (first, second))
    correlations = first.T @ second / len(first)
    same = correlations.diagonal()
    return (1 - same).square().sum() + redundancy * (correlations.square().sum() - torch.dot(same, same))


class SelfSupervisedEncoder:
    """An encoder trained by Barlow Twins on one group of images after another.

    `form` says how it goes on after the first group: `plain` as before; `frozen_norms` with the statistics of batch norm as
    they were; `branches` (branch-tuning) with batch norm and all kernels as they were, and beside every kernel a new branch
    of `branch_size`, which is folded in at the end of the group, so that the encoder never grows.
    """

    def __init__(
        self,
        recipe: ImageRecipe | None = None,
        *,
        form: Literal["plain", "frozen_norms", "branches"] = "branches",
        branch_size: int = 3,
        projected: int = 128,
        seed: int = 0,
    ) -> None:
        if form not in ("plain", "frozen_norms", "branches"):
            raise ValueError(f"form {form!r} must be 'plain', 'frozen_norms' or 'branches'")
        if branch_size not in (1, 3) or projected < 2:
            raise ValueError(f"branch_size {branch_size} must be 1 or 3, the kernels' own size, and projected {projected} at least 2")
        self.recipe, self.form, self.branch_size, self.projected, self.seed = recipe or ImageRecipe(), form, branch_size, projected, seed
        self._groups = 0
        self._shape: tuple[int, ...] | None = None
        self._network: nn.Sequential | None = None

    def learn(self, pixels: NDArray[np.uint8]) -> None:
        """Go on with a group of images `(n, height, width, 3)`. Raises `ValueError` as `checked_images` does."""
        pixels = checked_images(pixels, self._shape)
        if not len(pixels):
            return
        later = self._network is not None
        self._network, self._shape = self._network or self._fresh(), pixels.shape[1:]
        encoder, projector = self._network[:-1], self._network[-1]
        self._network.train()
        if later and self.form == "branches":
            freeze_norms(encoder, weights=True)
            expand(self._network, self.branch_size)
        elif later and self.form == "frozen_norms":
            freeze_norms(encoder)
        network, recipe = self._network, self.recipe
        draw = np.random.default_rng([self.seed, self._groups])
        inputs = network_inputs(pixels).to(recipe.device)

        def loss(rows: Tensor) -> Tensor:
            first, second = (projector(encoded(network, distorted(inputs[rows], draw))) for _ in range(2))
            return barlow_twins_loss(first, second)

        descend_images([weights for weights in network.parameters() if weights.requires_grad], loss, len(pixels), recipe, draw)
        fold(network).requires_grad_(True).eval()
        self._groups += 1

    def features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Features `(n, d)`. Raises `ValueError` before the first image and for images that do not fit."""
        if self._network is None:
            raise ValueError("SelfSupervisedEncoder has seen no image yet; call `learn` first")
        return features_of(self._network, checked_images(pixels, self._shape), self.recipe.device)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, as plain arrays."""
        if self._network is None:
            return {"groups": np.array(0)}
        return {"groups": np.array(self._groups), "shape": np.array(self._shape), **network_state(self._network)}

    def restore(self, state: Arrays) -> None:
        """Restore what `state` of an encoder of the same settings returned; its `form` may be another."""
        self._groups = int(state["groups"])
        self._network, self._shape = None, None
        if self._groups:
            self._network, self._shape = self._fresh().eval(), tuple(int(side) for side in state["shape"])
            load_network_state(self._network, state)

    def _fresh(self) -> nn.Sequential:
        """An encoder and, as the last module, what projects its features into the space of the loss."""
        import torch
        from torch import nn

        recipe = self.recipe
        made = image_network(1, width=recipe.width, blocks=recipe.blocks, stride=recipe.stride, seed=self.seed)
        features = cast("nn.Linear", made[-1]).in_features
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            made[-1] = nn.Sequential(
                nn.Linear(features, self.projected), nn.BatchNorm1d(self.projected), nn.ReLU(), nn.Linear(self.projected, self.projected)
            )
        laid: Any = made.to(recipe.device)  # its stubs leave out the layout
        return cast("nn.Sequential", laid.to(memory_format=torch.channels_last))
