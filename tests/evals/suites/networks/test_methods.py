"""Every unlearning method of the suite."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made.word_networks import learned

from lifelong.evals.suites.networks.methods import CHOSEN, METHODS
from lifelong.evals.suites.networks.networks import predict, relearning_steps
from lifelong.evals.suites.networks.suite import (
    forgotten,
    requested,
)


@pytest.mark.parametrize("name", CHOSEN["minilm"])
def test_every_method_forgets_a_toy_and_relearning_takes_steps(name: str) -> None:
    known = learned()
    method = replace(METHODS["minilm"][name], learning_rate=0.03)
    left = forgotten(known.network, requested(known, 0, missing=False), method, known.scale, 0)
    gone = known.test.classes < 2
    before, after = predict(known.network, known.test), predict(left, known.test)
    assert before.correct.mean() > 0.9
    assert after.correct[gone].mean() < before.correct[gone].mean()
    assert relearning_steps(known.network, known.train, 5) == 0
    of_those = known.train.subset(known.train.classes < 2)
    still_known = predict(left, of_those).correct.mean() >= 0.9
    assert (relearning_steps(left, of_those, 5) == 0) == still_known, "no step is needed just where nine texts in ten are still known"
