"""The TEXTOIR protocol: some classes are known, a tenth of their training rows labelled, the rest of the training rows unlabelled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .texts import TextData

LABELLED = 0.1
"""Share of the training rows of a known class that is labelled."""


@dataclass(frozen=True, kw_only=True)
class PartlyKnown:
    """One draw of known classes; classes are numbered anew, the known ones first."""

    known_vectors: NDArray[np.float32]
    """Labelled training rows `(m, d)`."""
    known_labels: NDArray[np.int64]
    """Their classes `(m,)`."""
    vectors: NDArray[np.float32]
    """The other training rows `(n, d)`."""
    labels: NDArray[np.int64]
    """Their classes `(n,)`, which only an oracle may read."""
    test_vectors: NDArray[np.float32]
    """The official test split."""
    test_labels: NDArray[np.int64]
    """Its classes, to be measured with."""
    known: int
    """Known classes."""
    count: int
    """Classes in all."""


def partly_known(data: TextData, share: float, seed: int, classes: int | None = None) -> PartlyKnown:
    """A draw of `share` of the classes as known ones; only the first `classes` classes of the data where that is given."""
    draw = np.random.default_rng(seed)
    count = len(data.names) if classes is None else classes
    order = draw.permutation(count)
    numbers = np.full(len(data.names), -1, dtype=np.int64)
    numbers[order] = np.arange(count)
    known = round(share * count)
    train, test = (part.with_labels(numbers[part.labels]).subset(numbers[part.labels] >= 0) for part in (data.train, data.test))
    labelled = np.zeros(len(train), dtype=bool)
    for label in range(known):
        places = np.flatnonzero(train.labels == label)
        labelled[draw.permutation(places)[: max(1, round(LABELLED * len(places)))]] = True
    return PartlyKnown(
        known_vectors=train.vectors[labelled],
        known_labels=train.labels[labelled],
        vectors=train.vectors[~labelled],
        labels=train.labels[~labelled],
        test_vectors=test.vectors,
        test_labels=test.labels,
        known=known,
        count=count,
    )
