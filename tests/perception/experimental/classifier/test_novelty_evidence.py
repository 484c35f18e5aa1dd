from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.checks.scorer import example_samples
from lifelong.perception import HeadOutputs, NoveltyEvidence

WIDTHS = (8, 4)


def outputs_for(count: int, classes: int = 3, seed: int = 0) -> HeadOutputs:
    draw = np.random.default_rng(seed)
    chances = draw.dirichlet(np.ones(classes), size=count)
    return HeadOutputs(probabilities=chances, energy=draw.normal(size=count), outlier=draw.normal(size=count), inlier=chances.max(1))


@settings(max_examples=15)
@given(st.integers(0, 100), st.booleans())
def test_learning_in_parts_and_forgetting_is_as_if_it_had_been_so(seed: int, fresh_class: bool) -> None:
    vectors, _, labels = example_samples(0)
    more, _, others = example_samples(seed + 1, 20)
    others = others + 5 if fresh_class else others + 0
    fresh, outputs = example_samples(2, 15)[0], outputs_for(15)
    parts, whole = NoveltyEvidence(WIDTHS), NoveltyEvidence(WIDTHS)
    for some in (labels == 2, labels != 2):
        parts.learn(vectors[some], labels[some])
    parts.learn(more, others)
    if fresh_class:
        parts.forget(np.unique(others))
        whole.learn(vectors, labels)
    else:
        whole.learn(np.vstack([vectors, more]), np.concatenate([labels, others]))
    named = np.zeros(15, dtype=np.int64)
    np.testing.assert_allclose(parts.columns(fresh, outputs, named), whole.columns(fresh, outputs, named), atol=2e-3, rtol=1e-3)


def test_columns_do_not_depend_on_the_batch_and_point_to_what_is_strange() -> None:
    vectors, _, labels = example_samples(0)
    evidence = NoveltyEvidence(WIDTHS)
    evidence.learn(vectors, labels)
    fresh, _, classes = example_samples(1)
    outputs = outputs_for(len(fresh))
    columns = evidence.columns(fresh, outputs, classes)
    assert np.isfinite(columns).all()
    backwards = HeadOutputs(
        probabilities=outputs.probabilities[::-1],
        energy=outputs.energy[::-1],
        outlier=outputs.outlier[::-1],
        inlier=outputs.inlier[::-1],
    )
    np.testing.assert_allclose(evidence.columns(fresh[::-1], backwards, classes[::-1])[::-1], columns, atol=1e-3)
    unknown = evidence.columns(np.eye(12, dtype=np.float32)[3:8], outputs_for(5), np.zeros(5, dtype=np.int64))
    assert (unknown[:, 5:].mean(0) > columns[:, 5:].mean(0)).mean() > 0.9  # four columns of the second block can miss them
    np.testing.assert_array_equal(evidence.nearest_class(fresh), classes)


def test_what_is_not_known_cannot_be_forgotten() -> None:
    evidence = NoveltyEvidence((12,))
    with pytest.raises(ValueError, match="no sample is known"):
        evidence.nearest_class(np.eye(12, dtype=np.float32))
    vectors, _, labels = example_samples(0)
    evidence.learn(vectors, labels)
    with pytest.raises(ValueError, match=r"classes \[9\] are not known"):
        evidence.forget(np.array([0, 9]))
    np.testing.assert_array_equal(evidence.labels, [0, 1, 2])
    with pytest.raises(ValueError, match="at least one block"):
        NoveltyEvidence(())
