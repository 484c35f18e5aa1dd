from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.metrics.clustering import adjusted_rand_index, clustering_figures, matched, normalised_mutual_information


def test_figures_by_hand() -> None:
    classes = np.array([0, 0, 1, 1, 2, 2])
    clusters = np.array([1, 1, 0, 2, 2, 2])
    assert matched(clusters, classes).tolist() == [True, True, True, False, True, True]
    figures = clustering_figures(clusters, classes, 2)
    assert figures["accuracy"] == pytest.approx(5 / 6)
    assert figures["known_class_accuracy"] == pytest.approx(3 / 4)
    assert figures["new_class_accuracy"] == 1
    # One pair torn and two joined: (2 - 3 * 4 / 15) / (3.5 - 3 * 4 / 15).
    assert figures["adjusted_rand_index"] == pytest.approx((2 - 0.8) / (3.5 - 0.8))


def test_more_clusters_than_classes_and_fewer() -> None:
    assert matched(np.array([0, 1, 2, 3]), np.array([0, 0, 0, 0])).sum() == 1
    assert matched(np.array([0, 0, 0, 0]), np.array([0, 1, 2, 3])).sum() == 1
    assert "new_class_accuracy" not in clustering_figures(np.array([0, 1]), np.array([0, 1]), 2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30), st.permutations(range(5)))
def test_agree_with_scikit_learn_and_ignore_names(pairs: list[tuple[int, int]], names: list[int]) -> None:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    clusters, classes = (np.array(side) for side in zip(*pairs, strict=True))
    assert adjusted_rand_index(clusters, classes) == pytest.approx(adjusted_rand_score(classes, clusters), abs=1e-9)
    assert normalised_mutual_information(clusters, classes) == pytest.approx(normalized_mutual_info_score(classes, clusters), abs=1e-9)
    renamed = np.array(names)[clusters]
    assert matched(renamed, classes).sum() == matched(clusters, classes).sum()


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one row"):
        matched(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
