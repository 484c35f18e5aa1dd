from __future__ import annotations

import numpy as np

from lifelong.perception.recognition.sample import TaskSample


def rows(count: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed).normal(size=(count, 2, 8))
    return (draw / np.linalg.norm(draw, axis=2, keepdims=True)).reshape(count, 16).astype(np.float32)


def sample() -> TaskSample:
    return TaskSample("a", 16, 8, 0)


def test_many_at_once_are_as_many_one_by_one() -> None:
    together, single = sample(), sample()
    some = np.concatenate([rows(60), rows(5)])
    together.learn(some, 12)
    for row in some:
        single.learn(row[None, :], 12)
    np.testing.assert_array_equal(together.bank, single.bank)
    np.testing.assert_array_equal(together.total, single.total)
    np.testing.assert_array_equal(together.repeats, single.repeats)
    assert together.count == 65
    assert len(together.bank) == 12


def test_a_task_is_found_by_its_first_view_and_a_repeat_stays() -> None:
    kept = sample()
    some = rows(4)
    kept.learn(np.concatenate([some, some[:1]]), 12)
    assert len(kept.bank) == 4
    kept.forget(some[0, :8])
    assert len(kept.bank) == 4, "it was seen twice"
    kept.forget(some[0, :8])
    np.testing.assert_array_equal(kept.bank, some[1:])
    np.testing.assert_allclose(kept.total, some[1:, :8].sum(0), atol=1e-6)
    assert kept.spread().shape == (3,)


def test_no_task_has_no_direction() -> None:
    assert not sample().prototype.any()
    assert sample().spread().size == 0
