"""`Whole`: plain ways of searching a dialogue, which look at every turn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from ....memory.recall.signals import LENGTH_SHARE, SATURATION
from ....memory.turns.terms import terms
from ....numerics.arrays import Floats, Vector
from ....perception import Encoder
from ...data.dialogues import Dialogue
from .asked import Case


class Whole:
    """A dialogue with its turns' terms and embeddings `(n, d)`."""

    def __init__(self, dialogue: Dialogue, vectors: Vector) -> None:
        self._counts = [Counter(terms(said.text)) for said in dialogue.turns]
        self._length = np.array([counts.total() for counts in self._counts], dtype=np.float64)
        self._vectors = vectors
        self._asked: dict[str, Vector] = {}
        self.newest = list(range(len(dialogue.turns)))[::-1]
        """The turns from the last to the first."""

    def order(self, scores: Floats) -> list[int]:
        """Turns from the largest score to the smallest."""
        return [int(row) for row in np.argsort(-scores, kind="stable")]

    def bm25(self, one: Case) -> Floats:
        """Okapi BM25 of every turn, stems as terms, stop words left out."""
        scores = np.zeros(len(self._counts))
        for term in set(terms(one.asked.text)):
            found = np.array([counts[term] for counts in self._counts], dtype=np.float64)
            holding = int((found > 0).sum())
            weight = math.log(1 + (len(found) - holding + 0.5) / (holding + 0.5))
            norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * self._length / self._length.mean())
            scores += weight * found * (SATURATION + 1) / (found + norm)
        return scores

    def cosine(self, one: Case, encoder: Encoder) -> Floats:
        """Cosine of every turn's embedding to the question's."""
        if one.asked.text not in self._asked:
            self._asked[one.asked.text] = encoder.encode([one.asked.text])[0]
        return np.asarray(self._vectors @ self._asked[one.asked.text], dtype=np.float64)


def ndcg(order: Sequence[int], right: frozenset[int], k: int) -> float:
    """Normalised discounted cumulative gain of the first `k`, each right one counting one (Jarvelin & Kekalainen 2002)."""
    gained = sum(1 / math.log2(place + 2) for place, one in enumerate(order[:k]) if one in right)
    return gained / sum(1 / math.log2(place + 2) for place in range(min(k, len(right))))
