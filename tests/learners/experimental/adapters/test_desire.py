from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.learners import AdaptedEncoder, DesireLearner, EncoderRecipe
from lifelong.learners.experimental.adapters.merging import attributions, consolidated, merged
from lifelong.learners.experimental.images.class_gaussians import ClassGaussians, drift

RECIPE = EncoderRecipe(rank=2, epochs=4, batch_size=8, learning_rate=3e-2)


@pytest.fixture(scope="module")
def encoder() -> AdaptedEncoder:
    import torch
    from torch import nn

    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.inner, self.outer = nn.Embedding(40, 16), nn.Linear(16, 32), nn.Linear(32, 16)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
            tokens = self.tokens(input_ids)
            return SimpleNamespace(last_hidden_state=tokens + self.outer(torch.tanh(self.inner(tokens))))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Small()
    return AdaptedEncoder(network, lambda texts: [[ord(letter) % 40 for letter in text] for text in texts])


def texts(seed: int, classes: Sequence[int], each: int = 8) -> tuple[list[str], np.ndarray]:
    """A class's texts hold its own two letters among others."""
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.array(classes), each)
    drawn = draw.integers(0, 12, (len(labels), 7))
    drawn[:, :4] = 12 + 2 * labels[:, None] + draw.integers(0, 2, (len(labels), 4))
    return ["".join(chr(40 + number) for number in row[: 5 + row[6] % 3]) for row in drawn], labels


def gaussians(seed: int, classes: int = 3, each: int = 12) -> tuple[ClassGaussians, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    rows = draw.normal(size=(len(labels), 4)) + 3 * labels[:, None]
    kept = ClassGaussians()
    kept.learn(rows, labels)
    return kept, rows, labels


def test_gaussians_are_those_of_the_samples() -> None:
    kept, rows, labels = gaussians(0)
    np.testing.assert_allclose(kept.means[1], rows[labels == 1].mean(0))
    np.testing.assert_allclose(kept.covariance(1), np.cov(rows[labels == 1].T))
    np.testing.assert_allclose(kept.within(), np.mean([np.cov(rows[labels == one].T) for one in range(3)], axis=0))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16), cut=st.integers(1, 11))
def test_a_class_learned_in_parts_is_the_same(seed: int, cut: int) -> None:
    whole, rows, labels = gaussians(seed, classes=1)
    parts = ClassGaussians()
    for some in (slice(None, cut), slice(cut, None)):
        parts.learn(rows[some], labels[some])
    np.testing.assert_allclose(parts.means, whole.means)
    np.testing.assert_allclose(parts.covariance(0), whole.covariance(0), atol=1e-9)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_moving_gaussians_is_moving_their_samples(seed: int) -> None:
    kept, rows, labels = gaussians(seed)
    draw = np.random.default_rng(seed)
    matrix, offset = draw.normal(size=(4, 4)), draw.normal(size=4)
    again = ClassGaussians()
    again.learn(rows @ matrix + offset, labels)
    moved = kept.moved(matrix, offset)
    np.testing.assert_allclose(moved.means, again.means, atol=1e-9)
    np.testing.assert_allclose(moved.covariance(2), again.covariance(2), atol=1e-9)
    assert np.array_equal(kept.means, gaussians(seed)[0].means), "the old ones stay as they are"


def test_few_directions_keep_the_most() -> None:
    kept = ClassGaussians(rank=1)
    kept.learn(np.array([[3.0, 0], [-3, 0], [0, 1], [0, -1]]), np.zeros(4))
    np.testing.assert_allclose(kept.covariance(0), [[6, 0], [0, 0]], atol=1e-12)


def test_drift_golden_and_no_drift_is_the_identity() -> None:
    # By hand, r = 1: rows -1 and 1, moved by -2 and 4: mean move 1, slope 6 / (2 + 1) = 2, so x goes to 3 x + 1.
    matrix, offset = drift(np.array([[-1], [1]], dtype=np.float32), np.array([[-3], [5]], dtype=np.float32))
    np.testing.assert_allclose([matrix.item(), offset.item()], [3, 1])
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    matrix, offset = drift(rows, rows)
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(offset, 0, atol=1e-12)


def test_draws_are_unit_rows_around_their_means() -> None:
    kept, _, _ = gaussians(0)
    rows, labels = kept.draws(200, 0)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    assert np.bincount(labels).tolist() == [200] * 3
    assert rows[labels == 2].mean(0) @ kept.means[2] > rows[labels == 0].mean(0) @ kept.means[2]


def test_attributions_golden() -> None:
    import torch

    # By hand: whitened distances 1 and 3 in one dimension, times 16 / 2.
    found = attributions(torch.tensor([[1.0]]), torch.tensor([[0.0], [4.0]]), torch.eye(1))
    assert found.tolist() == [[-8.0, -72.0]]


