from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.metrics.detection import (
    aupr_in,
    aupr_out,
    auroc,
    excess_aurc,
    expected_calibration_error,
    failure_aurc,
    fpr_at_95_id_tpr,
    macro_f1,
    unified_aurc,
)

# Few levels, so that ties are common.
LEVELS = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=30)


@given(LEVELS, LEVELS)
def test_ranking_agrees_with_scikit_learn(positive: list[float], negative: list[float]) -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    truth, scores = [1] * len(positive) + [0] * len(negative), positive + negative
    assert auroc(np.array(positive), np.array(negative)) == pytest.approx(roc_auc_score(truth, scores))
    assert aupr_in(np.array(positive), np.array(negative)) == pytest.approx(average_precision_score(truth, scores))
    turned = average_precision_score([1 - one for one in truth], [-score for score in scores])
    assert aupr_out(np.array(positive), np.array(negative)) == pytest.approx(turned)


def test_auroc_golden() -> None:
    # Of six pairs four are right and one is a tie.
    assert auroc(np.array([3.0, 2.0, 1.0]), np.array([0.0, 2.0])) == pytest.approx(4.5 / 6)


def test_fpr_golden() -> None:
    # 19 of 20 accepted at 2 and above; of the negatives 2 and 9 are, 1.5 is not.
    positive = np.arange(1.0, 21.0)
    assert fpr_at_95_id_tpr(positive, np.array([1.5, 2.0, 9.0])) == pytest.approx(2 / 3)
    assert fpr_at_95_id_tpr(positive[:19], np.array([0.5])) == 0.0


def test_failure_aurc_golden() -> None:
    # Risks by coverage: 0, 1/2, 1/3, 2/4.
    confidence, correct = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])
    assert failure_aurc(confidence, correct) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    # Errors last: 0, 0, 1/3, 2/4; the closed form of the best order is that of endless samples.
    assert failure_aurc(np.array([4.0, 1, 3, 1]), correct) == pytest.approx((1 / 3 + 1 / 2) / 4)
    assert excess_aurc(confidence, correct) == pytest.approx(1 / 3 - (0.5 + 0.5 * math.log(0.5)))


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30), st.randoms())
def test_risk_depends_on_the_ranking_alone(samples: list[tuple[int, bool]], chance: object) -> None:
    confidence, correct = (np.array(column) for column in zip(*samples, strict=True))
    value = failure_aurc(confidence, correct)
    assert 0 <= value <= 1
    assert failure_aurc(np.exp(confidence), correct) == pytest.approx(value)
    shuffled = list(samples)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    again, outcomes = (np.array(column) for column in zip(*shuffled, strict=True))
    assert failure_aurc(again, outcomes) == pytest.approx(value)
    assert failure_aurc(np.zeros(len(correct)), correct) == pytest.approx(1 - correct.mean())


def test_accepting_a_unknown_sample_is_an_error() -> None:
    correct = np.array([True, False])
    together = failure_aurc(np.array([0.9, 0.2, 0.5]), np.array([True, False, False]))
    assert unified_aurc(np.array([0.9, 0.2]), correct, np.array([0.5])) == pytest.approx(together)


def test_calibration_golden() -> None:
    # One bin with one of two right: |1 - 1.8| / 2. Two bins: (|1 - 1.9| + |0 - 0.05|) / 3.
    assert expected_calibration_error(np.array([0.9, 0.9]), np.array([True, False])) == pytest.approx(0.4)
    confidence, correct = np.array([0.95, 0.95, 0.05]), np.array([True, False, False])
    assert expected_calibration_error(confidence, correct, bins=10) == pytest.approx((0.9 + 0.05) / 3)


@pytest.mark.parametrize("measure", [auroc, aupr_in, aupr_out, fpr_at_95_id_tpr])
def test_nothing_and_nan_are_refused(measure: Callable[[np.ndarray, np.ndarray], float]) -> None:
    for positive, negative in (([], [1.0]), ([1.0], []), ([math.nan], [1.0])):
        with pytest.raises(ValueError, match="at least one of each"):
            measure(np.array(positive), np.array(negative))
    with pytest.raises(ValueError, match="no NaN"):
        failure_aurc(np.zeros(0), np.zeros(0, dtype=bool))
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        expected_calibration_error(np.array([1.5]), np.array([True]))


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(-1, 4)), min_size=1, max_size=40))
def test_macro_f1_agrees_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    from sklearn.metrics import f1_score

    truth, said = (np.array(column) for column in zip(*pairs, strict=True))
    assert macro_f1(truth, said) == pytest.approx(f1_score(truth, said, average="macro"))


def test_macro_f1_needs_one_answer_a_sample() -> None:
    for truth, said in (([], []), ([1], [1, 2])):
        with pytest.raises(ValueError, match="one of each a sample"):
            macro_f1(np.array(truth), np.array(said))
