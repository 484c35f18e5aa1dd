from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.checks.discoverer import example_classes
from lifelong.metrics.clustering import clustering_figures
from lifelong.numerics.arrays import l2_normalize
from lifelong.perception import Discovery, ProtoGCD, PrototypeRecipe, SemiSupervisedKMeans, SphericalKMeans, estimate_class_count
from lifelong.perception.discovery.class_count import PairSums, jackknife, known_share, modular_count, prototype_score
from lifelong.perception.discovery.spherical import class_means, known_first, lloyd, seeded_centres
from lifelong.perception.scores.neighbourhood import nearest, neighbourhood_size, smoothed


def groups(seed: int, count: int, each: int, dimensions: int = 32, noise: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count), each)
    centres = l2_normalize(draw.normal(size=(count, dimensions)))
    return l2_normalize(centres[labels] + noise * draw.normal(size=(len(labels), dimensions)) / np.sqrt(dimensions) * 2).astype(
        np.float32
    ), labels


def test_class_means_by_hand() -> None:
    rows = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)
    means = class_means(rows, np.array([0, 0, 2]), 3)
    assert means == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [0, 0], [0, 1]]), abs=1e-6)
    kept = np.array([[9, 9], [3, 4], [9, 9]], dtype=np.float32)
    assert class_means(rows, np.array([0, 0, 2]), 3, empty=kept)[1] == pytest.approx([3, 4])
    assert kept[0, 0] == 9


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 3))
def test_lloyd_only_gains_and_ends_where_it_stands_still(seed: int, count: int, pinned: int) -> None:
    draw = np.random.default_rng(seed)
    rows = l2_normalize(draw.normal(size=(30, 5))).astype(np.float32)
    fixed, labels = l2_normalize(draw.normal(size=(pinned, 5))).astype(np.float32), draw.integers(count, size=pinned)
    centres = seeded_centres(rows, count, draw, rows[:0])
    runs = [lloyd(rows, centres, fixed, labels, steps=steps) for steps in (1, 2, 5, 100)]
    assert all(later.similarity >= earlier.similarity - 1e-3 for earlier, later in pairwise(runs))
    last = runs[-1]
    assert np.array_equal(lloyd(rows, last.centres, fixed, labels).labels, last.labels)
    assert np.linalg.norm(last.centres, axis=1) == pytest.approx(1, abs=1e-4)


def test_pinned_rows_pull_their_centre() -> None:
    rows = np.array([[1, 0], [0.8, 0.6]], dtype=np.float32)
    free = lloyd(rows, rows[:1], rows[:0], np.zeros(0, dtype=np.int64))
    pulled = lloyd(rows, rows[:1], np.array([[0, 1]] * 50, dtype=np.float32), np.zeros(50, dtype=np.int64))
    assert free.centres[0] == pytest.approx(l2_normalize(np.array([[1.8, 0.6]]))[0], abs=1e-6)
    assert pulled.centres[0, 1] > 0.99


def test_seeding_takes_rows_that_are_apart() -> None:
    rows = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    centres = seeded_centres(rows, 4, np.random.default_rng(0), rows[:1])
    assert np.array_equal(np.sort(centres.argmax(1)), np.arange(4))


def test_clusters_are_renumbered_known_ones_first() -> None:
    # Cluster 2 holds class 0, cluster 0 holds class 1; 1 and 3 are new.
    assert known_first(np.array([2, 2, 0, 0, 2]), np.array([0, 0, 1, 1, 1]), 4, 2).tolist() == [1, 2, 0, 3]


def test_neighbourhoods() -> None:
    assert [neighbourhood_size(rows) for rows in (1, 4, 100, 10_000)] == [1, 1, 5, 10]
    rows, labels = groups(0, 4, 25)
    places = nearest(rows, rows, 3)
    assert np.array_equal(places[:, 0], np.arange(100))
    close = smoothed(rows, rows)
    assert np.linalg.norm(close, axis=1) == pytest.approx(1, abs=1e-4)
    within = [np.einsum("nd,nd->n", part, class_means(part, labels, 4)[labels]).mean() for part in (rows, close)]
    assert within[1] > within[0]


def test_the_known_share_by_hand() -> None:
    # Same-class pairs are 0.9 alike, others 0.1, the pool 0.3: 0.3 = 0.25 x 0.9 + 0.75 x 0.1, so every fourth row is of a row's own class.
    pairs = np.full((2, 2), 100.0)
    sums = PairSums(
        between=np.array([[90.0, 10.0], [10.0, 90.0]]), pairs=pairs, pool=np.array([300.0, 300.0]), pool_pairs=np.array([1000.0, 1000.0])
    )
    assert known_share(sums) == pytest.approx(0.25)
    three = PairSums(
        between=np.full((3, 3), 10.0) + 80 * np.eye(3), pairs=np.full((3, 3), 100.0), pool=np.full(3, 300.0), pool_pairs=np.full(3, 1000.0)
    )
    assert jackknife(three) == pytest.approx([0.25] * 3)


@pytest.mark.parametrize("known", [5, 15])
def test_the_count_is_found_where_some_classes_are_known(known: int) -> None:
    rows, labels = groups(3, 20, 40)
    labelled = (labels < known) & (np.arange(len(labels)) % 5 == 0)
    count = estimate_class_count(rows[~labelled], rows[labelled], labels[labelled])
    assert abs(count - 20) <= 2
    again = estimate_class_count(rows[~labelled][::-1].copy(), rows[labelled], labels[labelled])
    assert abs(again - count) <= 1


def test_the_count_is_near_where_nothing_is_known() -> None:
    rows, _ = groups(3, 12, 40)
    assert 10 <= modular_count(rows) <= 14
    assert estimate_class_count(rows, rows[:0], np.zeros(0, dtype=np.int64)) == modular_count(rows)


def test_the_count_keeps_its_bounds() -> None:
    rows, labels = groups(0, 4, 10)
    assert estimate_class_count(rows[:0], rows, labels) == 4
    assert estimate_class_count(rows[:1], rows[1:], labels[1:]) in (4, 5)
    assert estimate_class_count(rows[:1], rows[:0], labels[:0]) == 1


def test_the_prototype_score_by_hand() -> None:
    known, labels = np.eye(2, dtype=np.float32), np.array([0, 1])
    vectors = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    assert prototype_score(np.array([0, 1, 0, 1]), vectors, known, labels, 2) == pytest.approx(1 + (1 + 0.8) / 2)
    assert prototype_score(np.array([0, 0, 2, 2]), vectors, known, labels, 2) == pytest.approx(0.5)


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


def test_prototypes_are_mean_directions_of_the_vectors_as_they_came() -> None:
    vectors, known, labels, _ = example_classes(0)
    discovery = ProtoGCD().discover(vectors, known, labels, 5)
    everything, classes = np.vstack([vectors, known]), np.concatenate([discovery.labels, labels])
    assert discovery.prototypes == pytest.approx(class_means(everything, classes, 5), abs=1e-5)


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
