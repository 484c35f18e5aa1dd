"""Classes held out in turn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.perception.experimental.classifier.held_out import held_out_classes


@given(st.lists(st.integers(0, 6), min_size=2, max_size=60).filter(lambda labels: len(set(labels)) > 1), st.integers(0, 50))
def test_what_is_held_out_was_not_learned_and_every_known_class_was(labels: list[int], seed: int) -> None:
    rows = np.arange(len(labels), dtype=np.float32)[:, None]  # no repeats
    numbers = np.array(labels)

    def fit(vectors: np.ndarray, some: np.ndarray, number: int) -> object:
        learned = set(vectors[:, 0].astype(int).tolist())

        def judge(asked: np.ndarray) -> np.ndarray:
            places = asked[:, 0].astype(int)
            assert not learned & set(places.tolist())
            return np.column_stack([places, np.isin(numbers[places], some)]).astype(np.float64)

        return judge

    known, unknown = held_out_classes(rows, numbers, fit, rounds=2, seed=seed)  # type: ignore[arg-type]
    assert known[:, 1].all()
    assert len(unknown)
    assert not unknown[:, 1].any()


def test_one_class_cannot_be_held_out() -> None:
    with pytest.raises(ValueError, match="two classes"):
        held_out_classes(np.eye(3, dtype=np.float32), np.zeros(3), lambda *_: lambda rows: rows, rounds=1, seed=0)  # type: ignore[arg-type, return-value]
