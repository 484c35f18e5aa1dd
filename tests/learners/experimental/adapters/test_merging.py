"""Merging of adapters."""

from __future__ import annotations

from typing import Any

import numpy as np
from made.letter_texts import RECIPE, texts

from lifelong.learners import AdaptedEncoder, EncoderRecipe
from lifelong.learners.experimental.adapters.merging import attributions, consolidated, merged
from lifelong.learners.experimental.images.class_gaussians import ClassGaussians


def test_attributions_golden() -> None:
    import torch

    # By hand: whitened distances 1 and 3 in one dimension, times 16 / 2.
    found = attributions(torch.tensor([[1.0]]), torch.tensor([[0.0], [4.0]]), torch.eye(1))
    assert found.tolist() == [[-8.0, -72.0]]


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
