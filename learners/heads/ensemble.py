"""`Ensemble`: networks of two kinds, fitted on the same samples, whose chances are averaged.

Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep Ensembles",
https://arxiv.org/abs/1612.01474, section 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Arrays, Vector
from .head import HeadLogits
from .softmax import balance, descend, network, scaled

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
        linear = fit_network(rows, targets, classes, hidden=0, rate=0.005, epochs=epochs, jitter=0.0, seed=seed)
        more = (
            fit_network(rows, targets, classes, hidden=hidden, epochs=epochs, jitter=jitter, seed=seed + 1000 * number)
            for number in range(1, 1 + perceptrons)
        )
        return cls([linear, *more])

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return cast("nn.Linear", self._networks[0][0]).in_features

    def logits(self, vectors: Vector) -> HeadLogits:
        """Logarithms of averaged chances `(n, classes)`."""
        # Chances are averaged, not logits: a network that is sure and wrong then costs its share and no more.
        return np.asarray(np.log(np.maximum(np.mean([chances(net, vectors) for net in self._networks], axis=0), 1e-300)))

    def state(self) -> dict[str, NDArray[Any]]:
        """The weights of every network."""
        return {f"{place}/{name}": array.numpy() for place, net in enumerate(self._networks) for name, array in net.state_dict().items()}

    @classmethod
    def of(cls, state: Arrays) -> Ensemble:
        """Rebuild from what `state` returned; other entries are ignored."""
        import torch

        networks: list[nn.Sequential] = []
        while weights := {name.split("/")[1]: array for name, array in state.items() if name.startswith(f"{len(networks)}/")}:
            hidden = len(weights["0.weight"]) if len(weights) > 2 else 0
            last = weights["3.weight"] if hidden else weights["0.weight"]
            net = network(weights["0.weight"].shape[1], len(last), hidden, DROPOUT, 0)
            net.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in weights.items()})
            networks.append(net)
        return cls(networks)


def fit_network(
    rows: Vector,
    targets: NDArray[np.int64],
    classes: int,
    *,
    hidden: int,
    rate: float = 0.002,
    epochs: int = 20,
    jitter: float = 0.6,
    seed: int = 0,
) -> nn.Sequential:
    """One of them, on arguments as in `Ensemble.fit`; `hidden` 0 is a linear network, `rate` the learning rate."""
    import torch

    weight = balance(targets, classes)
    net = network(rows.shape[1], classes, hidden, DROPOUT, seed)

    def loss(batch: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(net(batch + jitter * torch.randn_like(batch)), truth, weight=weight)

    descend(list(net.parameters()), loss, scaled(rows), torch.from_numpy(targets), epochs=epochs, rate=rate, decay=0.01, seed=seed)
    return net.eval()


def chances(net: nn.Sequential, vectors: Vector) -> NDArray[np.float64]:
    """Of each class `(n, classes)`."""
    import torch

    with torch.no_grad():
        return np.asarray(net(scaled(vectors)).double().softmax(1).numpy())
