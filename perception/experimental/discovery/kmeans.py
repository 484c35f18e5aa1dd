"""`SphericalKMeans` and `SemiSupervisedKMeans`: clusters by cosine, without and with the known rows pinned."""

from __future__ import annotations

import numpy as np

from ....numerics.arrays import Labels, Vector
from ...discovery.class_count import estimate_class_count
from ...discovery.discoverer import Discovery, nearest_prototypes, validate_input
from ...discovery.spherical import clustered, known_first


class SphericalKMeans:
    """k-means by cosine over all rows alike, the best of several k-means++ starts; the labels only name the clusters afterwards.

    Dhillon & Modha 2001, "Concept decompositions for large sparse text data using clustering", https://doi.org/10.1023/A:1007612920971;
    clusters are matched to the known classes by
    their labelled rows.
    """

    def __init__(self, restarts: int = 4, seed: int = 0) -> None:
        if restarts < 1:
            raise ValueError(f"restarts is {restarts}; it must be at least 1")
        self.restarts, self.seed = restarts, seed

    def discover(self, vectors: Vector, known_vectors: Vector, known_labels: Labels, count: int | None = None) -> Discovery:
        """As `Discoverer.discover` says."""
        data = validate_input(vectors, known_vectors, known_labels, count)
        if count is None:
            count = estimate_class_count(vectors, known_vectors, known_labels, seed=self.seed)
        run = clustered(data.everything, count, self.seed, self.restarts)
        numbers = known_first(run.labels[len(data.vectors) :], data.known_labels, count, data.known)
        return nearest_prototypes(data.vectors, run.centres[np.argsort(numbers)], data.known)


class SemiSupervisedKMeans:
    """k-means by cosine in which every labelled row stays in its class (Vaze et al. 2022, "Generalized Category Discovery",
    https://arxiv.org/abs/2201.02609).

    Centres of known classes start at the means of their labelled rows, the rest by k-means++ over the unlabelled rows.
    """

    def __init__(self, restarts: int = 4, seed: int = 0) -> None:
        if restarts < 1:
            raise ValueError(f"restarts is {restarts}; it must be at least 1")
        self.restarts, self.seed = restarts, seed

    def discover(self, vectors: Vector, known_vectors: Vector, known_labels: Labels, count: int | None = None) -> Discovery:
        """As `Discoverer.discover` says."""
        data = validate_input(vectors, known_vectors, known_labels, count)
        if count is None:
            count = estimate_class_count(vectors, known_vectors, known_labels, seed=self.seed)
        run = clustered(data.vectors, count, self.seed, self.restarts, data.known_vectors, data.known_labels)
        return nearest_prototypes(data.vectors, run.centres, data.known)
