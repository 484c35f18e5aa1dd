"""Which unlabelled rows to ask a person about: `QueryStrategy` and its members."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Vector

Places = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class QueryPool:
    """What a strategy chooses from."""

    vectors: Vector
    """Unit rows `(n, d)` nobody was asked about, as the model sees them."""
    probabilities: NDArray[np.float32]
    """Of their classes `(n, count)`."""
    known: int
    """The first classes, known from the start."""
    labelled: Vector
    """Unit rows `(m, d)` whose class is known."""
    answered: NDArray[np.int64]
    """How many answers each class has had `(count,)`."""


@runtime_checkable
class QueryStrategy(Protocol):
    """Chooses rows to ask about."""

    def choose(self, pool: QueryPool, count: int, draw: np.random.Generator) -> Places:
        """Places `(min(count, n),)` in the pool, all different; the more urgent first where the strategy ranks."""


def margins(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """First less second probability `(n,)` of rows `(n, count)`; 1 where there is one class."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities), dtype=np.float32)
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(top[:, 1] - top[:, 0])


class RandomQuery:
    """Any rows: the baseline, of no paper."""

    def choose(self, pool: QueryPool, count: int, draw: np.random.Generator) -> Places:
        """As `QueryStrategy.choose` says."""
        return draw.permutation(len(pool.vectors))[:count]


class MarginQuery:
    """The rows with the least margin (Scheffer et al. 2001, "Active Hidden Markov Models for Information Extraction",
    https://doi.org/10.1007/3-540-44816-0_31).
    """

    def choose(self, pool: QueryPool, count: int, draw: np.random.Generator) -> Places:
        """As `QueryStrategy.choose` says."""
        return np.argsort(margins(pool.probabilities), kind="stable")[:count]


class EntropyQuery:
    """The rows with the largest entropy.

    Settles 2009, "Active Learning Literature Survey", https://minds.wisconsin.edu/handle/1793/60660, section 3.1.
    """

    def choose(self, pool: QueryPool, count: int, draw: np.random.Generator) -> Places:
        """As `QueryStrategy.choose` says."""
        shares = np.maximum(pool.probabilities, 1e-12)
        return np.argsort((shares * np.log(shares)).sum(1), kind="stable")[:count]


class KCentreQuery:
    """One after another the row farthest from all that is labelled or chosen (Sener & Savarese 2018, "Active Learning for Convolutional
    Neural Networks: A Core-Set Approach", algorithm 1, https://arxiv.org/abs/1708.00489).
    """

    def choose(self, pool: QueryPool, count: int, draw: np.random.Generator) -> Places:
        """As `QueryStrategy.choose` says."""
        nearest = (pool.vectors @ pool.labelled.T).max(1, initial=-1)
        chosen: list[int] = []
        for _ in range(min(count, len(pool.vectors))):
            chosen.append(int(nearest.argmin()))
            nearest = np.maximum(nearest, pool.vectors @ pool.vectors[chosen[-1]])
            nearest[chosen] = np.inf
        return np.array(chosen, dtype=np.int64)


class BadgeQuery:
    """k-means++ over the gradients that each row would give a linear head (Ash et al. 2020, "Deep Batch Active Learning by Diverse,
    Uncertain Gradient Lower Bounds", BADGE, https://arxiv.org/abs/1906.03671).

    The gradient is the outer product of the error `p - onehot(argmax p)` and the row; distances follow from the two factors.
    """

    def choose(self, pool: QueryPool, count: int, draw: np.random.Generator) -> Places:
        """As `QueryStrategy.choose` says."""
        rows = np.arange(len(pool.vectors))
        errors = pool.probabilities.astype(np.float64)
        errors[rows, errors.argmax(1)] -= 1
        lengths = (errors**2).sum(1) * (pool.vectors.astype(np.float64) ** 2).sum(1)
        far = lengths.copy()
        chosen: list[int] = []
        for _ in range(min(count, len(rows))):
            free = np.setdiff1d(rows, chosen)
            if not chosen:
                place = int(free[far[free].argmax()])
            else:
                total = far[free].sum()
                place = int(draw.choice(free, p=far[free] / total if total > 0 else None))
            chosen.append(place)
            products = (errors @ errors[place]) * (pool.vectors @ pool.vectors[place])
            far = np.minimum(far, np.maximum(lengths + lengths[place] - 2 * products, 0))
        return np.array(chosen, dtype=np.int64)


class NovelMarginQuery:
    """Adaptive novel margin sampling (Ma et al. 2024, "Active Generalized Category Discovery", https://arxiv.org/abs/2403.04272).

    Only rows that are taken for a new class, the same number from each new class: until a class has had `safe` answers those with
    the largest margin, which are safe and name the class, then those with the smallest, which are informative. (The paper
    changes over for all classes at once, after two rounds of one question a class.) Where the new classes have too few rows, rows
    with the smallest margin fill up.
    """

    def __init__(self, safe: int = 1) -> None:
        if safe < 0:
            raise ValueError(f"safe is {safe}; it counts answers and must not be negative")
        self.safe = safe

    def choose(self, pool: QueryPool, count: int, draw: np.random.Generator) -> Places:
        """As `QueryStrategy.choose` says."""
        margin = margins(pool.probabilities)
        labels = pool.probabilities.argmax(1)
        rising = np.argsort(margin, kind="stable")
        # Classes take turns, so that each gives as many rows as the others.
        turn = np.zeros(len(labels), dtype=np.int64)
        for label in np.unique(labels):
            members = rising[labels[rising] == label]
            missing = max(0, self.safe - int(pool.answered[label]))
            safest = members[::-1][:missing]
            turn[np.concatenate([safest, members[: len(members) - len(safest)]])] = np.arange(len(members))
        novel = np.flatnonzero(labels >= pool.known)
        # Within a turn the classes come in a drawn order: not all of them may fit into the last one.
        places = novel[np.lexsort((draw.permutation(len(novel)), turn[novel]))][:count]
        rest = np.setdiff1d(np.argsort(margin, kind="stable"), places, assume_unique=True)
        return np.concatenate([places, rest[: count - len(places)]])
