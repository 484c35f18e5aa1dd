"""Discovery that asks for labels."""

from __future__ import annotations

import numpy as np

from lifelong.numerics.arrays import l2_normalize
from lifelong.perception import (
    active_discovery,
)


def close_groups(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = np.arange(200) % 5
    centres = np.eye(5, 12) + np.array([[0], [0], [0], [1], [1]]) * np.eye(12)[11]
    return l2_normalize(centres[labels] + 0.3 * random.normal(size=(200, 12))).astype(np.float32), labels


def test_answers_help_and_are_kept() -> None:
    vectors, labels = close_groups(0)
    known = (labels < 2) & (np.arange(200) < 40)
    free = labels[~known]
    names = free + 10 * (free >= 2)
    rounds = list(
        active_discovery(vectors[~known], vectors[known], labels[known], lambda places: names[places], rounds=2, questions=8, count=7)
    )
    assert [len(state.asked) for state in rounds] == [0, 8, 16]
    last = rounds[-1]
    assert len(set(last.asked.tolist())) == 16
    assert np.array_equal(last.answers, names[last.asked])
    assert {0: 0, 1: 1}.items() <= last.named.items()
    assert len(set(last.named.values())) == len(last.named)
    # Seven classes were asked for, five there are: answers take away those that belong to others.
    assert last.discovery.count < 7
    expected = np.array([last.named.get(int(name), -1) for name in names])
    first = (rounds[0].discovery.labels[free < 2] == free[free < 2]).mean()
    assert (last.discovery.labels == expected).mean() > 0.9
    assert first > 0.5


def test_a_class_beyond_the_count_gets_a_prototype() -> None:
    vectors, labels = close_groups(1)
    known = (labels < 2) & (np.arange(200) < 40)
    free = labels[~known]
    last = list(
        active_discovery(vectors[~known], vectors[known], labels[known], lambda places: free[places], rounds=2, questions=20, count=3)
    )[-1]
    assert last.discovery.count >= 5
    assert set(last.answers.tolist()) <= set(last.named)


def test_questions_end_with_the_rows() -> None:
    vectors, labels = close_groups(2)
    few, known = vectors[:12], vectors[100:140]
    rounds = list(active_discovery(few, known[:0], labels[:0], lambda places: labels[places], rounds=5, questions=8, count=3))
    assert [len(state.asked) for state in rounds] == [0, 8, 12]