def test_a_change_is_what_was_trained_and_the_network_stays(encoder: AdaptedEncoder) -> None:
    rows, labels = texts(0, range(3))
    before = encoder.encode(rows)
    change, _ = encoder.train(rows, labels, RECIPE)
    np.testing.assert_array_equal(encoder.encode(rows), before)
    assert max(int(np.linalg.matrix_rank(delta.numpy(), tol=1e-6)) for delta in change.values()) == 2

    def apart(vectors: np.ndarray) -> float:
        means = np.stack([vectors[labels == one].mean(0) for one in range(3)])
        return float(np.linalg.norm(means - means.mean(0)))

    assert apart(encoder.encode(rows, change)) > 1.05 * apart(before)
    again, _ = encoder.train(rows, labels, RECIPE)
    assert all(np.array_equal(again[name].numpy(), change[name].numpy()) for name in change)
    further, _ = encoder.train(rows, labels, RECIPE, start=change)
    assert apart(encoder.encode(rows, further)) > apart(encoder.encode(rows, change))


def test_an_encoding_does_not_depend_on_its_neighbours(encoder: AdaptedEncoder) -> None:
    rows, _ = texts(0, range(2))
    np.testing.assert_allclose(encoder.encode(rows[:1]), encoder.encode(rows)[:1], atol=0.02)
    assert encoder.encode([]).shape[0] == 0


def test_merged_is_the_sum_of_shares(encoder: AdaptedEncoder) -> None:
    import torch

    changes: list[Any] = [dict.fromkeys(encoder.names, torch.tensor([[value]])) for value in (1.0, 10.0)]
    shares = torch.zeros(2, len(encoder.names))
    shares[:, 0] = torch.tensor([0.5, 0.2])
    found = merged(encoder, changes, shares)
    assert [float(found[name]) for name in encoder.names[:2]] == [2.5, 0.0]


def test_coefficients_are_learned_for_the_new_texts(encoder: AdaptedEncoder) -> None:
    (first, labels), (second, new) = texts(0, range(2)), texts(1, range(2, 4))
    changes = [encoder.train(*part, RECIPE)[0] for part in ((first, labels), (second, new))]
    known = ClassGaussians()
    known.learn(encoder.encode(first, changes[0]), labels)
    recipe = EncoderRecipe(epochs=2, batch_size=8, learning_rate=0.05)
    found = consolidated(encoder, second, new, (changes[0], changes[1]), known, recipe, 0.5)
    start = {name: (changes[0][name] + changes[1][name]) / 2 for name in encoder.names}
    assert any(not np.allclose(found[name].numpy(), start[name].numpy(), atol=1e-4) for name in encoder.names)
    again = consolidated(encoder, second, new, (changes[0], changes[1]), known, recipe, 0.5)
    assert all(np.array_equal(again[name].numpy(), found[name].numpy()) for name in encoder.names), "same texts, same coefficients"


def test_coefficients_for_texts_of_known_and_new_classes_keep_both_apart(encoder: AdaptedEncoder) -> None:
    (first, labels), (second, new) = texts(0, range(2)), texts(1, range(2, 4))
    changes = [encoder.train(*part, RECIPE)[0] for part in ((first, labels), (second, new))]
    known = ClassGaussians()
    known.learn(encoder.encode(first, changes[0]), labels)
    recipe = EncoderRecipe(epochs=2, batch_size=8, learning_rate=0.05)
    rows, truth = [*second, *first[:3]], np.concatenate([new, labels[:3]])
    found = consolidated(encoder, rows, truth, (changes[0], changes[1]), known, recipe, 0.5)
    vectors, (fresh, answers) = encoder.encode([*first, *second], found), texts(9, range(4))
    all_labels = np.concatenate([labels, new])
    means = np.stack([vectors[all_labels == one].mean(0) for one in range(4)])
    nearest = ((encoder.encode(fresh, found)[:, None] - means) ** 2).sum(-1).argmin(1)
    assert np.mean(nearest == answers) > 0.6, "chance is 0.25"


@pytest.mark.parametrize("merge", ["learned", "average"])
def test_classes_are_learned_task_after_task(encoder: AdaptedEncoder, merge: Any) -> None:
    learner = DesireLearner(encoder, recipe=RECIPE, merge=merge, draws=30)
    with pytest.raises(ValueError, match="knows no class"):
        learner.predict(["a"])
    for step in range(2):
        learner.learn(*texts(step, range(2 * step, 2 * step + 2)))
    assert learner.labels.tolist() == [0, 1, 2, 3]
    fresh, truth = texts(9, range(4))
    right = learner.predict(fresh) == truth
    assert min(right[truth < 2].mean(), right[truth >= 2].mean()) > 0.5, "both tasks are known, of four classes"
    assert right.mean() > 0.6
    with pytest.raises(ValueError, match="one label a text"):
        learner.learn(fresh, truth[:-1])


def test_bad_settings_are_named() -> None:
    import torch

    with pytest.raises(ValueError, match="above 0"):
        EncoderRecipe(rank=0)
    with pytest.raises(ValueError, match="no linear layer"):
        AdaptedEncoder(torch.nn.Identity(), lambda texts: [])
