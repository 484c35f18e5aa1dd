"""Unknown tasks in groups that may become skills."""

from __future__ import annotations

import numpy as np

from lifelong.numerics.arrays import l2_normalize
from lifelong.perception import Discovery, SphericalKMeans, coherent_groups, sort_unknown
from lifelong.perception.discovery.discoverer import nearest_prototypes
from lifelong.perception.discovery.new_groups import SPARE


def cloud(axis: int, count: int, seed: int = 0) -> np.ndarray:
    rows = 0.2 * np.random.default_rng([seed, axis]).normal(size=(count, 16)) / 4
    rows[:, axis] += 1
    return np.asarray(l2_normalize(rows), dtype=np.float32)


def found(vectors: np.ndarray, axes: tuple[int, ...], known: int) -> Discovery:
    return nearest_prototypes(vectors, np.eye(16, dtype=np.float32)[list(axes)], known)


def test_only_groups_that_hold_together_count_and_the_largest_comes_first() -> None:
    stray = np.asarray(l2_normalize(np.random.default_rng(1).normal(size=(1, 16))), dtype=np.float32)
    vectors = np.vstack([cloud(1, 9), cloud(2, 12), stray, cloud(3, 4)])
    groups = coherent_groups(found(vectors, (0, 1, 2, 3), 1), vectors, cloud(0, 20), least=8)
    assert [len(group) for group in groups] == [12, 9]
    assert groups[0] == list(range(9, 21)), "neither the stray one nor the group of four"


def test_unknown_tasks_fall_into_as_many_groups_as_there_are_kinds_at_least() -> None:
    known, labels = np.vstack([cloud(axis, 10) for axis in range(4)]), np.repeat(np.arange(4), 10)
    vectors = np.vstack([cloud(axis, 40, seed=1) for axis in (5, 6, 7)])
    sorted_out, kinds = sort_unknown(SphericalKMeans(), vectors, known, labels, least=8)
    assert kinds.low <= kinds.count <= kinds.high
    assert sorted_out.known == 4
    groups = coherent_groups(sorted_out, vectors, known, least=8)
    assert {len({row // 40 for row in group}) for group in groups} == {1}, "no group mixes kinds"
    assert {row // 40 for group in groups for row in group} == {0, 1, 2}


def test_with_nothing_known_there_are_as_many_groups_as_kinds_and_later_some_to_spare() -> None:
    vectors = np.vstack([cloud(axis, 200) for axis in (5, 6, 7)])
    nothing = np.zeros((0, 16), dtype=np.float32)
    sorted_out, kinds = sort_unknown(SphericalKMeans(), vectors, nothing, np.zeros(0, dtype=np.int64), least=2)
    assert (sorted_out.known, sorted_out.count) == (0, kinds.count)
    known, labels = np.vstack([cloud(axis, 10) for axis in range(4)]), np.repeat(np.arange(4), 10)
    sorted_out, kinds = sort_unknown(SphericalKMeans(), vectors, known, labels, least=2)
    assert sorted_out.count == max(kinds.count, 4 + min(150, round(SPARE * (kinds.count - 4))))
