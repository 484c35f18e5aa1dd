from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong import perception
from lifelong.numerics.arrays import l2_normalize
from lifelong.perception import (
    BadgeQuery,
    EntropyQuery,
    KCentreQuery,
    MarginQuery,
    NovelMarginQuery,
    QueryPool,
    QueryStrategy,
    RandomQuery,
    stable_mapping,
)
from lifelong.perception.experimental.discovery.queries import margins

MEMBERS = [
    member
    for name in perception.__all__
    if inspect.isclass(member := getattr(perception, name)) and member is not QueryStrategy and callable(getattr(member, "choose", None))
]


def pool(probabilities: object, known: int = 1, vectors: np.ndarray | None = None, answered: object = None) -> QueryPool:
    shares = np.array(probabilities, dtype=np.float32)
    return QueryPool(
        vectors=np.eye(len(shares), 8, dtype=np.float32) if vectors is None else vectors,
        probabilities=shares,
        known=known,
        labelled=np.zeros((0, 8), dtype=np.float32),
        answered=np.zeros(shares.shape[1], dtype=np.int64) if answered is None else np.array(answered),
    )


def draw() -> np.random.Generator:
    return np.random.default_rng(0)


def test_members_are_found() -> None:
    assert {RandomQuery, MarginQuery, EntropyQuery, KCentreQuery, BadgeQuery, NovelMarginQuery} == set(MEMBERS)


@pytest.mark.parametrize("member", MEMBERS)
@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(1, 5), st.integers(0, 15))
def test_every_strategy_chooses_different_rows(member: type[QueryStrategy], seed: int, rows: int, classes: int, count: int) -> None:
    random = np.random.default_rng(seed)
    vectors = l2_normalize(random.normal(size=(rows, 8))).astype(np.float32)
    asked = pool(random.dirichlet(np.ones(classes), size=rows).reshape(rows, classes), known=classes // 2, vectors=vectors)
    before = asked.probabilities.copy()
    chosen = member().choose(asked, count, np.random.default_rng(seed))
    assert len(chosen) == len(set(chosen.tolist())) == min(count, rows)
    assert all(0 <= place < rows for place in chosen)
    assert np.array_equal(member().choose(asked, count, np.random.default_rng(seed)), chosen)
    assert np.array_equal(asked.probabilities, before)


def test_margins_by_hand() -> None:
    assert margins(np.array([[0.6, 0.3, 0.1], [0.5, 0.5, 0]], dtype=np.float32)) == pytest.approx([0.3, 0])
    assert margins(np.ones((2, 1), dtype=np.float32)).tolist() == [1, 1]


def test_margin_and_entropy_take_the_unsure() -> None:
    asked = pool([[0.9, 0.1, 0], [0.5, 0.5, 0], [0.4, 0.3, 0.3]])
    assert MarginQuery().choose(asked, 2, draw()).tolist() == [1, 2]
    assert EntropyQuery().choose(asked, 2, draw()).tolist() == [2, 1]


def test_k_centre_takes_the_farthest() -> None:
    angles = np.array([0, 0.1, 1.5, 3.0])
    rows = np.stack([np.cos(angles), np.sin(angles), *np.zeros((6, 4))], axis=1).astype(np.float32)
    asked = QueryPool(
        vectors=rows, probabilities=np.ones((4, 1), dtype=np.float32), known=0, labelled=rows[:1], answered=np.zeros(1, dtype=np.int64)
    )
    assert KCentreQuery().choose(asked, 2, draw()).tolist() == [3, 2]


def test_badge_takes_large_gradients_and_no_twins() -> None:
    vectors = np.repeat(np.eye(3, 8, dtype=np.float32), 4, axis=0)
    sure = [[1.0, 0.0]] * 4
    unsure = [[0.5, 0.5]] * 8
    chosen = BadgeQuery().choose(pool(sure + unsure, vectors=vectors), 2, draw())
    assert set((chosen // 4).tolist()) == {1, 2}


def test_novel_margin_asks_every_new_class_safely_first() -> None:
    asked = pool([[0.9, 0.1, 0], [0, 0.6, 0.4], [0, 0.9, 0.1], [0, 0.3, 0.7], [0.1, 0.0, 0.9], [0, 0.8, 0.2]])
    assert set(NovelMarginQuery().choose(asked, 2, draw()).tolist()) == {2, 4}
    answered = pool(asked.probabilities, answered=[0, 1, 1])
    assert set(NovelMarginQuery().choose(answered, 2, draw()).tolist()) == {1, 3}
    # No row of a known class comes before all rows of new classes.
    assert NovelMarginQuery().choose(asked, 6, draw())[-1] == 0
    with pytest.raises(ValueError, match="safe"):
        NovelMarginQuery(safe=-1)


def test_the_mapping_gives_every_answered_class_a_number_of_its_own() -> None:
    predictions = np.array([[0.0, 0.9, 0.1], [0.0, 0.6, 0.4], [0.1, 0.7, 0.2]], dtype=np.float32)
    # Class 7 has the better claim to number 1, so class 9 gets number 2; for class 8 none is left.
    assert stable_mapping(predictions, np.array([7, 7, 9]), 1) == {0: 0, 7: 1, 9: 2}
    assert set(stable_mapping(predictions, np.array([7, 8, 9]), 1).values()) == {0, 1, 2, 3}
    assert stable_mapping(predictions[:0], np.zeros(0, dtype=np.int64), 2) == {0: 0, 1: 1}
