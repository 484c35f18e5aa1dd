"""A discoverer without a loop of refinement: the farthest row is the next class (Gonzalez 1985)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lifelong.perception import Discovery, estimate_class_count
from lifelong.perception.discovery.discoverer import nearest_prototypes, validate_input
from lifelong.perception.discovery.spherical import class_means

Rows = NDArray[np.float32]
Labels = NDArray[np.int64]


def farthest_first(rows: Rows, centres: Rows, more: int) -> Rows:
    """Centres `(c, d)` and `more` rows `(n, d)`, each the one whose nearest centre so far is the farthest; all are unit rows."""
    for _ in range(more):
        nearest = (rows @ centres.T).max(1) if len(centres) else np.zeros(len(rows))
        centres = np.vstack([centres, rows[[nearest.argmin()]]])
    return centres


class FarthestFirst:
    """Known classes at their means, each new one at the unlabelled row that is farthest from all before it."""

    def discover(self, vectors: Rows, known_vectors: Rows, known_labels: Labels, count: int | None = None) -> Discovery:
        data = validate_input(vectors, known_vectors, known_labels, count)
        if count is None:
            count = estimate_class_count(vectors, known_vectors, known_labels)
        means = class_means(data.known_vectors, data.known_labels, data.known)
        return nearest_prototypes(data.vectors, farthest_first(data.vectors, means, count - data.known), data.known)
