"""Contract of `Head`, for its members here and anybody's own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ..learners import Head, UnlearningHead, load_head, save_head
from .failures import asserting
from .scorer import example_samples, refuses


@asserting
def check_head(make: Callable[[], Head]) -> None:
    """Raise `AssertionError` for the first rule that the heads made by `make` break.

    A head with an `unlearn` promises that it is exact; one without promises nothing of the kind and is not asked.
    """
    head = make()
    assert isinstance(head, Head), "a head has `labels`, `learn`, `logits`, `predict`, `state` and `restore`"
    vectors, _, labels = example_samples(0)
    labels = 3 * labels + 5  # class numbers need not begin at zero, nor be dense
    fresh = example_samples(1)[0]
    assert refuses(lambda: make().predict(fresh)), "`predict` refuses before anything was learned"
    first = labels < 11
    head.learn(vectors[first], labels[first])
    assert set(head.predict(fresh)) <= {5, 8}, "a class that was not learned is never predicted"
    head.learn(vectors[~first], labels[~first])
    assert np.array_equal(head.labels, [5, 8, 11]), "classes are known in ascending order"
    same, _, same_labels = example_samples(0)
    unchanged = np.array_equal(vectors, same) and np.array_equal(labels, 3 * same_labels + 5)
    assert unchanged, "`learn` leaves its input as it is (invariant Purity)"
    logits = head.logits(fresh)
    assert (logits.shape, logits.dtype.name) == ((len(fresh), 3), "float64"), f"one float64 a class; got {logits.shape}, {logits.dtype}"
    assert np.isfinite(logits).all(), "logits are finite"
    assert np.array_equal(head.predict(fresh), head.labels[logits.argmax(1)]), "the largest logit is the prediction"
    assert np.mean(head.predict(fresh) == 3 * example_samples(1)[2] + 5) > 0.9, "three groups far apart are distinguished"
    assert np.allclose(head.logits(fresh[::-1])[::-1], logits, atol=1e-6), "an answer does not depend on its neighbours"
    again = make()
    again.learn(vectors[first], labels[first])
    again.learn(vectors[~first], labels[~first])
    assert np.array_equal(again.logits(fresh), logits), "the same input gives the same answers (invariant Determinism)"
    assert head.predict(fresh[:0]).shape == (0,), "no rows give no answers"
    _check_file(make, head)
    _check_bad_input(make)
    if isinstance(head, UnlearningHead):
        _check_unlearning(lambda: make())  # type: ignore[arg-type,return-value]  # all of one kind


def _check_file(make: Callable[[], Head], head: Head) -> None:
    fresh = example_samples(1)[0]
    with tempfile.TemporaryDirectory() as folder:
        save_head(head, Path(folder) / "head.npz")
        loaded = make()
        load_head(loaded, Path(folder) / "head.npz")
        assert [file.name for file in Path(folder).iterdir()] == ["head.npz"], "nothing but the file is left behind"
    assert np.array_equal(loaded.logits(fresh), head.logits(fresh)), "a head read from disk gives the same answers"
    more, _, labels = example_samples(2)
    for one in (loaded, head):
        one.learn(more, labels)
    assert np.array_equal(loaded.logits(fresh), head.logits(fresh)), "a head read from disk learns on in the same way"


def _check_bad_input(make: Callable[[], Head]) -> None:
    vectors, _, labels = example_samples(0)
    for bad in (np.nan, np.inf):
        spoiled = vectors.copy()
        spoiled[3, 1] = bad
        fitted = make()
        fitted.learn(vectors, labels)
        before = fitted.logits(vectors)
        assert refuses(partial(make().learn, spoiled, labels)), f"`learn` refuses {bad}"
        assert refuses(partial(fitted.predict, spoiled)), f"`predict` refuses {bad}"
        assert refuses(partial(fitted.learn, spoiled, labels)), f"`learn` refuses {bad} later as well"
        assert np.array_equal(fitted.logits(vectors), before), "what was refused has changed nothing"
    assert refuses(lambda: make().learn(vectors, labels[:-1])), "`learn` refuses lengths that differ"
    assert refuses(lambda: fitted.learn(vectors[:, :-1], labels)), "`learn` refuses vectors of another length than before"
    assert refuses(lambda: fitted.predict(vectors[:, :-1])), "`predict` refuses vectors of another length than before"
    for some in (labels == 0, np.arange(len(labels)) == 0, (labels == 0) | (np.arange(len(labels)) == 1)):
        head = make()
        for _ in range(2):
            head.learn(vectors[some], labels[some])
        assert np.isfinite(head.logits(vectors)).all(), "one class, one sample and a class learned twice give finite answers"
    fitted.learn(vectors[:0], labels[:0])
    assert np.array_equal(fitted.logits(vectors), before), "no samples teach nothing"
    _check_degenerate_input(make)


def _check_degenerate_input(make: Callable[[], Head]) -> None:
    vectors, _, labels = example_samples(0)
    head = make()
    head.learn(np.repeat(vectors[:2], 2, axis=0), np.array([0, 1, 0, 1]))
    assert np.isfinite(head.logits(vectors)).all(), "two labels for one sample give finite answers"
    assert set(head.predict(vectors[:2])) <= {0, 1}, "and the answer is one of the two"
    head = make()
    for half in (slice(0, 30), slice(30, 60)):
        head.learn(vectors[half], labels[half])
    assert np.array_equal(head.labels, [0, 1, 2]), "a class learned again is still one class"
    assert np.mean(head.predict(vectors) == labels) > 0.9, "and is known by its old samples and its new ones"
    for name, some in {
        "equal samples in a class": vectors[labels],
        "samples in a plane": vectors * (np.arange(vectors.shape[1]) < 3),
    }.items():
        head = make()
        head.learn(some, labels)
        assert np.isfinite(head.logits(vectors)).all(), f"a singular covariance gives finite answers: {name}"
        assert np.mean(head.predict(some) == labels) > 0.9, f"and right ones: {name}"


def _check_unlearning(make: Callable[[], UnlearningHead]) -> None:
    vectors, _, labels = example_samples(0)
    fresh = example_samples(1)[0]
    whole, shuffled = make(), make()
    whole.learn(vectors, labels)
    order = np.random.default_rng(2).permutation(len(labels))
    for part in np.array_split(order, 4):
        shuffled.learn(vectors[part], labels[part])
    assert np.allclose(shuffled.logits(fresh), whole.logits(fresh), atol=1e-6), "neither order nor batches matter"
    for gone in (np.arange(len(labels)) == 7, np.arange(len(labels)) % 4 == 1, labels == 1):
        head, retrained = make(), make()
        head.learn(vectors, labels)
        head.logits(fresh)
        head.unlearn(vectors[gone], labels[gone])
        retrained.learn(vectors[~gone], labels[~gone])
        assert np.array_equal(head.labels, retrained.labels), "a class whose last sample went is gone"
        assert np.abs(head.logits(fresh) - retrained.logits(fresh)).max() <= 1e-5, "what is left equals a head that never saw the samples"
        head.learn(vectors[gone], labels[gone])
        assert np.allclose(head.logits(fresh), whole.logits(fresh), atol=1e-5), "unlearning undoes learning, and the reverse"
    assert refuses(lambda: whole.unlearn(vectors[:1], np.array([9]))), "`unlearn` refuses a class that was never learned"
    assert refuses(lambda: whole.unlearn(np.repeat(vectors[:1], 99, axis=0), labels[:1].repeat(99))), "and more samples than there are"
    assert refuses(lambda: make().unlearn(vectors, labels)), "and everything before the first sample"
    assert refuses(lambda: whole.unlearn(vectors[:3, :-1], labels[:3])), "and vectors of another length"
    assert refuses(lambda: whole.unlearn(vectors[:3], labels[:2])), "and lengths that differ"
    assert refuses(lambda: whole.unlearn(np.full_like(vectors[:1], np.nan), labels[:1])), "and what is no number"
    assert np.allclose(whole.logits(fresh), shuffled.logits(fresh), atol=1e-6), "what was refused has changed nothing"
    _check_single_samples(make)
    whole.unlearn(vectors, labels)
    assert not len(whole.labels), "a head that took everything back knows no class"
    assert refuses(lambda: whole.predict(fresh)), "with nothing left there is no answer"


def _check_single_samples(make: Callable[[], UnlearningHead]) -> None:
    vectors, _, labels = example_samples(0)
    head, never = make(), make()
    for one in (head, never):
        one.learn(vectors, labels)
    head.learn(vectors[:1], np.array([9]))  # the same text under a second label, of which it is the only sample
    head.unlearn(vectors[:1], np.array([9]))
    assert np.array_equal(head.labels, never.labels), "a class whose only sample went is gone"
    assert np.allclose(head.logits(vectors), never.logits(vectors), atol=1e-5), "of two labels for one sample, one can be taken back"
