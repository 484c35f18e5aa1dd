"""`ProtoGCD`: prototypes of old and new classes learned together, over an adapter of frozen vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Labels, Vector, l2_normalize
from ..scores.neighbourhood import nearest, neighbourhood_size, smoothed
from ..scores.projection import Projection
from .class_count import estimate_class_count
from .discoverer import TEMPERATURE, Discovery, DiscoveryInput, nearest_prototypes, validate_input
from .prototype_losses import distillation, entropy_regulariser, separation_regulariser, supervised_contrast
from .spherical import class_means, clustered

if TYPE_CHECKING:
    from torch import Tensor

UNLABELLED = -1
"""The label of a row whose class is to be found."""


@dataclass(frozen=True, kw_only=True)
class PrototypeRecipe:
    """What decides how prototypes come out; the defaults are the paper's where it has the same part."""

    epochs: int = 15
    """Passes over the rows, after the start by k-means."""
    batch_size: int = 512
    """Rows a step."""
    labelled_batch: int = 128
    """Labelled rows that every step sees besides."""
    learning_rate: float = 0.1
    """Of stochastic gradient descent with momentum 0.9, at its start; a cosine takes it to zero."""
    weight_decay: float = 5e-5
    """Of prototypes and adapter."""
    entropy: float = 2.0
    """Weight of `L_ent`."""
    separation: float = 0.1
    """Weight of `L_sep`."""
    supervised: float = 0.35
    """Share of the supervised losses, less of the others."""
    restarts: int = 3
    """Starts of the k-means that it begins from."""

    def __post_init__(self) -> None:
        """Raise `ValueError` for a value out of its range."""
        if self.epochs < 0 or min(self.batch_size, self.labelled_batch, self.restarts) < 1 or self.learning_rate <= 0:
            raise ValueError(
                f"epochs {self.epochs} must not be negative, and batch_size {self.batch_size}, labelled_batch {self.labelled_batch}, "
                f"restarts {self.restarts} and learning_rate {self.learning_rate} must be above 0"
            )
        if not 0 <= self.supervised <= 1:
            raise ValueError(f"supervised is {self.supervised}; it must lie in [0, 1]")


class ProtoGCD:
    """Ma et al. 2025, "ProtoGCD: Unified and Unbiased Prototype Learning for Generalized Category Discovery",
    https://arxiv.org/abs/2504.03755, on frozen vectors.

    One cosine prototype for every class, old or new, over a linear adapter that starts as nothing. Unlike on images, the second
    view of a row is one of its nearest neighbours, and the start is k-means with pinned rows, on centred and smoothed rows.
    """

    def __init__(self, recipe: PrototypeRecipe | None = None, seed: int = 0) -> None:
        self.recipe = recipe or PrototypeRecipe()
        self.seed = seed

    def discover(self, vectors: Vector, known_vectors: Vector, known_labels: Labels, count: int | None = None) -> Discovery:
        """As `Discoverer.discover` says."""
        data = validate_input(vectors, known_vectors, known_labels, count)
        if count is None:
            count = estimate_class_count(vectors, known_vectors, known_labels, seed=self.seed)
        everything = data.everything
        # What all rows share says nothing of their classes.
        origin = np.asarray(everything.mean(0, dtype=np.float64), dtype=np.float32)
        seen = np.asarray(l2_normalize(everything - origin), dtype=np.float32)
        centres, adapter = self._start(seen, data, count), np.eye(seen.shape[1], dtype=np.float32)
        if count > 1:
            labels = np.concatenate([np.full(len(data.vectors), UNLABELLED), data.known_labels])
            centres, adapter = train_prototypes(seen, labels, centres, self.recipe, self.seed)
        return project_and_assign(Projection(mean=origin, matrix=adapter, centres=centres), data)

    def _start(self, seen: Vector, data: DiscoveryInput, count: int) -> Vector:
        """Mean directions `(count, k)` of the clusters of k-means with pinned rows, among smoothed rows."""
        free = len(data.vectors)
        alike = smoothed(seen, seen)
        run = clustered(alike[:free], count, self.seed, self.recipe.restarts, alike[free:], data.known_labels)
        return class_means(seen, np.concatenate([run.labels, data.known_labels]), count, empty=run.centres)


