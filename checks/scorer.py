"""Contract of `Scorer`, for its members here and anybody's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..perception import Scorer
from .failures import asserting

CLASSES, DIMENSIONS = 3, 12


def example_samples(seed: int, count: int = 60) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors in three groups, the logits of a linear head over them, and their groups."""
    draw = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    vectors = 0.1 * draw.normal(size=(count, DIMENSIONS)) + np.eye(CLASSES, DIMENSIONS)[labels]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), (10 * vectors[:, :CLASSES] - 3).astype(np.float32), labels


@asserting
def check_scorer(make: Callable[[], Scorer]) -> None:
    """Raise `AssertionError` for the first rule that the scorers made by `make` break."""
    scorer = make()
    assert isinstance(scorer, Scorer), "a scorer has `fit` and `score`"
    novelty = type(scorer).__name__.endswith("Novelty")
    assert novelty or type(scorer).__name__.endswith("Confidence"), "the name ends in `Novelty` or `Confidence` (invariant Direction)"
    vectors, logits, labels = example_samples(0)
    scorer.fit(vectors, logits, labels)
    same = example_samples(0)
    unchanged = np.array_equal(vectors, same[0]) and np.array_equal(logits, same[1]) and np.array_equal(labels, same[2])
    assert unchanged, "`fit` leaves its input as it is (invariant Purity)"
    fresh, outputs, _ = example_samples(1)
    scores = scorer.score(fresh, outputs)
    assert (scores.shape, scores.dtype.name) == ((len(fresh),), "float32"), f"one float32 a row; got {scores.shape}, {scores.dtype}"
    assert np.isfinite(scores).all(), "scores are finite"
    assert np.allclose(scorer.score(fresh[::-1], outputs[::-1])[::-1], scores, atol=1e-4), "a score does not depend on its neighbours"
    again = make().fit(vectors, logits, labels).score(fresh, outputs)
    assert np.array_equal(again, scores), "the same input gives the same scores (invariant Determinism)"
    order = np.random.default_rng(2).permutation(len(labels))
    shuffled = make().fit(vectors[order], logits[order], labels[order]).score(fresh, outputs)
    assert np.allclose(shuffled, scores, atol=1e-3, rtol=1e-3), "the order of the samples does not matter"
    out_of_scope = np.eye(DIMENSIONS, dtype=np.float32)[CLASSES:]
    strange = scorer.score(out_of_scope, np.full((len(out_of_scope), CLASSES), -3, dtype=np.float32))
    points_right = strange.min() > scores.mean() if novelty else strange.max() < scores.mean()
    assert points_right, "novelty is larger where it is stranger, confidence where it is surer, as the name says (invariant Direction)"
    assert scorer.score(fresh[:0], outputs[:0]).shape == (0,), "no rows give no scores"
    _check_bad_input(make)


def _check_bad_input(make: Callable[[], Scorer]) -> None:
    vectors, logits, labels = example_samples(0)
    for bad in (np.nan, np.inf):
        spoiled, outputs = vectors.copy(), logits.copy()
        spoiled[3, 1] = outputs[3, 1] = bad
        fitted = make().fit(vectors, logits, labels)
        assert refuses(partial(make().fit, spoiled, outputs, labels)), f"`fit` refuses {bad}"
        assert refuses(partial(fitted.score, spoiled, outputs)), f"`score` refuses {bad}"
    assert refuses(lambda: make().fit(vectors[:0], logits[:0], labels[:0])), "`fit` refuses no samples"
    assert refuses(lambda: make().fit(vectors, logits, labels[:-1])), "`fit` refuses lengths that differ"
    for some in (labels == 0, np.arange(len(labels)) == 0, (labels == 0) | (np.arange(len(labels)) == 1), labels < 3):
        twice = np.concatenate([vectors[some], vectors[some]]), np.concatenate([logits[some], logits[some]])
        scores = make().fit(*twice, np.concatenate([labels[some], labels[some]])).score(vectors, logits)
        assert np.isfinite(scores).all(), "one class, one sample and repeated samples give finite scores"


def refuses(attempt: Callable[[], object]) -> bool:
    """Whether an attempt raises a `ValueError` that says something."""
    try:
        attempt()
    except ValueError as error:
        return bool(str(error))
    return False
