"""Approximate unlearning in weights: a request at a time, by a low-rank change of the feed-forward layers that is folded in.

`network = unlearn(network, request, objective).network`, request after request. A network is an `nn.Sequential` whose last layer
reads features and gives logits, as `image_network` is one. The adapter is GS-LoRA's whatever the objective: two matrices for each linear
layer of every block's feed-forward part, fresh for each request; a block's matrices are a group.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import cos, pi
from typing import TYPE_CHECKING

import numpy as np

from ..adapters.low_rank import Blocks, change_norm, feed_forward_blocks, fold, low_rank
from .objectives import IGNORED, BatchOutputs, GroupSparseConditioned, UnlearningObjective

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class UnlearningRequest:
    """What is to be forgotten, and what is at hand of the rest.

    Raises `ValueError` without samples to forget, for lengths or shapes that differ and for a class on both sides.
    """

    forget: Tensor
    """Inputs `(n, ...)`; a few of each class will do."""
    forget_labels: Tensor
    """Their classes `(n,)`, or their answers' tokens `(n, tokens)`, padded with -100."""
    retain: Tensor
    """Inputs `(m, ...)` of classes to keep; some classes may have none, and `m` may be 0."""
    retain_labels: Tensor
    """As `forget_labels`."""

    def __post_init__(self) -> None:
        """Check what can be checked without the network."""
        if not len(self.forget):
            raise ValueError("a request names nothing to forget; give some samples of it")
        lengths = (len(self.forget), len(self.forget_labels), len(self.retain), len(self.retain_labels))
        if lengths[:2] != lengths[1::-1] or lengths[2:] != lengths[:1:-1]:
            raise ValueError(f"{lengths[0]} and {lengths[2]} inputs with {lengths[1]} and {lengths[3]} labels; give one label an input")
        if self.forget.shape[1:] != self.retain.shape[1:] or self.forget_labels.shape[1:] != self.retain_labels.shape[1:]:
            raise ValueError(
                f"samples to forget {tuple(self.forget.shape)} and to keep {tuple(self.retain.shape)} differ in shape; pad them alike"
            )
        both = {_row(label) for label in self.forget_labels} & {_row(label) for label in self.retain_labels}
        if both:
            raise ValueError(f"{sorted(both)[:3]} is to be forgotten and to be kept; take its samples out of `retain`")


@dataclass(frozen=True, kw_only=True)
class UnlearningRecipe:
    """How a change is trained, whatever the objective. Raises `ValueError` for a value out of its range."""

    rank: int = 8
    """Of each layer's change."""
    steps: int = 20
    """Of AdamW."""
    learning_rate: float = 1e-2
    """At the start; a cosine takes it to zero."""
    weight_decay: float = 0.05
    """Of the adapter's matrices."""
    forget_batch: int = 10
    """Samples to forget in a step, fewer where there are fewer."""
    retain_batch: int = 20
    """Samples to keep in a step, fewer where there are fewer."""
    mixed_precision: bool = False
    """Matrix products in bfloat16."""
    seed: int = 0
    """Of the adapter's matrices and of the order."""

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        if min(self.rank, self.steps, self.forget_batch, self.retain_batch) < 1:
            raise ValueError(f"rank, steps and batches must be 1 at least, got {self}")
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise ValueError(f"learning_rate {self.learning_rate} must be above 0 and weight_decay {self.weight_decay} not below")


@dataclass(frozen=True, kw_only=True)
class Unlearned:
    """The outcome of a request."""

    network: nn.Sequential
    """A copy of the network with the change folded in, in evaluation mode."""
    block_changes: tuple[float, ...]
    """Frobenius norm of the change of each block's weights: where the knowledge sat."""
    losses: tuple[float, ...]
    """Of each step."""
    seconds: float
    """It took."""


