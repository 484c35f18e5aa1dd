"""How well clusters agree with classes: accuracy after matching, mutual information, Rand index."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..numerics.arrays import Labels


def contingency(clusters: Labels, classes: Labels) -> NDArray[np.int64]:
    """How many rows each cluster shares with each class `(clusters, classes)`. Raises `ValueError` for no rows or other lengths."""
    if not len(clusters) == len(classes) > 0:
        raise ValueError(f"{len(clusters)} clusters and {len(classes)} classes; one of each a row and at least one row are needed")
    table = np.zeros((int(clusters.max()) + 1, int(classes.max()) + 1), dtype=np.int64)
    np.add.at(table, (clusters, classes), 1)
    return table


def matched(clusters: Labels, classes: Labels) -> NDArray[np.bool_]:
    """Which rows `(n,)` lie in the cluster that is matched to their class, by the one matching that makes them most.

    Kuhn 1955, "The Hungarian method", over all classes at once: the accuracy called v2 in Vaze et al. 2022.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(contingency(clusters, classes), maximize=True)
    of_cluster = np.full(int(clusters.max()) + 1, -1)
    of_cluster[rows] = columns
    return np.asarray(of_cluster[clusters] == classes)


def adjusted_rand_index(clusters: Labels, classes: Labels) -> float:
    """Agreement over pairs of rows beyond chance, at most 1 (Hubert & Arabie 1985, "Comparing partitions", equation 5)."""
    table = contingency(clusters, classes).astype(np.float64)
    both, first, second = (float((sizes * (sizes - 1)).sum()) / 2 for sizes in (table, table.sum(1), table.sum(0)))
    pairs = len(clusters) * (len(clusters) - 1) / 2
    chance = first * second / pairs if pairs else 0.0
    most = (first + second) / 2
    return 1.0 if most == chance else (both - chance) / (most - chance)


def normalised_mutual_information(clusters: Labels, classes: Labels) -> float:
    """Mutual information over the mean of both entropies, in [0, 1]; 1 where both have one group."""
    share = contingency(clusters, classes) / len(clusters)
    first, second = _entropy(share.sum(1)), _entropy(share.sum(0))
    return 1.0 if first + second == 0 else max(0.0, 2 * (first + second - _entropy(share.ravel())) / (first + second))


def clustering_figures(clusters: Labels, classes: Labels, known: int) -> Mapping[str, float]:
    """Accuracy over all rows, over those of known classes `0 .. known - 1` and over those of new ones, NMI and ARI."""
    right, old = matched(clusters, classes), classes < known
    figures = {
        "accuracy": float(right.mean()),
        "known_class_accuracy": float(right[old].mean()) if old.any() else float("nan"),
        "new_class_accuracy": float(right[~old].mean()) if not old.all() else float("nan"),
        "normalised_mutual_information": normalised_mutual_information(clusters, classes),
        "adjusted_rand_index": adjusted_rand_index(clusters, classes),
    }
    return {metric: value for metric, value in figures.items() if not np.isnan(value)}


def _entropy(shares: NDArray[np.float64]) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
