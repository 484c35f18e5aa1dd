"""Goals that were taught look as they did, others do not; what is forgotten is unknown again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lifelong.envs.navigation.scenes import CATEGORIES
from lifelong.learners.navigation import goal_novelty
from lifelong.learners.navigation.goal_novelty import GoalNovelty
from lifelong.learners.navigation.navigator import Navigator
from lifelong.learners.navigation.trajectories import Trajectory
from lifelong.metrics.detection import auroc

WIDTH = 8


def features(category: str, count: int, seed: int) -> list[np.ndarray]:
    """Episodes of 6 steps around a place of the category's own."""
    number = CATEGORIES.index(category)
    centre = np.random.default_rng(number).normal(size=WIDTH) * 4
    rng = np.random.default_rng([seed, number])
    return [centre + rng.normal(size=(6, WIDTH)) for _ in range(count)]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> GoalNovelty:
    """After a stage of the first four categories, whose features are the made ones."""
    import torch

    wanted = [one for name in CATEGORIES[:4] for one in features(name, 30, 0)]
    queue = iter(wanted)

    def given(*arguments: Any) -> torch.Tensor:
        return torch.from_numpy(next(queue))[None]

    monkeypatch.setattr(goal_novelty, "aligned_features", given)
    view = np.zeros((6, 7, 7, 3), dtype=np.uint8)
    actions = np.zeros(6, dtype=np.int64)
    stage = [Trajectory(category=name, views=view, actions=actions) for name in CATEGORIES[:4] for _ in range(30)]
    return GoalNovelty().after(Navigator(width=WIDTH), stage)


def novelty(one: GoalNovelty, *categories: str) -> np.ndarray:
    return one.novelty([episode for name in categories for episode in features(name, 25, 1)])


def test_goals_that_were_not_taught_are_stranger(made: GoalNovelty) -> None:
    known, unknown = novelty(made, *CATEGORIES[:4]), novelty(made, *CATEGORIES[4:8])
    assert auroc(-known, -unknown) > 0.99
    # A squared distance in 8 whitened directions is 8 in the mean.
    assert np.mean(known) == pytest.approx(WIDTH, rel=0.4)


def test_taught_goals_are_accepted_and_others_refused(made: GoalNovelty) -> None:
    known = novelty(made, *CATEGORIES[:4])
    assert not made.refuses(known).any()
    calibrated = made.calibrate(known)
    assert calibrated.refuses(known).mean() <= 0.05
    assert calibrated.refuses(novelty(made, *CATEGORIES[4:8])).mean() > 0.9
    assert made.threshold == np.inf


def test_a_forgotten_category_is_unknown_again(made: GoalNovelty) -> None:
    calibrated = made.calibrate(novelty(made, *CATEGORIES[:4]))
    left = calibrated.without(CATEGORIES[1])
    assert left.refuses(novelty(left, CATEGORIES[1])).mean() > 0.9
    assert left.refuses(novelty(left, CATEGORIES[0])).mean() < 0.2
    assert calibrated.refuses(novelty(calibrated, CATEGORIES[1])).mean() < 0.2


def test_nothing_is_known_before_the_first_stage() -> None:
    with pytest.raises(ValueError, match="no category was taught yet"):
        GoalNovelty().novelty([np.zeros((3, 8))])
    with pytest.raises(ValueError, match="'red ball' cannot be taken out"):
        GoalNovelty().without("red ball")
