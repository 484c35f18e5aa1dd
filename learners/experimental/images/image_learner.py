"""`ImageLearner`: classes of images one group after another, where the encoder trains too."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Arrays, Labels
from ...heads.head import HeadLogits
from .image_network import image_network
from .views import checked_images, network_inputs, shifted

if TYPE_CHECKING:
    from torch import Tensor, nn

ASKED = 500
"""Images asked at a time."""


@dataclass(frozen=True, kw_only=True)
class ImageRecipe:
    """On what network, and for how long, a learner of images trains at every call."""

    width: int = 32
    """Channels of the first stage."""
    blocks: tuple[int, ...] = (1, 1, 1)
    """Residual blocks of each stage."""
    stride: int = 2
    """Of the first convolution."""
    epochs: int = 10
    """Passes over the images of a call."""
    batch_size: int = 64
    """Images a step."""
    learning_rate: float = 0.002
    """Of AdamW at the start of every call; a half cosine takes it to zero."""
    weight_decay: float = 0.01
    """Of AdamW."""
    device: str = "cpu"
    """Where torch computes."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a value out of its range."""
        if self.epochs < 1 or self.batch_size < 2 or self.learning_rate <= 0:
            raise ValueError(f"epochs {self.epochs} must be at least 1, batch_size {self.batch_size} 2, learning_rate above 0")


