"""Two adapters for two kinds of reliability over one frozen network, mixed by signed coefficients where it serves.

Zhu et al. 2025, "TrustLoRA: Low-Rank Adaptation for Failure Detection under Out-of-distribution Data", https://arxiv.org/abs/2504.14545.
One low-rank change is trained
for covariate shift (changed inputs of known classes), by consistency between a sample and its perturbed views; the other for semantic
shift (inputs of no class), by outlier exposure. Each is trained without the other. Served is the frozen network plus
`sum_t alpha_t tau_t` over its weights; a negative alpha takes a kind of reliability away. The paper has no released code; what it leaves
open (rank, rates, coefficients) is a parameter here. Changes are kept as whole matrices, so that adapters of any ranks add up.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from .classifier_training import Augment, ClassifierRecipe, train_classifier
from .objectives import OutlierExposure

if TYPE_CHECKING:
    from torch import Tensor, nn

RECIPE = ClassifierRecipe(epochs=10, learning_rate=0.05, weight_decay=0.0)
"""A short training: both adapters start at the trained network."""


class Consistency:
    """Cross-entropy on samples, and weight times the Jensen-Shannon divergence between their predictions and those of their views.

    Hendrycks et al. 2020, "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty", equation 1,
    https://arxiv.org/abs/1912.02781, weight 12. Inputs are `(n, 1 + views, ...)`, each sample before its views.
    """

    extra_classes = 0

    def __init__(self, weight: float = 12.0) -> None:
        self.weight = weight

    def loss(self, network: nn.Module, inputs: Tensor, labels: Tensor, done: float, draw: np.random.Generator) -> Tensor:
        """Mean over the batch."""
        from torch.nn.functional import cross_entropy

        logits = network(inputs.flatten(0, 1)).unflatten(0, inputs.shape[:2])
        return cross_entropy(logits[:, 0], labels) + self.weight * jensen_shannon(logits).mean()


def jensen_shannon(logits: Tensor) -> Tensor:
    """Jensen-Shannon divergence in nats `(n,)` between the softmaxes of `(n, views, classes)`: mean KL to their mean, in [0, ln views]."""
    logprobs = logits.log_softmax(-1)
    mixture = (logprobs.logsumexp(1, keepdim=True) - float(np.log(logits.shape[1]))).clamp_min(-100)
    return (logprobs.exp() * (logprobs - mixture)).sum(-1).mean(1)


def beside(view: Augment, count: int = 2) -> Augment:
    """Gives batches `(n, ...)` as `(n, 1 + count, ...)`: each sample, then `count` views of it."""

    def stacked(batch: Tensor, draw: np.random.Generator) -> Tensor:
        import torch

        return torch.stack([batch, *(view(batch, draw) for _ in range(count))], dim=1)

    return stacked


def train_change(
    network: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    objective: Any,
    recipe: ClassifierRecipe = RECIPE,
    augment: Augment | None = None,
    rank: int = 8,
) -> dict[str, Tensor]:
    """The low-rank change of all linear layers that serves an objective; the network stays as it is (invariant Purity).

    Raises `ValueError` for a network without linear layers, for a rank below 1 and as `train_classifier` does.
    """
    adapted = train_classifier(_adapted(network, rank, recipe.seed), inputs, labels, recipe, objective, augment)
    return {name: change.detach() for name, change in cast(Any, adapted).changes().items()}


def mixed(network: nn.Module, changes: Sequence[Mapping[str, Tensor]], coefficients: Sequence[float]) -> nn.Module:
    """A copy of the network, in evaluation mode, with `sum_t coefficient_t change_t` added; all zero give its outputs bit for bit."""
    import torch

    if len(changes) != len(coefficients) or not np.isfinite(coefficients).all():
        raise ValueError(f"{len(changes)} changes and the coefficients {list(coefficients)}; one finite coefficient a change is needed")
    network = copy.deepcopy(network).eval()
    with torch.no_grad():
        weights = dict(network.named_parameters())
        for change, coefficient in zip(changes, coefficients, strict=True):
            for name, delta in change.items():
                weights[name].add_(coefficient * delta)
    return network


class TrustLoRA:
    """The two changes of a trained network. `network(covariate, semantic)` is what serves.

    `rank` of both; `recipe` of both trainings.
    """

    def __init__(self, network: nn.Module, *, rank: int = 8, recipe: ClassifierRecipe = RECIPE) -> None:
        self._network = copy.deepcopy(network).eval()
        self._rank = rank
        self._recipe = recipe
        self._covariate: dict[str, Tensor] | None = None
        self._semantic: dict[str, Tensor] | None = None

    def fit_covariate(self, inputs: Tensor, labels: Tensor, view: Augment | None = None, weight: float = 12.0) -> None:
        """Learn to answer a sample and its changed views alike.

        `view` makes a changed batch of a batch; without it, `inputs` are `(n, 1 + views, ...)`, each sample before its views.
        """
        augment = beside(view) if view else None
        self._covariate = train_change(self._network, inputs, labels, Consistency(weight), self._recipe, augment, self._rank)

    def fit_semantic(self, inputs: Tensor, labels: Tensor, outliers: Tensor, weight: float = 0.5) -> None:
        """Learn to be unsure of outliers `(m, ...)`."""
        self._semantic = train_change(self._network, inputs, labels, OutlierExposure(outliers, weight), self._recipe, None, self._rank)

    def network(self, covariate: float = 1.0, semantic: float = 1.0) -> nn.Module:
        """The network with the two changes in these shares; (0, 0) is the frozen one. Raises `ValueError` for one that is not fitted."""
        shares = {"covariate": (self._covariate, covariate), "semantic": (self._semantic, semantic)}
        used = {name: (change, share) for name, (change, share) in shares.items() if share}
        for name, (change, _) in used.items():
            if change is None:
                raise ValueError(f"the {name} adapter is not trained; call fit_{name} first, or give it the coefficient 0")
        return mixed(self._network, [change for change, _ in used.values() if change], [share for _, share in used.values()])


def _adapted(network: nn.Module, rank: int, seed: int) -> nn.Module:
    """The frozen network with matrices A `(rank, in)`, random, and B `(out, rank)`, zero, for each linear layer."""
    import torch
    from torch import nn
    from torch.func import functional_call

    if rank < 1:
        raise ValueError(f"rank is {rank}; an adapter needs one at least")

    class Adapted(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.frozen = copy.deepcopy(network).requires_grad_(False)
            linear = {f"{name}.weight".lstrip("."): one.weight for name, one in network.named_modules() if isinstance(one, nn.Linear)}
            if not linear:
                raise ValueError(f"{type(network).__name__} has no linear layer to adapt")
            random = torch.Generator().manual_seed(seed)
            self.names = tuple(linear)
            self.down = nn.ParameterList(
                (torch.randn(rank, one.shape[1], generator=random) / one.shape[1] ** 0.5).to(one) for one in linear.values()
            )
            self.up = nn.ParameterList(one.new_zeros(one.shape[0], rank) for one in linear.values())

        def changes(self) -> dict[str, Tensor]:
            return {name: up @ down for name, up, down in zip(self.names, self.up, self.down, strict=True)}

        def train(self, mode: bool = True) -> Self:
            super().train(mode)
            self.frozen.eval()  # its statistics and its dropout are frozen as its weights are
            return self

        def forward(self, inputs: Tensor) -> Tensor:
            weights = dict(self.frozen.named_parameters())
            changed = {name: weights[name] + change for name, change in self.changes().items()}
            outputs: Tensor = functional_call(self.frozen, changed, (inputs,))
            return outputs

    return Adapted()
