from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.perception import SelectiveRule, acceptance_reason, binomial_upper_bound, selective_rule


def test_bound_golden() -> None:
    # No error of n: the rate p with (1 - p)^n = delta. All wrong: nothing is excluded.
    assert binomial_upper_bound(0, 20, 0.05) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert binomial_upper_bound(3, 3, 0.05) == 1.0
    # At the bound, 2 or fewer of 10 happen with probability delta.
    rate = binomial_upper_bound(2, 10, 0.1)
    assert sum(math.comb(10, k) * rate**k * (1 - rate) ** (10 - k) for k in range(3)) == pytest.approx(0.1)


def test_rule_golden() -> None:
    # The upper half is right, the lower half wrong; 64 right ones bound the rate by 1 - (0.05 / 3)^(1 / 64) = 0.062.
    confidence = np.arange(128.0)
    rule = selective_rule(confidence, confidence >= 64, risk=0.1)
    assert 64 <= rule.coverage * 128 < 75
    assert rule.risk_bound <= 0.1
    assert rule.threshold == 128 - rule.coverage * 128
    assert selective_rule(confidence, confidence >= 64, risk=0.05).coverage < 0.5
    assert selective_rule(confidence, np.zeros(128, dtype=bool), risk=0.1).threshold == math.inf


def test_the_promise_is_kept_over_many_splits() -> None:
    broken, coverage = 0, 0.0
    for split in range(300):
        draw = np.random.default_rng(split)
        confidence = draw.uniform(size=4400)
        correct = draw.uniform(size=4400) < 0.5 + 0.5 * confidence
        rule = selective_rule(confidence[:400], correct[:400], risk=0.2, delta=0.1)
        accepted = confidence[400:] >= rule.threshold
        coverage += rule.coverage / 300
        broken += bool(accepted.any() and (~correct[400:][accepted]).mean() > 0.2)
    assert coverage > 0.3
    assert broken <= 300 * 0.1


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60), st.floats(0.05, 0.9))
def test_a_rule_tells_the_truth_about_its_samples(samples: list[tuple[int, bool]], risk: float) -> None:
    confidence, correct = (np.array(column) for column in zip(*samples, strict=True))
    rule = selective_rule(confidence, correct, risk=risk)
    accepted = confidence >= rule.threshold
    assert rule.coverage == pytest.approx(accepted.mean())
    assert rule.risk == pytest.approx((~correct[accepted]).mean() if accepted.any() else 0)
    assert rule.risk <= rule.risk_bound <= risk or not accepted.any()


@pytest.mark.parametrize(("confidence", "risk"), [([], 0.1), ([math.nan], 0.1), ([0.5], 0.0), ([0.5], 1.0), ([0.5, 0.5], 0.1)])
def test_bad_input_is_refused(confidence: list[float], risk: float) -> None:
    with pytest.raises(ValueError, match=r"needed|must lie"):
        selective_rule(np.array(confidence), np.array([True] * min(1, len(confidence))), risk=risk)


RULE = SelectiveRule(threshold=0.8, coverage=0.5, risk=0.0, risk_bound=0.04, samples=80)
NOTHING = SelectiveRule(threshold=np.inf, coverage=0.0, risk=0.0, risk_bound=0.0, samples=80, failures=30)


@pytest.mark.parametrize(
    ("known", "accepted", "rule", "said"),
    [
        (False, False, RULE, "not accepted, since it is unknown"),
        (True, True, RULE, "accepted: chance of success 0.90, threshold 0.80"),
        (True, False, RULE, "not accepted: chance of success 0.90, threshold 0.80"),
        (True, False, None, "needs 59 faultless outcomes, and there are 0, 0 of them failures"),
        (True, False, NOTHING, "needs 59 faultless outcomes, and there are 80, 30 of them failures"),
    ],
)
def test_the_reason_says_what_decided_or_what_is_missing(known: bool, accepted: bool, rule: SelectiveRule | None, said: str) -> None:
    assert acceptance_reason(known, accepted, 0.9, rule, 0.05).endswith(said)
