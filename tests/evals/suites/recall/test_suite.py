from __future__ import annotations

from lifelong.evals.suites.recall.suite import best_probability
from lifelong.memory.recall.fusion import shipped
from lifelong.memory.recall.signals import signals
from tests.memory.recall.test_signals import made


def test_the_best_probability_is_that_of_the_first_candidate() -> None:
    one = made(5)
    values = signals(one)
    scores = shipped().score(values)
    chances = shipped().probability(one, values, scores)
    assert best_probability(one, values, shipped()) == chances[scores.argmax()]
