"""The contract of discoverers can be broken, and the check says which rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lifelong.checks.discoverer import CLASSES, KNOWN, check_discoverer, example_classes
from lifelong.perception import Discoverer, Discovery, SphericalKMeans


class Fickle(SphericalKMeans):
    """Another answer each time."""

    runs = 0

    def discover(self, *arguments: Any) -> Discovery:
        Fickle.runs += 1
        self.seed = Fickle.runs
        found = super().discover(*arguments)
        return replace(found, probabilities=np.roll(found.probabilities, 0) * np.float32(1 - 1e-5 * (Fickle.runs % 2)))


class Spoiling(SphericalKMeans):
    """Writes into its input."""

    def discover(self, vectors: Any, *others: Any) -> Discovery:
        found = super().discover(vectors, *others)
        if vectors.size:
            vectors[0] = 0
        return found


class Renumbering(SphericalKMeans):
    """Known classes get other numbers."""

    def discover(self, *arguments: Any) -> Discovery:
        found = super().discover(*arguments)
        return replace(
            found,
            labels=(found.count - 1 - found.labels).astype(np.int64),
            probabilities=found.probabilities[:, ::-1].copy(),
            prototypes=found.prototypes[::-1].copy(),
        )


class Unnormalised(SphericalKMeans):
    """Prototypes twice as long as they should be."""

    def discover(self, *arguments: Any) -> Discovery:
        found = super().discover(*arguments)
        return replace(found, prototypes=2 * found.prototypes)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        (Fickle, "invariant Determinism"),
        (Spoiling, "invariant Purity"),
        (Renumbering, "rows of a known class get its number"),
        (Unnormalised, "prototypes have length one"),
    ],
)
def test_a_broken_rule_is_named(broken: type[Discoverer], rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_discoverer(broken)


def test_the_examples_hold_every_group_and_label_some_of_each_known_one() -> None:
    vectors, known, labels, groups = example_classes(0)
    assert set(groups) == set(range(CLASSES))
    assert set(labels) == set(range(KNOWN))
    assert (len(vectors), len(known)) == (len(groups), len(labels))
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