def train_prototypes(
    rows: Vector, labels: Labels, prototypes: Vector, recipe: PrototypeRecipe, seed: int = 0, partners: NDArray[np.int64] | None = None
) -> tuple[Vector, NDArray[np.float32]]:
    """Prototypes `(count, d)` and adapter `(d, d)` after training on unit rows `(n, d)` with classes `(n,)`, `UNLABELLED` for some.

    A row is seen through the adapter and scaled to length one; the adapter is the identity plus what was learned. `partners`
    `(n, k)` are the places of the rows that serve as its other view: its neighbourhood, unless given.
    """
    import torch
    from torch.nn.functional import normalize

    draw = np.random.default_rng([seed, 1])
    partners = nearest(rows, rows, neighbourhood_size(len(rows))) if partners is None else partners
    labelled_places = np.flatnonzero(labels != UNLABELLED)
    samples, known = torch.from_numpy(rows), torch.from_numpy(labels)
    learned = torch.from_numpy(prototypes.copy()).requires_grad_()
    # What is learned is the difference from the identity, so that weight decay draws the adapter to the frozen vectors and not to zero.
    change = torch.zeros(rows.shape[1], rows.shape[1], requires_grad=True)
    optimiser = torch.optim.SGD([learned, change], lr=recipe.learning_rate, momentum=0.9, weight_decay=recipe.weight_decay)
    batches = -(-len(rows) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, recipe.epochs * batches))
    for epoch in range(recipe.epochs):
        # All targets are hard from the middle of the training on, as in the paper.
        hard_share = min(1.0, 2 * epoch / recipe.epochs)
        for batch in np.array_split(draw.permutation(len(rows)), batches):
            others = partners[batch, draw.integers(partners.shape[1], size=len(batch))]
            labelled = draw.choice(labelled_places, size=recipe.labelled_batch) if len(labelled_places) else labelled_places
            taken = samples[torch.from_numpy(np.concatenate([batch, others, labelled]))]
            loss = _loss(
                normalize(taken + taken @ change, dim=-1),
                normalize(learned, dim=-1),
                known[torch.from_numpy(labelled)],
                hard_share,
                recipe,
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        return normalize(learned, dim=-1).numpy(), (torch.eye(len(change)) + change).numpy()


def _loss(rows: Tensor, prototypes: Tensor, labels: Tensor, hard_share: float, recipe: PrototypeRecipe) -> Tensor:
    """The whole loss of one batch: a view of each row, the other view of each, then the labelled rows."""
    import torch
    from torch.nn.functional import cross_entropy

    each = (len(rows) - len(labels)) // 2
    cosines = rows @ prototypes.T
    first, second, labelled = cosines[:each], cosines[each : 2 * each], cosines[2 * each :]
    loss = distillation(first, second, hard_share) + recipe.entropy * entropy_regulariser(torch.cat([first, second]))
    loss = loss + recipe.separation * separation_regulariser(prototypes)
    if not len(labels):
        return loss
    supervised = cross_entropy(labelled / TEMPERATURE, labels) + supervised_contrast(rows[2 * each :], labels)
    return (1 - recipe.supervised) * loss + recipe.supervised * supervised


def project_and_assign(projection: Projection, data: DiscoveryInput) -> Discovery:
    """What the classes of a projection say of unlabelled rows; a class without a row gets the row nearest to it as its prototype."""
    discovery = nearest_prototypes(projection.transform(data.vectors), projection.centres, data.known)
    everything = data.everything
    nearest_rows = everything[(projection.transform(everything) @ projection.centres.T).argmax(0)]
    labels = np.concatenate([discovery.labels, data.known_labels])
    return replace(discovery, prototypes=class_means(everything, labels, discovery.count, empty=nearest_rows), projection=projection)
