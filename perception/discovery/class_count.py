"""How many classes there are, old and new: from pairs of known rows where some are known, else from the neighbour graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...numerics.arrays import Labels, Vector
from ...numerics.intervals import Z95
from ..scores.neighbourhood import nearest, neighbourhood_size, smoothed
from .discoverer import DiscoveryInput, validate_input
from .spherical import class_means, clustered

TEMPERATURES = (0.03, 0.04, 0.05, 0.07, 0.1)
"""Widths of the kernel that says how alike two rows are; the steadiest is taken."""
SAMPLE = 4000
"""Rows of the pool that are compared with the known rows, drawn where there are more."""
STEP = 1.15
"""Factor between counts that are tried where no class is known."""
PLATEAU, INTERVAL = 0.01, 0.02
"""Counts whose modularity is lower than the best by at most the first share are as good, and by the second about as good. Chosen on
draws of 15 to 40 classes of training texts."""


@dataclass(frozen=True, kw_only=True)
class PairSums:
    """Kernel sums over pairs of rows, class by class: all that the estimate needs."""

    between: NDArray[np.float64]
    """Between the rows of known classes `(known, known)`, a row's pair with itself left out."""
    pairs: NDArray[np.float64]
    """How many pairs those are `(known, known)`."""
    pool: NDArray[np.float64]
    """Between the rows of each known class and the pool `(known,)`, pairs of a row with itself left out."""
    pool_pairs: NDArray[np.float64]
    """How many pairs those are `(known,)`."""


def known_share(sums: PairSums) -> float:
    """The share `p` of the pool that belongs to a row's own class, on average over known rows; `1 / p` counts the classes.

    A known row is as like the pool as the mixture says, `E[pool] = p E[same] + (1 - p) E[other]`, where `same` are pairs of one
    known class and `other` pairs of two (Blanchard et al. 2010, "Semi-supervised novelty detection": mixture proportion by two known
    parts). Nothing is clustered, and errors of no clustering are counted. 0 where pairs of one class are no more alike than others.
    """
    own, pairs = np.trace(sums.between), np.trace(sums.pairs)
    same = own / pairs
    other = (sums.between.sum() - own) / (sums.pairs.sum() - pairs)
    mixed = sums.pool.sum() / sums.pool_pairs.sum()
    return float((mixed - other) / (same - other)) if same > other else 0.0


def jackknife(sums: PairSums) -> NDArray[np.float64]:
    """`known_share` `(known,)` with one known class left out at a time (Quenouille 1956)."""
    shares = []
    for left_out in range(len(sums.pool)):
        kept = np.arange(len(sums.pool)) != left_out
        square = np.ix_(kept, kept)
        shares.append(
            known_share(
                PairSums(between=sums.between[square], pairs=sums.pairs[square], pool=sums.pool[kept], pool_pairs=sums.pool_pairs[kept])
            )
        )
    return np.array(shares)


@dataclass(frozen=True, kw_only=True)
class ClassCount:
    """How many classes there are in all, old and new."""

    count: int
    """The estimate."""
    low: int
    """Lower end of its interval."""
    high: int
    """Upper end."""


def estimate_class_count(vectors: Vector, known_vectors: Vector, known_labels: Labels, seed: int = 0) -> int:
    """How many classes the rows have in all, at least the known ones, at most one more for every unlabelled row.

    The count of `class_count_interval`. Raises as `Discoverer.discover`.
    """
    return class_count_interval(vectors, known_vectors, known_labels, seed).count


def class_count_interval(vectors: Vector, known_vectors: Vector, known_labels: Labels, seed: int = 0) -> ClassCount:
    """The number of classes with an interval of about 95 %.

    With three known classes or more that have pairs of rows, by `known_share`: it supposes that known classes are a fair sample of
    all classes, with as many rows each among labelled and unlabelled ones together as new ones have. The interval is the jackknife's,
    over known classes, so it grows wide where few are known. Otherwise, and where known classes are not told apart, by
    `modular_count`, whose interval is no confidence interval: it holds the counts that are about as good. Raises as
    `Discoverer.discover`.
    """
    asked = validate_input(vectors, known_vectors, known_labels, None)
    least, most = max(asked.known, 1), asked.known + len(asked.vectors)
    if not len(asked.vectors):
        return ClassCount(count=asked.known, low=asked.known, high=asked.known)
    estimate, low, high = _by_pairs(asked, seed) or modular_range(asked.everything, seed)
    outwards = (round(estimate), np.floor(low), np.ceil(min(high, float(most))))
    clipped = [int(np.clip(value, least, most)) for value in outwards]
    return ClassCount(count=clipped[0], low=min(clipped), high=max(clipped))


