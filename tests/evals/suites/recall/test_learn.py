from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals.data.dialogues import own_dialogues
from lifelong.evals.suites.recall.asked import Case, cases
from lifelong.evals.suites.recall.learn import fit_probability, fit_signals
from lifelong.memory.recall.signals import SIGNALS
from lifelong.perception import HashedEncoder


@pytest.fixture(scope="module")
def asked() -> list[Case]:
    return cases(own_dialogues()[0], HashedEncoder())


def listwise(found: list[Case], weights: np.ndarray) -> float:
    losses = []
    for case in found:
        if case.needed.any():
            scores = case.values @ weights
            losses.append(-float(case.needed @ (scores - np.log(np.exp(scores - scores.max()).sum()) - scores.max())) / case.needed.sum())
    return float(np.mean(losses))


def test_learning_lowers_the_loss_and_a_larger_penalty_the_weights(asked: list[Case]) -> None:
    nothing = listwise(asked, np.zeros(len(SIGNALS)))
    loose, strict = fit_signals(asked, 0.003), fit_signals(asked, 0.3)
    assert listwise(asked, loose) < listwise(asked, strict) < nothing
    spread = np.concatenate([case.values for case in asked]).std(axis=0)
    assert np.linalg.norm(strict * spread) < np.linalg.norm(loose * spread)
    assert np.array_equal(fit_signals(asked, 0.3), strict)


def test_needed_candidates_are_more_probable(asked: list[Case]) -> None:
    weights = fit_signals(asked, 0.03)
    slopes, offset = fit_probability(asked, weights)
    assert np.isfinite(slopes).all()
    from lifelong.memory.recall.fusion import Weights

    learned = Weights(signals=weights, evidence=slopes, offset=offset)
    needed, others = [], []
    for case in asked:
        chances = learned.probability(case.candidates, case.values, learned.score(case.values))
        needed += chances[case.needed > 0].tolist()
        others += chances[case.needed == 0].tolist()
    assert np.mean(needed) > 5 * np.mean(others)
