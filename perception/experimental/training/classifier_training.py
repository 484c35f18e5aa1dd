"""Training a classifier whose confidence ranks right above wrong: one loop, four independent choices.

The objective says what is fitted. Beside it, *sharpness* steps against the worst weights near by (SAM), *averaging* takes the
mean of the late weights (SWA), and *pruning* clears the smallest of them. Together: FMFP is sharpness and averaging, AoP is
averaging and pruning, OpenMix and DAL are objectives.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from typing import TYPE_CHECKING, Any

import numpy as np

from .objectives import CrossEntropy, Objective

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Augment = Callable[["Tensor", np.random.Generator], "Tensor"]
"""Changes a batch of inputs at random, such as by crops and flips."""


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe:
    """Everything that decides how a classifier comes out, given its samples and its objective."""

    epochs: int = 20
    """Passes over the samples."""
    batch_size: int = 128
    """Samples a step."""
    learning_rate: float = 0.1
    """Of stochastic gradient descent with Nesterov momentum, at its start; a cosine takes it to zero, or to the averaging's."""
    momentum: float = 0.9
    """Of the gradient."""
    weight_decay: float = 5e-4
    """Of all weights."""
    sharpness: float = 0.0
    """Radius rho of SAM in the 2-norm of all weights; 0: plain steps. FMFP: 0.05."""
    average_from: float = 1.0
    """Share of the training after which weights enter the average, once an epoch; 1: none. FMFP: 0.6."""
    average_learning_rate: float = 0.5
    """The constant learning rate while averaging, as a share of the first one."""
    prune: float = 0.0
    """Share of the entries of all weight matrices that are cleared at the end, the smallest first."""
    seed: int = 0
    """Seed of the order and of everything that the objective draws; the network comes initialised."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a value out of its range."""
        if self.epochs < 1 or self.batch_size < 1 or self.learning_rate <= 0:
            raise ValueError(f"epochs {self.epochs}, batch_size {self.batch_size} and learning_rate {self.learning_rate} must be above 0")
        if self.sharpness < 0 or not 0 <= self.prune < 1:
            raise ValueError(f"sharpness {self.sharpness} must not be negative and prune {self.prune} must lie in [0, 1)")
        if not 0 < self.average_from <= 1:
            raise ValueError(f"average_from {self.average_from} must lie in (0, 1]; 1 averages nothing")


FMFP = ClassifierRecipe(sharpness=0.05, average_from=0.6)
"""Zhu et al. 2022, "Rethinking Confidence Calibration for Failure Prediction", https://arxiv.org/abs/2303.02970: flat minima, by SAM and
SWA together."""


