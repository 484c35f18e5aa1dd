from __future__ import annotations

import json

import numpy as np
import pytest

from lifelong.memory.recall.fusion import EVIDENCE, FILE, Weights, evidence, ranked, shipped
from lifelong.memory.recall.signals import SIGNALS, signals
from tests.memory.recall.test_signals import made


def test_the_shipped_weights_name_known_signals_alone() -> None:
    read = json.loads(FILE.read_text(encoding="utf-8"))
    assert set(read["signals"]) <= set(SIGNALS)
    assert set(read["evidence"]) <= set(EVIDENCE)


def test_weights_survive_their_file() -> None:
    again = Weights.from_json(json.loads(json.dumps(shipped().to_json())))
    assert again.signals == pytest.approx(shipped().signals, abs=1e-4)
    assert again.offset == pytest.approx(shipped().offset, abs=1e-4)


def test_a_probability_rises_with_what_speaks_for_it() -> None:
    one = made(1)
    values = signals(one)
    weights = Weights(signals=np.zeros(len(SIGNALS)), evidence=np.eye(len(EVIDENCE))[EVIDENCE.index("similarity")], offset=0.0)
    chances = weights.probability(one, values, weights.score(values))
    assert np.array_equal(np.argsort(chances), np.argsort(one.similarity))
    assert ((chances > 0) & (chances < 1)).all()


def test_reasons_add_up_to_what_a_candidate_gains() -> None:
    one = made(2)
    values, scores = ranked(one, shipped())
    for row in range(len(scores)):
        assert sum(shipped().reasons(values, row).values()) == pytest.approx(scores[row] - scores.mean())


def test_evidence_has_one_column_a_name() -> None:
    one = made(4)
    values, scores = ranked(one, shipped())
    assert evidence(one, values, scores).shape == (len(scores), len(EVIDENCE))


def test_signals_without_weight_are_not_computed_and_change_no_score() -> None:
    one, weights = made(5), shipped()
    values, scores = ranked(one, weights)
    np.testing.assert_allclose(scores, weights.score(signals(one)))
    left_out = [place for place, weight in enumerate(weights.signals.tolist()) if not weight]
    assert any(not values[:, place].any() for place in left_out)
