from __future__ import annotations

import math

import pytest

from lifelong.evals.data.dialogues import own_dialogues
from lifelong.evals.suites.recall.asked import cases, turn_vectors
from lifelong.evals.suites.recall.whole import Whole, ndcg
from lifelong.perception import HashedEncoder


def test_plain_ways_order_every_turn_once() -> None:
    one, encoder = own_dialogues()[0], HashedEncoder()
    whole, case = Whole(one, turn_vectors(one, encoder)), cases(one, encoder)[0]
    for order in (whole.newest, whole.order(whole.bm25(case)), whole.order(whole.cosine(case, encoder))):
        assert sorted(order) == list(range(len(one.turns)))
    assert whole.newest[0] == len(one.turns) - 1


def test_ndcg_by_hand() -> None:
    right = frozenset({1, 2})
    assert ndcg([1, 2, 3], right, 5) == 1.0
    assert ndcg([3, 1, 4], right, 5) == pytest.approx((1 / math.log2(3)) / (1 + 1 / math.log2(3)))
