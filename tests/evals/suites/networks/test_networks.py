"""Networks that learn and forget: fitting, answers, relearning."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made.word_networks import material, network
from torch import Tensor, nn

from lifelong.evals.suites.networks.networks import TokenizedTexts, fine_tune, predict
from lifelong.learners.experimental.unlearning.objectives import IGNORED


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