def _by_pairs(asked: DiscoveryInput, seed: int) -> tuple[float, float, float] | None:
    """The estimate and its interval at the steadiest temperature."""
    sizes = np.bincount(asked.known_labels, minlength=asked.known)
    if (sizes > 1).sum() < 3:
        return None
    everything = asked.everything
    alike = smoothed(everything, everything)
    known_rows = alike[len(asked.vectors) :]
    drawn = np.random.default_rng(seed).permutation(len(everything))[:SAMPLE]
    cosines, pool = known_rows @ known_rows.T, known_rows @ alike[drawn].T
    itself = np.arange(len(asked.vectors), len(everything))[:, None] == drawn
    member = np.eye(asked.known)[asked.known_labels]
    best, spread = None, np.inf
    for temperature in TEMPERATURES:
        kernel, pool_kernel = np.exp((cosines - 1) / temperature, dtype=np.float64), np.exp((pool - 1) / temperature, dtype=np.float64)
        np.fill_diagonal(kernel, 0)
        sums = PairSums(
            between=member.T @ kernel @ member,
            pairs=(np.outer(sizes, sizes) - np.diag(sizes)).astype(np.float64),
            pool=member.T @ np.where(itself, 0, pool_kernel).sum(1),
            pool_pairs=member.T @ (~itself).sum(1),
        )
        share, others = known_share(sums), jackknife(sums)
        variation = float(others.std() / share) if share > 0 else np.inf
        if variation < spread:
            # The jackknife's deviation is sqrt(n - 1) times the spread of its values.
            error = Z95 * np.sqrt(len(others) - 1) * float(others.std())
            # The count is 1 / share, so the ends of the interval change places; a share that may be 0 leaves it open above.
            best, spread = (1 / share, 1 / (share + error), 1 / (share - error) if share > error else np.inf), variation
    return best


def modular_count(rows: Vector, seed: int = 0) -> int:
    """The number of clusters at which the neighbour graph is most modular, as `modular_range` says it."""
    return round(modular_range(rows, seed)[0])


def modular_range(rows: Vector, seed: int = 0) -> tuple[float, float, float]:
    """The number of clusters at which the neighbour graph is most modular, and the least and the largest that are about as good.

    Most neighbours share a cluster beyond chance (Newman & Girvan 2004, "Finding and evaluating community structure in networks").
    Around the best count modularity hardly changes, so that its largest value may stand far out: the estimate is the geometric
    mean of the least and the largest count that are as good. It needs no label and is coarse: classes that are near each other
    count as one, and a class of several kinds as several.
    """
    size = neighbourhood_size(len(rows))
    alike = smoothed(rows, rows)
    graph = nearest(alike, alike, min(size + 1, len(rows)))[:, 1:]
    best, count, tried = 1, 2, {1: 0.0}
    while count <= len(rows) // 2:
        labels = clustered(alike, count, seed, restarts=1).labels
        # Edges within clusters, less what as many would be by chance: every row has the same number of neighbours.
        tried[count] = float((labels[graph] == labels[:, None]).mean() - ((np.bincount(labels) / len(labels)) ** 2).sum())
        if tried[count] > tried[best]:
            best = count
        elif count > 2 * best + 2:
            # Modularity has one broad top: twice as many clusters without a gain, and it does not come back.
            break
        count = max(count + 1, round(count * STEP))
    good, about = ([count for count, value in tried.items() if value >= (1 - share) * tried[best]] for share in (PLATEAU, INTERVAL))
    return float(np.sqrt(min(good) * max(good))), min(about), max(about)


def prototype_score(clusters: Labels, vectors: Vector, known_vectors: Vector, known_labels: Labels, known: int) -> float:
    """Accuracy on known rows plus agreement of centroids, in [-1, 2]: how well a number of classes suits the known ones.

    The author's answer for ProtoGCD. `clusters` `(m + n,)` are the numbers that a model gives to held-out known rows `(m, d)`
    and to unlabelled rows `(n, d)`; the agreement is the mean cosine, over known classes, of the centroid of its labelled rows to
    that of the unlabelled rows with its number. A class that no unlabelled row has agrees with nothing.
    """
    held_out, free = clusters[: len(known_vectors)], clusters[len(known_vectors) :]
    mine = free < known
    labelled = class_means(known_vectors, known_labels, known)
    unlabelled = class_means(vectors[mine], free[mine], known)
    return float((held_out == known_labels).mean() + np.einsum("kd,kd->k", labelled, unlabelled).mean())