def unlearn(
    network: nn.Sequential,
    request: UnlearningRequest,
    objective: UnlearningObjective | None = None,
    recipe: UnlearningRecipe | None = None,
    blocks: Blocks | None = None,
) -> Unlearned:
    """Forget what a request names; the network given stays as it is (invariant Purity).

    `objective` is `GroupSparseConditioned` unless given, `blocks` are those of `feed_forward_blocks`. Where few samples to keep are at
    hand, the last third of them loses less of the rest than all of them. The erasure is approximate: report it as such.
    Raises `ValueError` for a network without blocks, and `FloatingPointError` where the training runs away.
    """
    import torch

    started = time.perf_counter()
    objective, recipe = objective or GroupSparseConditioned(), recipe or UnlearningRecipe()
    network = copy.deepcopy(network).eval().requires_grad_(False)
    # The network is a copy with frozen weights: only the low-rank change is trained, and folded in at the end.
    names = blocks if blocks is not None else feed_forward_blocks(network)
    forward = partial(_forward, network, recipe.mixed_precision)
    with torch.no_grad():
        features, logits = forward(torch.cat([request.forget, request.retain]))
    # What the network answered before the request is the reference that kept samples must stay at.
    count = len(request.forget)
    old = (
        Before.from_outputs(features[:count], logits[:count], request.forget_labels),
        Before.from_outputs(features[count:], logits[count:], request.retain_labels),
    )
    draw = np.random.default_rng(recipe.seed)
    orders = [_rows(len(one.labels), size, draw) for one, size in zip(old, (recipe.forget_batch, recipe.retain_batch), strict=True)]
    losses: list[float] = []
    with low_rank(network, names, recipe.rank, recipe.seed) as groups:
        optimiser = torch.optim.AdamW([one for group in groups for one in group], lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
        for step in range(recipe.steps):
            # Cosine decay to zero: the last steps settle instead of trading forgotten against kept samples.
            optimiser.param_groups[0]["lr"] = recipe.learning_rate * (1 + cos(pi * step / recipe.steps)) / 2
            forget, keep = (next(order) for order in orders)
            # One forward pass for both sides, so that they see the same weights and batch norms the same mixture.
            features, logits = forward(torch.cat([request.forget[forget], request.retain[keep]]))
            forgotten = old[0].answers(features[: len(forget)], logits[: len(forget)], forget)
            kept = old[1].answers(features[len(forget) :], logits[len(forget) :], keep)
            loss = objective.loss(forgotten, kept, groups, step / recipe.steps)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            losses.append(loss.item())
            # An unbounded objective can diverge; weights made of NaN must never be folded in.
            if not np.isfinite(losses[-1]):
                raise FloatingPointError(f"unlearning ran away at step {step}; take a smaller learning rate or weight of forgetting")
        changes = tuple(change_norm(group) for group in groups)
        fold(network, names, groups)
    return Unlearned(network=network, block_changes=changes, losses=tuple(losses), seconds=time.perf_counter() - started)


@dataclass(frozen=True, kw_only=True)
class Before:
    """What the network said to all samples of a side before the request."""

    labels: Tensor
    """`(n,)` or `(n, tokens)`."""
    logits: Tensor
    """Of each sample."""
    prototypes: Tensor
    """Mean features of each sample's class `(n, d)`."""

    @classmethod
    def from_outputs(cls, features: Tensor, logits: Tensor, labels: Tensor) -> Before:
        """Prototypes are means over samples with the same label, or the same answer."""
        import torch

        own = mean_features(features, labels)
        sums = own.new_zeros(len(own), own.shape[1])
        if len(own):
            _, classes, counts = torch.unique(labels, dim=0, return_inverse=True, return_counts=True)
            sums = sums.index_add(0, classes, own)[classes] / counts[classes, None]
        return cls(labels=labels, logits=logits, prototypes=sums)

    def answers(self, features: Tensor, logits: Tensor, rows: Tensor) -> BatchOutputs:
        """What is said now to some of the samples, beside what was said."""
        labels = self.labels[rows]
        return BatchOutputs(
            labels=labels,
            logits=logits,
            reference=self.logits[rows],
            features=mean_features(features, labels),
            prototypes=self.prototypes[rows],
        )


def mean_features(features: Tensor, labels: Tensor) -> Tensor:
    """Features `(n, d)` as they are, those of tokens `(n, tokens, d)` as the mean over the answer's."""
    if features.dim() == 2:
        return features.float()
    answered = (labels != IGNORED).to(features.dtype).unsqueeze(-1)
    return ((features * answered).sum(1) / answered.sum(1).clamp_min(1)).float()


def _forward(network: nn.Sequential, mixed: bool, inputs: Tensor) -> tuple[Tensor, Tensor]:
    import torch

    # Opened for every batch: autocast keeps its low-precision copies of trained weights until it closes.
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=mixed):
        features = network[:-1](inputs)
        return features, network[-1](features)


def _rows(count: int, size: int, draw: np.random.Generator) -> Iterator[Tensor]:
    """Places of a batch, over and over: each sample once before any comes again, as far as batches fill."""
    import torch

    waiting: list[int] = []
    while True:
        if len(waiting) < min(size, count):
            waiting = draw.permutation(count).tolist()
        yield torch.tensor(waiting[:size], dtype=torch.long)
        del waiting[:size]


def _row(label: Tensor) -> tuple[int, ...]:
    return tuple(label.reshape(-1).tolist())
