"""Prototypes of image classes, and their scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from made.tiny_images import MAKES, learned, made

from lifelong.learners.experimental.images.prototypes import ensemble_scores, gaussian_scores


def test_ensemble_scores_golden() -> None:
    # Turn t reads columns t and 4 + t alone.
    logits = torch.zeros(4, 1, 8)
    logits[0, 0, 0], logits[1, 0, 1], logits[2, 0, 6], logits[3, 0, 0] = 4.0, 2.0, 8.0, 100.0
    assert ensemble_scores(logits).tolist() == [[1.5, 2.0]]


def test_prototypes_are_means_of_features_with_the_radius_of_the_first_call() -> None:
    learner = learned(MAKES["pass_plus_plus"], [3, 6])
    state, (pixels, labels) = learner.state(), made([3, 6])
    assert sorted(state["kept.columns"]) == list(range(8))
    upright, turned = (learner.features(np.rot90(pixels, turn, (1, 2))) for turn in (0, 1))
    np.testing.assert_allclose(state["kept.means"][state["kept.columns"] == 4][0], upright[labels == 6].mean(0), rtol=1e-5)
    np.testing.assert_allclose(state["kept.means"][state["kept.columns"] == 1][0], turned[labels == 3].mean(0), rtol=1e-5)
    spread = [((upright[labels == one] - upright[labels == one].mean(0)) ** 2).sum(1).mean() for one in (3, 6)]
    assert state["kept.radius"] == pytest.approx(np.sqrt(np.mean(spread) / 4), rel=1e-5)
    learner.learn(*made([1]))
    assert learner.state()["kept.radius"] == state["kept.radius"]
    assert len(learned(MAKES["pass"], [3, 6]).state()["kept.columns"]) == 2


def test_gaussian_scores_golden() -> None:
    # Means (2, 0) and (0, 2), covariance diag(2, 1): x' S^-1 m - m' S^-1 m / 2 at (1, 1) is 1 - 1 and 2 - 2; at (2, 1): 2 - 1 and 2 - 2.
    means = np.array([[[2.0, 0.0], [0.0, 2.0]]])
    found = gaussian_scores(np.array([[[1.0, 1.0], [2.0, 1.0]]]), means, np.diag([2.0, 1.0])[None])
    np.testing.assert_allclose(found, [[0.0, 0.0], [1.0, 0.0]])
    both = np.concatenate([means, means[:, ::-1]])
    turned_over = gaussian_scores(np.array([[[2.0, 1.0]], [[2.0, 1.0]]]), both, np.stack([np.diag([2.0, 1.0])] * 2))
    np.testing.assert_allclose(turned_over, [[0.5, 0.5]], err_msg="the mean over the turns")