class ImageLearner:
    """Tells the class of an image, and learns classes one after another without the images of the earlier ones.

    As it stands here it trains on what it is given and forgets the rest: the naive contrast, and the joint bound where it is
    given everything at once. Members change the loss of a batch (`_loss`) and what is kept from call to call (`_keep`).
    As it stands it is a contrast of no paper; members name theirs.
    """

    views = 1
    """Columns of the network a class."""

    def __init__(self, recipe: ImageRecipe | None = None, *, seed: int = 0) -> None:
        self.recipe, self.seed = recipe or ImageRecipe(), seed
        self._known: Labels = np.zeros(0, dtype=np.int64)
        self._shape: tuple[int, ...] | None = None
        self._network: nn.Sequential | None = None
        self._arrays: dict[str, NDArray[Any]] = {}

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending: the order of the columns of `scores`."""
        return np.sort(self._known)

    def learn(self, pixels: NDArray[np.uint8], labels: Labels) -> None:
        """Add images `(n, height, width, 3)` of classes old or new; all together train the whole network.

        Raises `ValueError` for what is not uint8, for another size than before and for lengths that differ; nothing has changed then.
        """
        pixels, labels = checked_images(pixels, self._shape), np.asarray(labels, dtype=np.int64)
        if labels.shape != (len(pixels),):
            raise ValueError(f"{len(pixels)} images and labels of the shape {labels.shape}; one label an image is needed")
        if not len(pixels):
            return
        self._shape = pixels.shape[1:]
        teacher = None if self._network is None else copy.deepcopy(self._network).eval().requires_grad_(False)
        self._network = self._expanded(np.setdiff1d(labels, self._known))
        places = np.array([int(np.flatnonzero(self._known == label)[0]) for label in labels], dtype=np.int64)
        self._train(pixels, places, teacher)
        self._keep(pixels, labels, places, teacher)

    def scores(self, pixels: NDArray[np.uint8]) -> HeadLogits:
        """Scores `(n, classes)`, larger is likelier. Raises `ValueError` before the first image and for images that do not fit."""
        import torch

        pixels, _ = checked_images(pixels, self._shape), self._trained()
        with torch.no_grad():
            parts = [self._scores(network_inputs(part).to(self.recipe.device)) for part in parts_of(pixels)]
        return np.asarray(np.concatenate(parts)[:, np.argsort(self._known)], dtype=np.float64)

    def predict(self, pixels: NDArray[np.uint8]) -> Labels:
        """The likeliest class number `(n,)`; never one that was not learned. Raises as `scores` does."""
        scores = self.scores(pixels)
        return np.asarray(self.labels[scores.argmax(1)])

    def features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What the encoder makes of images: `(n, d)`. Raises as `scores` does."""
        return features_of(self._trained(), checked_images(pixels, self._shape), self.recipe.device)

    def state(self) -> dict[str, NDArray[Any]]:
        """All that was learned, as plain arrays."""
        arrays = {f"kept.{name}": array.copy() for name, array in self._arrays.items()}
        if self._network is not None:
            arrays |= network_state(self._network)
            arrays["shape"] = np.array(self._shape)
        return {"known": self._known.copy(), **arrays}

    def restore(self, state: Arrays) -> None:
        """Restore what `state` of a learner of the same settings returned."""
        self._known = np.array(state["known"], dtype=np.int64)
        self._arrays = {name.removeprefix("kept."): np.array(array) for name, array in state.items() if name.startswith("kept.")}
        self._shape = tuple(int(side) for side in state["shape"]) if "shape" in state else None
        self._network = None
        if self._shape is not None:
            self._network = self._fresh(len(self._known))
            load_network_state(self._network, state)

    def _loss(self, batch: Tensor, places: Tensor, teacher: nn.Sequential | None, draw: np.random.Generator) -> Tensor:
        """The loss of shifted images and the places of their classes; `teacher` is the network before this call."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(self._head(self._encoded(batch)), places)

    def _keep(self, pixels: NDArray[np.uint8], labels: Labels, places: NDArray[np.int64], teacher: nn.Sequential | None) -> None:
        """Keep in `_arrays` what later calls need of these images."""

    def _scores(self, inputs: Tensor) -> NDArray[np.floating]:
        """Scores of a few images, in the order in which the classes came."""
        return np.asarray(self._head(self._encoded(inputs)).cpu().numpy())

    def _train(self, pixels: NDArray[np.uint8], places: NDArray[np.int64], teacher: nn.Sequential | None) -> None:
        import torch

        network, recipe = self._trained().train(), self.recipe
        # Chance follows from the seed and from what was known before, so a learner read from disk goes on in the same way.
        draw = np.random.default_rng([self.seed, 0 if teacher is None else cast("nn.Linear", teacher[-1]).out_features])
        inputs, targets = network_inputs(pixels).to(recipe.device), torch.from_numpy(places).to(recipe.device)

        def loss(rows: Tensor) -> Tensor:
            batch = shifted(inputs[rows], draw, pixels.shape[1] // 8)
            return self._loss(batch, targets[rows], teacher, draw)

        descend_images(list(network.parameters()), loss, len(pixels), recipe, draw)
        network.eval()

    def _trained(self) -> nn.Sequential:
        if self._network is None:
            raise ValueError(f"{type(self).__name__} knows no class yet; call `learn` first")
        return self._network

    def _encoded(self, inputs: Tensor) -> Tensor:
        return encoded(self._trained(), inputs)

    def _head(self, features: Tensor) -> Tensor:
        return cast("Tensor", self._trained()[-1](features))

    def _fresh(self, classes: int) -> nn.Sequential:
        import torch

        recipe = self.recipe
        made: Any = image_network(
            max(1, classes) * self.views, width=recipe.width, blocks=recipe.blocks, stride=recipe.stride, seed=self.seed
        )
        return cast("nn.Sequential", made.to(recipe.device).to(memory_format=torch.channels_last).eval())

    def _expanded(self, new: Labels) -> nn.Sequential:
        """The network with columns more for new classes; what was there stays."""
        import torch

        self._known = np.concatenate([self._known, new])
        fresh = self._fresh(len(self._known))
        if self._network is None:
            return fresh
        old, head = cast("nn.Linear", self._network[-1]), cast("nn.Linear", fresh[-1])
        with torch.no_grad():
            head.weight[: old.out_features] = old.weight
            head.bias[: old.out_features] = old.bias
        self._network[-1] = head
        return self._network


def descend_images(parameters: list[Any], loss: Any, count: int, recipe: ImageRecipe, draw: np.random.Generator) -> None:
    """AdamW over random batches of the places 0 to `count`, with a half cosine to zero; `loss` takes places."""
    import torch

    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    batches = max(1, count // recipe.batch_size)
    with torch.enable_grad():
        for epoch in range(recipe.epochs):
            for number, rows in enumerate(np.array_split(draw.permutation(count), batches)):
                done = (epoch + number / batches) / recipe.epochs
                optimiser.param_groups[0]["lr"] = recipe.learning_rate * (1 + cos(pi * done)) / 2
                optimiser.zero_grad()
                loss(torch.from_numpy(rows).to(recipe.device)).backward()
                optimiser.step()


def encoded(network: nn.Sequential, inputs: Tensor) -> Tensor:
    """Features `(n, d)` of all but the last module: convolutions in bfloat16, the result in float32."""
    import torch

    # Without the cache, which would keep the first step's weights for as long as the training lasts.
    with torch.autocast(inputs.device.type, dtype=torch.bfloat16, cache_enabled=False):
        return cast("Tensor", network[:-1](inputs)).float()


def features_of(network: nn.Sequential, pixels: NDArray[np.uint8], device: str) -> NDArray[np.float32]:
    """Features of images by a network in evaluation mode, some images at a time."""
    import torch

    with torch.no_grad():
        parts = [encoded(network, network_inputs(part).to(device)).cpu().numpy() for part in parts_of(pixels)]
    return np.concatenate(parts)


def parts_of(pixels: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The images, some at a time; where there are none, a part without any."""
    return [pixels[start : start + ASKED] for start in range(0, max(1, len(pixels)), ASKED)]


def network_state(network: nn.Module, prefix: str = "network.") -> dict[str, NDArray[Any]]:
    """Weights and statistics of a network as arrays."""
    return {f"{prefix}{name}": value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def load_network_state(network: nn.Module, state: Arrays, prefix: str = "network.") -> None:
    """The reverse of `network_state`."""
    import torch

    network.load_state_dict({name: torch.from_numpy(np.array(state[f"{prefix}{name}"])) for name in network.state_dict()})
