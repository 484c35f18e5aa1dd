from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lifelong.evals.data.texts import TextData, Texts, sample_per_class
from lifelong.evals.suites.encoders.texts import OURS, TextScale, figures_of, run, run_stream, stream_of
from lifelong.learners import AdaptedEncoder, EncoderRecipe

SCALE = TextScale(texts=6, tested=4, recipe=EncoderRecipe(rank=2, epochs=2, batch_size=8, learning_rate=3e-2))


def made(each: int, seed: int) -> Texts:
    """Texts of four classes that hold letters of their own."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(4), each)
    drawn = np.concatenate(
        [12 + 2 * labels[:, None] + draw.integers(0, 2, (len(labels), 4)), draw.integers(0, 12, (len(labels), 2))], axis=1
    )
    texts = tuple("".join(chr(40 + number) for number in row) for row in drawn)
    return Texts(texts=texts, labels=labels, vectors=np.zeros((len(labels), 2), dtype=np.float32))


def data() -> TextData:
    train, test = made(10, 0), made(5, 1)
    none = train.subset(np.zeros(len(train), dtype=bool))
    outliers = dict.fromkeys(("outliers_train", "outliers_validation", "outliers_test", "sentences"), none)
    return TextData(names=tuple("abcd"), train=train, validation=none, test=test, **outliers)


def small() -> AdaptedEncoder:
    import torch
    from torch import nn

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.outer = nn.Embedding(40, 8), nn.Linear(8, 8)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
            return SimpleNamespace(last_hidden_state=self.tokens(input_ids) + self.outer(self.tokens(input_ids)).tanh())

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return AdaptedEncoder(Small(), lambda texts: [[ord(letter) % 40 for letter in text] for text in texts])


def test_few_are_drawn_of_every_class() -> None:
    train = made(10, 0)
    assert np.bincount(sample_per_class(train, 3, 0).labels).tolist() == [3] * 4
    assert len(sample_per_class(train, 99, 0)) == 40
    assert sample_per_class(train, 3, 0).texts == sample_per_class(train, 3, 0).texts
    assert sample_per_class(train, 3, 0).texts != sample_per_class(train, 3, 1).texts


def test_a_stream_golden() -> None:
    class Last:
        """Answers with the least class of its last task."""

        def learn(self, texts: tuple[str, ...], labels: np.ndarray) -> None:
            self.answer = labels.min()

        def predict(self, texts: tuple[str, ...]) -> np.ndarray:
            return np.full(len(texts), self.answer)

    found = run_stream(Last(), stream_of(data(), 2, SCALE, 0), extra=100.0)
    # By hand: half of two classes is right first, then a quarter of four; the first group falls from one half to none.
    assert (found["last_accuracy"], found["average_accuracy"], found["forgetting"]) == (0.25, 0.375, 0.5)
    assert 100 < found["seconds"] < 101


@pytest.mark.slow
def test_all_methods_are_measured_on_one_stream() -> None:
    figures = figures_of(small(), stream_of(data(), 2, SCALE, 0), SCALE.recipe, 0)
    names = {name for name, _ in figures}
    assert names == {OURS, "desire_average", "naive_lora", "first_session_ranpac", "frozen_ranpac", "joint_lora"}
    for name in names - {OURS}:
        gain = figures[OURS, f"last_accuracy_less_{name}"]
        assert gain == pytest.approx(figures[OURS, "last_accuracy"] - figures[name, "last_accuracy"])
        assert figures[name, "last_accuracy"] > 0.25, "above chance"


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.skipif("LIFELONG_DATA" not in os.environ, reason="LIFELONG_DATA names no data directory")
def test_a_quick_run_trains_the_real_encoder() -> None:
    found = run(quick=True, seeds=1, data=Path(os.environ["LIFELONG_DATA"]))
    assert all(np.isfinite(row.value) for row in found)
    assert min(row.value for row in found if row.metric == "last_accuracy") > 0.5
