from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lifelong.evals.data.texts import clinc150
from lifelong.evals.suites.networks import suite as networks_suite
from lifelong.evals.suites.networks.methods import CHOSEN, GRID, METHODS
from lifelong.evals.suites.networks.networks import PADDING, TokenizedTexts, fine_tune, predict, relearning_steps
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
from lifelong.learners.experimental.unlearning.objectives import IGNORED


class Words(nn.Module):
    """The mean of word vectors after one block."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 8)
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 8))])

    def forward(self, tokens: Tensor) -> Tensor:
        there = tokens != PADDING
        rows = self.words(tokens.clamp_min(0))
        for layer in self.layers:
            rows = rows + layer(rows)
        mean: Tensor = (rows * there.unsqueeze(-1)).sum(1) / there.sum(1, keepdim=True)
        return mean


def material(classes: int = 4, each: int = 10, seed: int = 0) -> TokenizedTexts:
    """A class's texts hold its own word and two others, some a third."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    inputs = np.stack([labels, *draw.integers(classes, 12, (2, len(labels))), draw.choice([PADDING, 11], len(labels))], axis=1)
    return TokenizedTexts(inputs=torch.from_numpy(inputs), labels=torch.from_numpy(labels), classes=labels)


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(Words(), nn.Linear(8, 4)).eval()


def learned() -> Learned:
    scale = replace(QUICK, classes=4, texts=10, requests=2, retained_share=0.5, recipe=replace(QUICK.recipe, steps=30))
    known = network()
    fine_tune(known, material(), epochs=20, learning_rate=0.01, seed=0)
    return Learned(scale=scale, network=known, train=material(), test=material(seed=1))


def test_the_harmonic_mean_by_hand() -> None:
    assert forgetting_h_mean(0.5, 1.0) == pytest.approx(2 / 3)
    assert forgetting_h_mean(0.9, 0.9) == pytest.approx(0.9)
    assert forgetting_h_mean(-0.1, 0.9) == 0
    assert forgetting_h_mean(0.9, 0.0) == 0


def test_total_variation_by_hand() -> None:
    one, other = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])
    assert total_variation(one, other) == pytest.approx(0.5)
    assert total_variation(one, one) == 0


def test_fitting_leaves_word_vectors_and_learns_the_rest() -> None:
    known, before = network(), network()
    fine_tune(known, material(), epochs=20, learning_rate=0.01, seed=0)
    assert torch.equal(known[0].words.weight, before[0].words.weight)
    assert predict(known, material(seed=1)).correct.mean() > 0.9 > predict(before, material(seed=1)).correct.mean()
    assert not any(one.requires_grad for one in known.parameters())


def test_answers_come_in_the_order_of_the_texts() -> None:
    known, texts = network(), material()
    whole = predict(known, texts, batch=7)
    for place in (0, 17, 39):
        alone = predict(known, texts.subset(np.array([place])))
        assert alone.correct[0] == whole.correct[place]
        assert alone.losses[0] == pytest.approx(whole.losses[place], abs=0.05)
        np.testing.assert_allclose(alone.chances[0].sum(), 1, atol=1e-5)


def test_a_written_answer_is_right_when_all_its_tokens_are() -> None:
    logits = torch.tensor([[[9.0, 0.0], [0.0, 9.0]], [[9.0, 0.0], [9.0, 0.0]], [[0.0, 9.0], [0.0, 9.0]]])

    class Fixed(nn.Module):
        def forward(self, tokens: Tensor) -> Tensor:
            return logits[tokens[:, 0]]

    labels = torch.tensor([[0, 1], [0, 1], [IGNORED, 1]])
    found = predict(
        nn.Sequential(Fixed()), TokenizedTexts(inputs=torch.tensor([[0], [1], [2]]), labels=labels, classes=np.zeros(3, dtype=np.int64))
    )
    assert found.correct.tolist() == [True, False, True]
    np.testing.assert_allclose(found.losses[[0, 2]], [np.log1p(np.exp(-9))] * 2, rtol=1e-2)
    assert found.chances.argmax(1).tolist() == [0, 0, 1], "of the answer's first token"


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


def test_a_setting_that_does_nothing_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked_of = learned(), []

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
