"""Discovery with nothing known: answers tell more, and what is asked is budgeted."""

from __future__ import annotations

import numpy as np
import pytest
from made.open_set_texts import made

from lifelong.evals.data.partly_known import PartlyKnown
from lifelong.evals.data.texts import TextData
from lifelong.evals.row_filter import ALL_ROWS
from lifelong.evals.suites.perception import nothing_known as module
from lifelong.perception import SphericalKMeans


def test_every_look_is_measured_beside_the_baselines(data: TextData) -> None:
    figures = module.measure(data, None, ALL_ROWS, 0)
    ours = sorted({method for method, _ in figures if method.startswith("lifelong")})
    assert len(ours) == module.LOOKS + 1
    for method in (*ours, "kmeans", "kmeans_count_given"):
        assert 0 <= figures[method, "accuracy"] <= 1


def test_answers_name_the_class_of_most_texts_at_the_centre_and_are_budgeted(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = made(160, False, 0)
    nothing = np.zeros((0, texts.vectors.shape[1]), dtype=np.float32)
    problem = PartlyKnown(
        known_vectors=nothing,
        known_labels=np.zeros(0, dtype=np.int64),
        vectors=texts.vectors,
        labels=texts.labels,
        test_vectors=texts.vectors,
        test_labels=texts.labels,
        known=0,
        count=8,
    )
    monkeypatch.setattr(module, "FIRST_QUESTIONS", 3)
    looks = module.looks(problem, 0, SphericalKMeans())
    assert [answers for answers, _, _ in looks][:2] == [0, 3]
    first, second, last = (found for _, found, _ in looks)
    assert (first.known, second.known) == (0, 3)
    assert last.known == 8, "clear classes all have their name in the end"
    assert module._answer(problem, np.flatnonzero(texts.labels == 5)) == 5
