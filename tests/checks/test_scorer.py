from __future__ import annotations

from typing import Self

import numpy as np
import pytest

from lifelong.checks.scorer import check_scorer
from lifelong.perception import ClassMeanNovelty, Scorer


class BackwardNovelty(ClassMeanNovelty):
    def score(self, vectors: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return -super().score(vectors, logits)


class ForgivingNovelty(ClassMeanNovelty):
    def score(self, vectors: np.ndarray, logits: np.ndarray) -> np.ndarray:
        return super().score(np.nan_to_num(vectors, posinf=0), logits)


class RelativeNovelty(ClassMeanNovelty):
    def score(self, vectors: np.ndarray, logits: np.ndarray) -> np.ndarray:
        scores = super().score(vectors, logits)
        return np.asarray(scores - np.arange(len(scores)) / 1000, dtype=np.float32)


class GreedyNovelty(ClassMeanNovelty):
    def fit(self, vectors: np.ndarray, logits: np.ndarray, labels: np.ndarray) -> Self:
        super().fit(vectors, logits, labels)
        vectors *= 2
        return self


class Nameless(ClassMeanNovelty):
    pass


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        (BackwardNovelty, "as the name says"),
        (ForgivingNovelty, "refuses nan"),
        (RelativeNovelty, "neighbours"),
        (GreedyNovelty, "leaves its input"),
        (Nameless, "ends in"),
    ],
)
def test_every_rule_can_be_broken(member: type[Scorer], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_scorer(member)
