"""Clustering on the unit sphere: seeding, Lloyd's steps with pinned rows, and the matching of clusters to classes, as pure formulas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...numerics.arrays import Labels, Vector, l2_normalize

CANDIDATES = 4
"""Rows drawn for each next centre; the one that leaves the least distance is taken (Arthur & Vassilvitskii 2007, section 7)."""


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Where Lloyd's steps ended."""

    labels: Labels
    """Cluster of every free row `(n,)`."""
    centres: Vector
    """Unit rows `(count, d)`."""
    similarity: float
    """Sum over all rows of the cosine to their centre; the larger, the better."""


def class_means(rows: Vector, labels: Labels, count: int, empty: Vector | None = None) -> Vector:
    """Mean directions `(count, d)` of unit rows `(n, d)` by label; a class without a row keeps its row of `empty`, or zeros."""
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    sums = np.zeros((count, rows.shape[1]), dtype=np.float32) if empty is None else empty.astype(np.float32)
    filled = sizes > 0
    if filled.any():
        sums[filled] = l2_normalize(np.add.reduceat(rows[order], starts[filled], axis=0))
    return sums


def seeded_centres(rows: Vector, count: int, draw: np.random.Generator, first: Vector) -> Vector:
    """`count` centres: those of `first` `(k, d)`, k possibly 0, then rows drawn by k-means++ on the sphere.

    A row is drawn in proportion to one minus the cosine to its nearest centre, which is half the squared distance (Arthur &
    Vassilvitskii 2007, "k-means++"); where all rows lie on centres, any row.
    """
    centres = np.zeros((count, rows.shape[1]), dtype=np.float32)
    centres[: len(first)] = first
    far = np.clip(1 - (rows @ first.T).max(1, initial=-1), 0, None).astype(np.float64)
    for place in range(len(first), count):
        total = far.sum()
        drawn = draw.choice(len(rows), size=CANDIDATES, p=far / total if total > 1e-9 else None)
        # Of several draws the one that leaves the least distance: greedy k-means++ starts well more often than the plain one.
        left = np.minimum(far, np.clip(1 - rows[drawn] @ rows.T, 0, None))
        best = int(left.sum(1).argmin())
        centres[place], far = rows[drawn[best]], left[best]
    return centres


def lloyd(rows: Vector, centres: Vector, pinned: Vector, pinned_labels: Labels, steps: int = 100) -> Clustering:
    """Spherical k-means from given centres: unit rows `(n, d)` go to their nearest centre, pinned ones `(m, d)` stay with their class.

    A centre is the mean direction of its rows; one without a row stays where it is. The similarity never falls from step to
    step (Dhillon & Modha 2001, "Concept decompositions").
    """
    labels: Labels | None = None
    everything = np.vstack([rows, pinned])
    for _ in range(steps):
        nearest = (rows @ centres.T).argmax(1)
        if labels is not None and np.array_equal(nearest, labels):
            break
        labels = nearest
        centres = class_means(everything, np.concatenate([labels, pinned_labels]), len(centres), empty=centres)
    cosines = rows @ centres.T
    similarity = float(cosines.max(1, initial=-1).sum() + np.einsum("nd,nd->", pinned, centres[pinned_labels]))
    return Clustering(labels=np.asarray(cosines.argmax(1), dtype=np.int64), centres=centres, similarity=similarity)


def clustered(
    rows: Vector, count: int, seed: int, restarts: int, pinned: Vector | None = None, pinned_labels: Labels | None = None
) -> Clustering:
    """The best of several runs of `lloyd`; the centres start at the means of the pinned classes, the rest by k-means++."""
    if pinned is None or pinned_labels is None:
        pinned, pinned_labels = rows[:0], np.zeros(0, dtype=np.int64)
    known = int(pinned_labels.max(initial=-1)) + 1
    first = class_means(pinned, pinned_labels, known)
    pool = rows if len(rows) else pinned
    runs = []
    for restart in range(1 if known == count else restarts):
        draw = np.random.default_rng([seed, restart])
        runs.append(lloyd(rows, seeded_centres(pool, count, draw, first), pinned, pinned_labels))
    return max(runs, key=lambda run: run.similarity)


def known_first(clusters: Labels, labels: Labels, count: int, known: int) -> Labels:
    """New numbers `(count,)` for clusters, so that cluster `c` matched to known class `k` becomes `k` and the rest follow.

    The matching shares most rows between clusters `(m,)` and known labels `(m,)` (Kuhn 1955, "The Hungarian method").
    """
    from scipy.optimize import linear_sum_assignment

    shared = np.zeros((known, count), dtype=np.int64)
    np.add.at(shared, (labels, clusters), 1)
    matched = np.asarray(linear_sum_assignment(shared, maximize=True)[1], dtype=np.int64)
    rest = np.setdiff1d(np.arange(count), matched)
    numbers = np.zeros(count, dtype=np.int64)
    numbers[np.concatenate([matched, rest])] = np.arange(count)  # the inverse of a permutation
    return numbers


def split_in_two(rows: Vector, seed: int = 0) -> Labels:
    """Two parts `(n,)` of unit rows `(n, d)` by their directions; all 0 where they cannot be told apart.

    The rows are centred first: what all of them share says nothing of their parts.
    """
    seen = rows - rows.mean(0)
    if len(rows) < 2 or not (np.linalg.norm(seen, axis=1) > 1e-6).any():
        return np.zeros(len(rows), dtype=np.int64)
    return clustered(np.asarray(l2_normalize(seen), dtype=np.float32), 2, seed, restarts=5).labels
