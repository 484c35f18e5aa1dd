"""Stored features stay within their bound, the same share for every category."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.learners.navigation.episode_buffer import EpisodeBuffer, StoredFeatures


def episode(category: str, steps: int = 4) -> StoredFeatures:
    """Costs 2 * 3 + 1 + 2 = 9 bytes a step."""
    return StoredFeatures(
        category=category,
        features=np.zeros((steps, 3), np.float16),
        actions=np.zeros(steps, np.uint8),
        weights=np.ones(steps, np.float16),
    )


def test_the_bound_holds_and_later_categories_take_no_more_than_their_share() -> None:
    buffer = EpisodeBuffer(10 * 36)
    buffer.add([episode("red ball") for _ in range(10)])
    assert buffer.nbytes == 10 * 36
    buffer.add([episode("blue key") for _ in range(20)])
    counts = [sum(one.category == name for one in buffer.episodes) for name in ("red ball", "blue key")]
    assert counts == [5, 5]
    assert EpisodeBuffer(35, episodes=[episode("red ball")]).episodes == ()


def test_a_category_goes_as_a_whole() -> None:
    buffer = EpisodeBuffer(1000, episodes=[episode("red ball"), episode("blue key"), episode("red ball")])
    assert buffer.forget("red ball") == 2
    assert [one.category for one in buffer.episodes] == ["blue key"]
    assert buffer.forget("red ball") == 0


def test_a_copy_is_independent_and_goes_on_alike() -> None:
    first = EpisodeBuffer(5 * 36, seed=3, episodes=[episode("red ball", 4) for _ in range(5)])
    second = first.copy()
    more = [episode("red ball", steps) for steps in (1, 2, 3, 4)]
    second.add(more)
    assert len(first.episodes) == 5
    first.add(more)
    assert [id(one) for one in first.episodes] == [id(one) for one in second.episodes]


def test_samples_do_not_repeat() -> None:
    buffer = EpisodeBuffer(1000, episodes=[episode("red ball", steps) for steps in (1, 2, 3)])
    assert {len(one.actions) for one in buffer.sample(9, np.random.default_rng(0))} == {1, 2, 3}
    assert len(buffer.sample(2, np.random.default_rng(0))) == 2


def test_a_negative_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="max_bytes must not be negative; got -1"):
        EpisodeBuffer(-1)
