"""k-means by cosine, without and with the known rows pinned."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.checks.discoverer import CLASSES, example_classes
from lifelong.perception import SemiSupervisedKMeans, SphericalKMeans


def test_pinned_rows_keep_a_class_that_free_ones_would_give_away() -> None:
    # Two clear groups; the labels cut across them, so that only the pinned variant can follow the labels.
    draw = np.random.default_rng(0)
    rows = np.repeat(np.eye(2, 6), 20, axis=0) + 0.1 * draw.normal(size=(40, 6))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    known, labels = rows[::2], np.arange(20) % 2
    pinned = SemiSupervisedKMeans().discover(rows[1::2], known, labels, 2).prototypes
    free = SphericalKMeans().discover(rows[1::2], known, labels, 2).prototypes
    assert abs(float(free[0] @ free[1])) < 0.2, "free clusters are the groups"
    assert float(pinned[0] @ pinned[1]) > 0.3, "each class is held to rows of both groups"


@pytest.mark.parametrize("member", [SphericalKMeans, SemiSupervisedKMeans])
def test_clear_groups_are_found_and_the_count_is_estimated(member: type) -> None:
    vectors, known, labels, groups = example_classes(3)
    discovery = member().discover(vectors, known, labels)
    assert discovery.count == CLASSES
    assert len(set(zip(discovery.labels.tolist(), groups.tolist(), strict=True))) == CLASSES


@pytest.mark.parametrize("member", [SphericalKMeans, SemiSupervisedKMeans])
def test_a_start_at_least(member: type) -> None:
    with pytest.raises(ValueError, match="restarts is 0"):
        member(restarts=0)
