from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.perception import Fusion, fused_log_odds
from lifelong.perception.selective.fusion import logistic

BY_HAND = Fusion(centre=np.array([1.0, 4.0]), scale=np.array([2.0, 3.0]), weights=np.array([0.5, 1.0]), bias=-1.0)


def two_kinds(seed: int, count: int = 40, columns: int = 3) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.normal(size=(count, columns)), draw.normal(size=(count // 2, columns)) + np.arange(columns)


def test_formula_golden() -> None:
    # -1 + 0.5 (2 - 1) / 2 + 1 (10 - 4) / 3 = 1.25, and 1 / (1 + exp(-1.25)) = 0.7773; the unknown score counts as its centre.
    scores = np.array([[2.0, 10.0], [np.nan, 10.0], [np.nan, np.nan]])
    odds = fused_log_odds(scores, BY_HAND.centre, BY_HAND.scale, BY_HAND.weights, BY_HAND.bias)
    np.testing.assert_allclose(odds, [1.25, 1.0, -1.0])
    np.testing.assert_allclose(BY_HAND.chance(scores), [0.777300, 0.731059, 0.268941], atol=1e-6)


@pytest.mark.parametrize("balanced", [True, False])
def test_fit_is_logistic_regression(balanced: bool) -> None:
    from sklearn.linear_model import LogisticRegression

    negative, positive = two_kinds(0)
    fusion = Fusion.fit(negative, positive, ridge=2.0, balanced=balanced, monotone=False)
    rows = (np.vstack([negative, positive]) - negative.mean(0)) / negative.std(0)
    kinds = np.repeat([0, 1], [40, 20])
    shares = np.where(kinds == 1, 0.5 / 20, 0.5 / 40) if balanced else np.full(60, 1 / 60)
    reference = LogisticRegression(C=20 / 2.0, tol=1e-8, max_iter=1000).fit(rows, kinds, sample_weight=shares)
    np.testing.assert_allclose(fusion.weights, reference.coef_[0], atol=1e-3)
    assert fusion.bias == pytest.approx(reference.intercept_[0], abs=1e-3)


@given(st.integers(0, 1000), st.integers(0, 2), st.floats(0.01, 5))
def test_more_of_any_score_is_never_less_of_the_kind(seed: int, column: int, more: float) -> None:
    negative, positive = two_kinds(seed)
    fusion = Fusion.fit(negative, -positive)  # some scores point the wrong way: they get no say, not the opposite one
    raised = negative.copy()
    raised[:, column] += more
    before, after = fusion.chance(negative), fusion.chance(raised)
    assert (after >= before).all()
    assert ((before >= 0) & (before <= 1)).all()


@given(st.integers(0, 1000))
def test_order_and_scale_do_not_matter(seed: int) -> None:
    negative, positive = two_kinds(seed)
    order = np.random.default_rng(seed).permutation(len(negative))
    fusion = Fusion.fit(negative, positive)
    np.testing.assert_allclose(fusion.chance(negative)[order], fusion.chance(negative[order]))
    other = Fusion.fit(7 * negative[order] - 3, 7 * positive - 3)
    np.testing.assert_allclose(other.chance(7 * negative - 3), fusion.chance(negative), atol=1e-3)


def test_without_the_other_kind_all_scores_count_alike() -> None:
    negative, positive = two_kinds(1)
    fusion = Fusion.fit(negative, positive[:0])
    np.testing.assert_allclose(fusion.log_odds(negative), ((negative - negative.mean(0)) / negative.std(0)).mean(1))
    assert Fusion.equal(negative, bias=-2.0).bias == -2.0


def test_one_misleading_sample_does_not_make_all_evidence_worthless() -> None:
    negative = np.random.default_rng(3).normal(size=(15, 2))
    misleading = np.array([[-2.0, -2.0]])  # named wrongly, though nothing spoke against it
    assert Fusion.fit(negative, misleading, balanced=False).weights.max() < 1e-3, "all samples get the same chance, and none is ranked"
    kept = Fusion.fit(negative, misleading, balanced=False, towards_equal=True)
    assert (kept.weights > 0.2).all()
    assert kept.chance(np.array([[3.0, 3.0]]))[0] > kept.chance(np.array([[-3.0, -3.0]]))[0]


def test_a_constant_or_unknown_column_says_nothing() -> None:
    negative, positive = two_kinds(2, columns=2)
    wide = [np.column_stack([rows, np.ones(len(rows)), np.full(len(rows), np.nan)]) for rows in (negative, positive)]
    np.testing.assert_allclose(Fusion.fit(*wide).chance(wide[0]), Fusion.fit(negative, positive).chance(negative), atol=1e-3)


def test_logistic_does_not_overflow() -> None:
    np.testing.assert_allclose(logistic(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])


@pytest.mark.parametrize("bad", [np.zeros((0, 3)), np.zeros((2, 2)), np.full((2, 3), np.inf), np.zeros(3)])
def test_bad_input_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"needed|infinite"):
        Fusion.fit(bad, np.ones((2, 3)))
