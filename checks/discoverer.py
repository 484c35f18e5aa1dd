"""Contract of `Discoverer`, for its members here and anybody's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..numerics.arrays import Labels, Vector
from ..perception import Discoverer, Discovery
from .failures import asserting
from .scorer import refuses

CLASSES, KNOWN, DIMENSIONS = 5, 3, 12


def example_classes(seed: int, each: int = 24) -> tuple[Vector, Vector, Labels, Labels]:
    """Unlabelled unit rows in five groups, labelled rows of the first three, their classes, and the groups of the unlabelled."""
    draw = np.random.default_rng(seed)
    groups = np.arange(CLASSES * each) % CLASSES
    rows = 0.12 * draw.normal(size=(len(groups), DIMENSIONS)) + np.eye(CLASSES, DIMENSIONS)[groups]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    labelled = (groups < KNOWN) & (np.arange(len(groups)) < len(groups) // 4)
    return rows[~labelled], rows[labelled], groups[labelled], groups[~labelled]


@asserting
def check_discoverer(make: Callable[[], Discoverer]) -> None:
    """Raise `AssertionError` for the first rule that the discoverers made by `make` break."""
    assert isinstance(make(), Discoverer), "a discoverer has `discover`"
    vectors, known, labels, groups = example_classes(0)
    discovery = make().discover(vectors, known, labels, CLASSES)
    same = example_classes(0)
    unchanged = np.array_equal(vectors, same[0]) and np.array_equal(known, same[1]) and np.array_equal(labels, same[2])
    assert unchanged, "`discover` leaves its input as it is (invariant Purity)"
    _check_shapes(discovery, len(vectors), KNOWN, CLASSES)
    old = groups < KNOWN
    assert np.array_equal(discovery.labels[old], groups[old]), "rows of a known class get its number"
    new = discovery.labels[~old]
    assert new.min() >= KNOWN, "rows of a new class get no known number"
    assert len(set(zip(new.tolist(), groups[~old].tolist(), strict=True))) == CLASSES - KNOWN, "clear new classes are distinguished"
    again = make().discover(vectors, known, labels, CLASSES)
    assert np.array_equal(again.probabilities, discovery.probabilities), "the same input gives the same classes (invariant Determinism)"
    estimated = make().discover(vectors, known, labels)
    _check_shapes(estimated, len(vectors), KNOWN, estimated.count)
    alone = make().discover(vectors, known[:0], labels[:0], CLASSES)
    _check_shapes(alone, len(vectors), 0, CLASSES)
    assert len(set(zip(alone.labels.tolist(), groups.tolist(), strict=True))) == CLASSES, "clear classes are distinguished with none known"
    _check_edges(make)
    _check_bad_input(make)


def _check_shapes(discovery: Discovery, rows: int, known: int, count: int) -> None:
    assert (discovery.known, discovery.count) == (known, count), (
        f"{known} known of {count} classes; got {discovery.known}, {discovery.count}"
    )
    assert (discovery.labels.shape, discovery.labels.dtype.name) == ((rows,), "int64"), "one int64 label a row"
    probabilities = discovery.probabilities
    assert (probabilities.shape, probabilities.dtype.name) == ((rows, count), "float32"), "one float32 probability a row and class"
    assert np.isfinite(probabilities).all(), "probabilities are finite"
    assert np.allclose(probabilities.sum(1), 1, atol=1e-4), "probabilities sum to one"
    assert probabilities.min(initial=0) >= 0, "probabilities are not negative"
    chosen = np.take_along_axis(probabilities, discovery.labels[:, None], 1)[:, 0]
    assert np.allclose(chosen, probabilities.max(1, initial=0), atol=1e-5), "the label is the most probable class"
    assert discovery.prototypes.shape[0] == count, "one prototype a class"
    assert np.allclose(np.linalg.norm(discovery.prototypes, axis=1), 1, atol=1e-4), "prototypes have length one"


def _check_edges(make: Callable[[], Discoverer]) -> None:
    vectors, known, labels, _ = example_classes(1)
    all_known = make().discover(vectors, known, labels, KNOWN)
    _check_shapes(all_known, len(vectors), KNOWN, KNOWN)
    _check_shapes(make().discover(vectors[:0], known, labels), 0, KNOWN, KNOWN)
    _check_shapes(make().discover(vectors[:0], known, labels, KNOWN), 0, KNOWN, KNOWN)
    _check_shapes(make().discover(vectors[:2], known, labels, KNOWN + 2), 2, KNOWN, KNOWN + 2)
    _check_shapes(make().discover(vectors[:1], known[:0], labels[:0], 1), 1, 0, 1)
    repeated = np.repeat(vectors[:3], 6, axis=0)
    _check_shapes(make().discover(repeated, known, labels, KNOWN + 5), len(repeated), KNOWN, KNOWN + 5)
    guess = make().discover(repeated, known[:0], labels[:0])
    _check_shapes(guess, len(repeated), 0, guess.count)
    one_class = np.repeat(vectors[:1], 9, axis=0)
    _check_shapes(make().discover(one_class, one_class[:3], np.zeros(3, dtype=np.int64), 1), 9, 1, 1)
    _check_shapes(make().discover(one_class, np.repeat(one_class[:1], 6, axis=0), np.arange(6) % 3, 4), 9, 3, 4)
    unclear = make().discover(one_class, np.repeat(one_class[:1], 6, axis=0), np.arange(6) % 3)
    _check_shapes(unclear, 9, 3, unclear.count)
    single = np.flatnonzero(labels == 0)[1:]
    one_sample = np.delete(known, single, axis=0), np.delete(labels, single)
    _check_shapes(make().discover(vectors, *one_sample, CLASSES), len(vectors), KNOWN, CLASSES)


def _check_bad_input(make: Callable[[], Discoverer]) -> None:
    vectors, known, labels, _ = example_classes(1)
    for bad in (np.nan, np.inf):
        spoiled, known_spoiled = vectors.copy(), known.copy()
        spoiled[3, 1] = known_spoiled[3, 1] = bad
        assert refuses(lambda rows=spoiled: make().discover(rows, known, labels, CLASSES)), f"`discover` refuses {bad}"  # type: ignore[misc]
        assert refuses(lambda rows=known_spoiled: make().discover(vectors, rows, labels)), f"`discover` refuses {bad} in known rows"  # type: ignore[misc]
    assert refuses(lambda: make().discover(vectors[:4], known, labels, KNOWN + 5)), "more new classes than unlabelled rows are refused"
    assert refuses(lambda: make().discover(vectors, known, labels, KNOWN - 1)), "fewer classes than are known are refused"
    assert refuses(lambda: make().discover(vectors, known[:0], labels[:0], 0)), "no class at all is refused"
    assert refuses(lambda: make().discover(vectors, known, labels[:-1])), "lengths that differ are refused"
    assert refuses(lambda: make().discover(vectors, known, labels + 1)), "a known class without a row is refused"
    assert refuses(lambda: make().discover(vectors[:0], known[:0], labels[:0])), "nothing at all is refused"
