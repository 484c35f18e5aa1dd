"""`Ensemble`: networks of two kinds, fitted on the same samples, whose chances are averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ..perception.encoder import Vector
from ._softmax import balance, descend, network, scaled
from .head import HeadLogits, State

if TYPE_CHECKING:
    import torch
    from torch import nn

DROPOUT = 0.5
"""Of the hidden units, in training."""


class Ensemble:
    """A linear network and two-layer ones, these fitted under Gaussian noise of `jitter` deviations of an entry.

    Classes count alike, whatever the number of their samples. Everything random comes from the seed.
    """

    def __init__(self, networks: list[nn.Sequential]) -> None:
        self._networks = [net.eval() for net in networks]

    @classmethod
    def fit(
        cls,
        rows: Vector,
        targets: NDArray[np.int64],
        classes: int,
        *,
        hidden: int = 1024,
        perceptrons: int = 2,
        epochs: int = 20,
        jitter: float = 0.6,
        seed: int = 0,
    ) -> Ensemble:
        """Fit on vectors `(n, d)` of about unit length and the places `(n,)` of their classes, each of which has a sample."""
        import torch

        inputs, truth = scaled(rows), torch.from_numpy(targets)
        weight = balance(targets, classes)
        networks: list[nn.Sequential] = []
        for number, (units, rate, noise) in enumerate([(0, 0.005, 0.0)] + perceptrons * [(hidden, 0.002, jitter)]):
            net = network(rows.shape[1], classes, units, DROPOUT, seed + 1000 * number)

            def loss(batch: torch.Tensor, own: torch.Tensor, net: nn.Sequential = net, noise: float = noise) -> torch.Tensor:
                return torch.nn.functional.cross_entropy(net(batch + noise * torch.randn_like(batch)), own, weight=weight)

            descend(list(net.parameters()), loss, inputs, truth, epochs=epochs, rate=rate, decay=0.01, seed=seed + 1000 * number)
            networks.append(net)
        return cls(networks)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return cast("nn.Linear", self._networks[0][0]).in_features

    def logits(self, vectors: Vector) -> HeadLogits:
        """Logarithms of averaged chances `(n, classes)`."""
        import torch

        with torch.no_grad():
            chances = torch.stack([net(scaled(vectors)).double().softmax(1) for net in self._networks]).mean(0)
        return np.asarray(np.log(np.maximum(chances.numpy(), 1e-300)))

    def state(self) -> dict[str, NDArray[Any]]:
        """The weights of every network."""
        return {f"{place}/{name}": array.numpy() for place, net in enumerate(self._networks) for name, array in net.state_dict().items()}

    @classmethod
    def of(cls, state: State) -> Ensemble:
        """What `state` told of; other entries are passed over."""
        import torch

        networks: list[nn.Sequential] = []
        while weights := {name.split("/")[1]: array for name, array in state.items() if name.startswith(f"{len(networks)}/")}:
            hidden = len(weights["0.weight"]) if len(weights) > 2 else 0
            last = weights["3.weight"] if hidden else weights["0.weight"]
            net = network(weights["0.weight"].shape[1], len(last), hidden, DROPOUT, 0)
            net.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
            networks.append(net)
        return cls(networks)