def train_classifier(
    network: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    recipe: ClassifierRecipe,
    objective: Objective | None = None,
    augment: Augment | None = None,
) -> nn.Module:
    """A trained copy of `network`, in evaluation mode; the network and the samples stay as they are (invariant Purity).

    `inputs` `(n, ...)` and `labels` `(n,)` of class numbers; the network gives `(n, classes + objective.extra_classes)`.
    The same input gives the same weights on CPU (invariant Determinism). Raises `ValueError` for NaN or infinite inputs, for no samples and
    for lengths that differ.
    """
    import torch
    from torch.optim.swa_utils import AveragedModel, update_bn

    if not len(inputs) == len(labels) > 0 or not torch.isfinite(inputs.sum(dtype=torch.float64)):
        raise ValueError(f"{len(inputs)} inputs and {len(labels)} labels; one finite input a label and at least one are needed")
    objective = objective or CrossEntropy()
    network = copy.deepcopy(network).train()
    draw = np.random.default_rng(recipe.seed)
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        nesterov=recipe.momentum > 0,
        weight_decay=recipe.weight_decay,
    )
    averaged = AveragedModel(network)
    start = round(recipe.average_from * recipe.epochs)
    batches = -(-len(inputs) // recipe.batch_size)
    for epoch in range(recipe.epochs):
        for number, rows in enumerate(row_batches(len(inputs), recipe.batch_size, draw)):
            done = (epoch + number / batches) / recipe.epochs
            optimiser.param_groups[0]["lr"] = learning_rate(recipe, done)
            batch = inputs[rows] if augment is None else augment(inputs[rows], draw)
            _step(network, batch, labels[rows], done, objective, recipe, optimiser, draw)
        if epoch >= start:
            averaged.update_parameters(network)
    if recipe.epochs > start:
        # The average's own batch statistics are none of its members'.
        update_bn((inputs[rows] for rows in row_batches(len(inputs), recipe.batch_size, draw)), averaged)
        network = averaged.module
    prune_smallest(network, recipe.prune)
    return network.eval()


def learning_rate(recipe: ClassifierRecipe, done: float) -> float:
    """A half cosine from the first learning rate to zero; with averaging, to its constant one, from where the averaging starts."""
    last = recipe.average_learning_rate * recipe.learning_rate if recipe.average_from < 1 else 0.0
    way = min(1.0, done / recipe.average_from)
    return last + (recipe.learning_rate - last) * (1 + cos(pi * way)) / 2


def prune_smallest(network: nn.Module, share: float) -> None:
    """Clear this share of the entries of all weight matrices together, the smallest in magnitude first; biases and norms stay."""
    import torch

    matrices = [weights for weights in network.parameters() if weights.ndim > 1]
    count = int(share * sum(weights.numel() for weights in matrices))
    if not count:
        return
    with torch.no_grad():
        bound = torch.cat([weights.abs().flatten() for weights in matrices]).kthvalue(count).values
        for weights in matrices:
            weights[weights.abs() <= bound] = 0


def row_batches(count: int, size: int, draw: np.random.Generator) -> Iterator[Tensor]:
    """Row numbers `(size,)` of one pass over `count` rows in a new order; the last batch may be smaller."""
    import torch

    order = torch.from_numpy(draw.permutation(count))
    yield from (order[start : start + size] for start in range(0, count, size))


def _step(
    network: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    done: float,
    objective: Objective,
    recipe: ClassifierRecipe,
    optimiser: torch.optim.Optimizer,
    draw: np.random.Generator,
) -> None:
    def differentiate() -> None:
        optimiser.zero_grad()
        loss: Any = objective.loss(network, inputs, labels, done, draw)
        loss.backward()

    before = draw.bit_generator.state
    differentiate()
    if recipe.sharpness:
        with _worst_nearby(network, recipe.sharpness), _statistics_kept(network):
            draw.bit_generator.state = before  # the same mixture as before: only the weights have moved
            differentiate()
    optimiser.step()


@contextmanager
def _worst_nearby(network: nn.Module, radius: float) -> Iterator[None]:
    """Weights moved by `radius g / |g|` (Foret et al. 2021, "Sharpness-Aware Minimization for Efficiently Improving Generalization",
    equation 2, https://arxiv.org/abs/2010.01412), and back afterwards.
    """
    import torch

    moved = [(weights, weights.grad, weights.detach().clone()) for weights in network.parameters() if weights.grad is not None]
    length = torch.stack([gradient.norm() for _, gradient, _ in moved]).norm() + 1e-12
    with torch.no_grad():
        for weights, gradient, _ in moved:
            weights.add_(gradient * (radius / length))
    try:
        yield
    finally:
        with torch.no_grad():
            for weights, _, kept in moved:
                weights.copy_(kept)


@contextmanager
def _statistics_kept(network: nn.Module) -> Iterator[None]:
    """Batch norms use the batch's statistics and do not add it to their running ones a second time."""
    from torch.nn.modules.batchnorm import _BatchNorm

    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
    momenta = [module.momentum for module in norms]
    for module in norms:
        module.momentum = 0.0
    try:
        yield
    finally:
        for module, momentum in zip(norms, momenta, strict=True):
            module.momentum = momentum
