from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made.word_networks import learned

from lifelong.evals.data.texts import clinc150
from lifelong.evals.suites.networks import suite as networks_suite
from lifelong.evals.suites.networks.methods import GRID, METHODS
from lifelong.evals.suites.networks.networks import predict
from lifelong.evals.suites.networks.suite import (
    MINILM,
    QUICK,
    SMOLLM2,
    Learned,
    forgetting_h_mean,
    forgotten,
    learn,
    requested,
    total_variation,
)


def test_the_harmonic_mean_by_hand() -> None:
    assert forgetting_h_mean(0.5, 1.0) == pytest.approx(2 / 3)
    assert forgetting_h_mean(0.9, 0.9) == pytest.approx(0.9)
    assert forgetting_h_mean(-0.1, 0.9) == 0
    assert forgetting_h_mean(0.9, 0.0) == 0


def test_total_variation_by_hand() -> None:
    one, other = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])
    assert total_variation(one, other) == pytest.approx(0.5)
    assert total_variation(one, one) == 0


def test_requests_name_each_class_once_and_keep_those_not_yet_named() -> None:
    known = learned()
    for missing in (False, True):
        for number, one in enumerate(requested(known, 0, missing=missing)):
            assert set(one.forget_labels.tolist()) == {number}
            assert len(one.forget) == known.scale.forget
            assert set(one.retain_labels.tolist()) <= set(range(number + 1, 4))
    whole, part = (requested(known, 0, missing=missing)[0].retain_labels for missing in (False, True))
    assert len(part) < len(whole)
    assert len(set(part.tolist())) <= 2


def test_a_setting_that_does_nothing_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked_of = learned(), []
    known = replace(known, scale=replace(known.scale, requests=1))

    def drawn(scale: object, texts: object, seed: int, *, on_validation: bool) -> Learned:
        asked_of.append((seed, on_validation))
        return known

    some = METHODS["minilm"]["lifelong_gs_lora"]
    monkeypatch.setattr(networks_suite, "learn", drawn)
    monkeypatch.setitem(GRID, "minilm", {"one": [replace(some, learning_rate=1e-9), replace(some, learning_rate=0.03)]})
    idle, working = networks_suite.choose(known.scale, None, seeds=(100, 101))["one"]  # type: ignore[arg-type]
    assert asked_of == [(100, True), (101, True)], "settings are chosen on validation texts alone"
    assert idle < 0.1 < working


def test_scales_can_be_measured() -> None:
    for scale in (MINILM, SMOLLM2, QUICK, *networks_suite.ON_GPU):
        assert scale.requests < scale.classes
        assert scale.forget <= scale.texts
        assert set(METHODS[scale.network]) == set(GRID[scale.network])
    assert len({len(some) for network in GRID.values() for some in network.values()}) == 1, "no method has more settings than another"


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.skipif("LIFELONG_DATA" not in os.environ, reason="LIFELONG_DATA names no data directory")
@pytest.mark.parametrize("which", ["minilm", "smollm2"])
def test_both_networks_learn_and_forget(which: str) -> None:
    base = QUICK if which == "minilm" else SMOLLM2
    scale = replace(base, classes=4, texts=6, tested=4, requests=1, forget=4, retained_share=1.0, epochs=4)
    known = learn(scale, clinc150(Path(os.environ["LIFELONG_DATA"])), 0)
    assert predict(known.network, known.train).correct.mean() > 0.8
    method = METHODS[which]["lifelong_gs_lora"]
    left = forgotten(known.network, requested(known, 0, missing=False), method, scale, 0)
    gone = known.train.classes == 0
    assert predict(left, known.train).losses[gone].mean() > predict(known.network, known.train).losses[gone].mean() + 0.5
