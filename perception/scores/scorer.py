"""The interface of the failure and novelty scores: `Scorer`."""

from __future__ import annotations

from typing import Protocol, Self, runtime_checkable

from ...numerics.arrays import Labels, Logits, Scores, Vector


@runtime_checkable
class Scorer(Protocol):
    """One number a sample. The class name says which way it points: `...Confidence` larger is surer, `...Novelty` larger is stranger.

    Members read embeddings `(n, d)`, the logits `(n, classes)` of a head over them, or both; what a member does not read
    may be anything of the right length. The rules are in `lifelong.checks.scorer`.
    """

    def fit(self, vectors: Vector, logits: Logits, labels: Labels) -> Self:
        """Learn what is known from samples and their class numbers `(n,)`; the inputs stay as they are (invariant Purity).

        Raises `ValueError` for NaN or infinite values, for lengths that differ and for no sample at all.
        """

    def score(self, vectors: Vector, logits: Logits) -> Scores:
        """Scores `(n,)`, float32. Raises `ValueError` before `fit`, where there is something to fit, and for NaN or infinite values."""
