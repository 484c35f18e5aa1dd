from __future__ import annotations

import numpy as np
import pytest

from lifelong.checks.discoverer import example_classes
from lifelong.perception import ProtoGCD
from lifelong.perception.discovery.spherical import class_means


def test_prototypes_are_mean_directions_of_the_vectors_as_they_came() -> None:
    vectors, known, labels, _ = example_classes(0)
    discovery = ProtoGCD().discover(vectors, known, labels, 5)
    everything, classes = np.vstack([vectors, known]), np.concatenate([discovery.labels, labels])
    assert discovery.prototypes == pytest.approx(class_means(everything, classes, 5), abs=1e-5)
