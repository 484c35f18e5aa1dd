"""What a discovery answers, and what discoverers refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.checks.discoverer import example_classes
from lifelong.metrics.clustering import clustering_figures
from lifelong.numerics.arrays import l2_normalize
from lifelong.perception import Discovery, ProtoGCD, PrototypeRecipe, SemiSupervisedKMeans, SphericalKMeans, estimate_class_count


def test_a_discovery_places_further_vectors() -> None:
    vectors, known, labels, truth = example_classes(0)
    further, _, _, classes = example_classes(5)
    for member in (SphericalKMeans(), SemiSupervisedKMeans(), ProtoGCD()):
        discovery = member.discover(vectors, known, labels, 5)
        assert np.array_equal(discovery.place(vectors), discovery.labels)
        assert clustering_figures(discovery.place(further), classes, 3)["accuracy"] == 1
        assert clustering_figures(discovery.labels, truth, 3)["accuracy"] == 1
        unknown = -discovery.prototypes.sum(0, keepdims=True)
        assert discovery.novelty(unknown)[0] > discovery.novelty(further).max()
        with pytest.raises(ValueError, match="NaN"):
            discovery.place(np.full((1, 12), np.nan, dtype=np.float32))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 20), st.integers(0, 3), st.integers(0, 6), st.booleans())
def test_any_small_input_has_a_defined_answer(seed: int, rows: int, known: int, new: int, pinned: bool) -> None:
    draw = np.random.default_rng(seed)
    # Few different rows, so that many are repeated.
    vectors = l2_normalize(draw.integers(-1, 2, size=(rows, 3)) + 0.1).astype(np.float32)
    labels = np.repeat(np.arange(known), draw.integers(1, 4, size=known)) if known else np.zeros(0, dtype=np.int64)
    known_vectors = l2_normalize(draw.normal(size=(len(labels), 3))).astype(np.float32)
    member = SemiSupervisedKMeans(restarts=2) if pinned else SphericalKMeans(restarts=2)
    count = known + min(new, rows)
    if count == 0:
        return
    discovery = member.discover(vectors, known_vectors, labels, count)
    assert discovery.labels.shape == (rows,)
    assert ((discovery.labels >= 0) & (discovery.labels < count)).all()
    assert discovery.probabilities.sum(1) == pytest.approx(np.ones(rows), abs=1e-4)
    assert np.linalg.norm(discovery.prototypes, axis=1) == pytest.approx(np.ones(count), abs=1e-4)
    order = draw.permutation(rows)
    estimates = [estimate_class_count(vectors[places], known_vectors, labels) for places in (np.arange(rows), order)]
    assert all(max(known, 1) <= estimate <= known + rows for estimate in estimates)


def test_errors_say_what_was_wrong() -> None:
    vectors, known, labels, _ = example_classes(0)

    def discover(*asked: object) -> Discovery:
        return SphericalKMeans().discover(*asked)  # type: ignore[arg-type]

    with pytest.raises(ValueError, match="50 new classes are asked of 4 unlabelled"):
        discover(vectors[:4], known, labels, 53)
    with pytest.raises(ValueError, match="no row has the labels \\[0\\]"):
        discover(vectors, known, labels + 1)
    with pytest.raises(ValueError, match="a label is -1"):
        discover(vectors, known, labels - 1)
    with pytest.raises(ValueError, match="at least 3"):
        discover(vectors, known, labels, 2)
    with pytest.raises(ValueError, match="no vectors at all"):
        discover(vectors[:0], known[:0], labels[:0])
    with pytest.raises(ValueError, match="learning_rate"):
        PrototypeRecipe(learning_rate=0)
    with pytest.raises(ValueError, match="restarts"):
        SphericalKMeans(restarts=0)
