"""The contract of heads can be broken, and the check says so."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.checks.head import check_head
from lifelong.learners import (
    NearestMeanHead,
    RidgeHead,
)


def test_the_check_notices_an_unlearning_that_only_forgets_the_class() -> None:
    class Pretender(NearestMeanHead):
        def unlearn(self, vectors: np.ndarray, labels: np.ndarray) -> None:
            super().unlearn(vectors[:1], labels[:1])

    with pytest.raises(AssertionError, match="never saw"):
        check_head(Pretender)


def test_the_check_notices_a_head_that_writes_into_its_samples() -> None:
    class Careless(RidgeHead):
        def learn(self, vectors: np.ndarray, labels: np.ndarray) -> None:
            super().learn(vectors, labels)
            vectors *= 0

    with pytest.raises(AssertionError):
        check_head(Careless)
