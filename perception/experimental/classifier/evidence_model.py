"""`EvidenceModel`: heads, neighbours and moments of the same samples, and the evidence that they give of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ....numerics.arrays import Labels, Vector, validate_rows
from ...selective.fusion import Columns
from .head_ensemble import HeadEnsemble, HeadOutputs
from .novelty_evidence import HEAD_COLUMNS, NoveltyEvidence

TINY = 1e-9
"""Nearest to 0 and 1 that a chance may be where its log odds are taken."""


@dataclass(frozen=True, kw_only=True)
class EvidenceColumns:
    """What is to be fused, for samples `(n, ...)`; NaN where the heads cannot know."""

    labels: Labels
    """The class named."""
    failure: Columns
    """Evidence that this class is wrong `(n, m)`; larger is worse."""
    novelty: Columns
    """Evidence that the sample is out of scope `(n, k)`; larger is stranger."""


class EvidenceModel:
    """What is known, learned from samples of `widths` (see `NoveltyEvidence`); the heads read the first block."""

    def __init__(self, heads: HeadEnsemble, widths: Sequence[int] = ()) -> None:
        self.heads = heads
        self.widths = tuple(widths)

    def fit(self, vectors: Vector, labels: Labels, outliers: Vector | None = None) -> Self:
        """Begin anew from samples `(n, d)`, classes `(n,)` and outliers `(m, d)`; the columns are one block where no widths were given.

        Raises `ValueError` for no sample, NaN, infinite values and lengths that differ.
        """
        rows = validate_rows("vectors", vectors, sum(self.widths) or None)
        self.widths = self.widths or (rows.shape[1],)
        first = self.widths[0]
        self.heads.fit(rows[:, :first], labels, None if outliers is None else np.asarray(outliers)[:, :first])
        self.evidence = NoveltyEvidence(self.widths)
        self.evidence.learn(rows, labels)
        return self

    @property
    def labels(self) -> Labels:
        """Class numbers known, ascending."""
        return self.evidence.labels

    @property
    def untrained(self) -> Labels:
        """Classes learned since the heads were trained."""
        return np.setdiff1d(self.labels, self.heads.labels)

    @property
    def masked(self) -> Labels:
        """Classes forgotten since the heads were trained."""
        return np.setdiff1d(self.heads.labels, self.labels)

    def features(self, vectors: Vector) -> EvidenceColumns:
        """Class and evidence of vectors `(n, d)`. Raises `ValueError` for NaN or infinite values.

        A class that the heads do not know is named where a sample of it is nearest; what the heads say there is unknown.
        """
        rows = validate_rows("vectors", vectors, sum(self.widths))
        outputs = self.heads.outputs(rows[:, : self.widths[0]], without=self.masked)
        named, failure = self.heads.labels[outputs.probabilities.argmax(1)], failure_columns(outputs)
        unread = np.zeros(len(rows), dtype=bool)
        if len(self.untrained):
            nearest = self.evidence.nearest_class(rows)
            unread = np.isin(nearest, self.untrained)
            named = np.where(unread, nearest, named)
        novelty = self.evidence.columns(rows, outputs, named)
        failure[unread], novelty[unread, :HEAD_COLUMNS] = np.nan, np.nan
        return EvidenceColumns(labels=named, failure=failure, novelty=novelty)


def failure_columns(outputs: HeadOutputs) -> Columns:
    """Log odds of one less the largest probability and of one less the margin: `(n, 2)`, larger is worse.

    Entropy is no column: on CLINC150's validation split it ranks failures worse than either, and so does a fusion with it.
    """
    ranked = -np.sort(-outputs.probabilities, axis=1)
    second = ranked[:, 1] if ranked.shape[1] > 1 else np.zeros(len(ranked))
    return np.stack([_log_odds(1 - ranked[:, 0]), _log_odds(1 - ranked[:, 0] + second)], axis=1)


def _log_odds(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    # `log1p` keeps the digits of a chance near 1, where `1 - chance` has lost them.
    inside = np.clip(chance, TINY, 1 - TINY)
    return np.asarray(np.log(inside) - np.log1p(-inside))
