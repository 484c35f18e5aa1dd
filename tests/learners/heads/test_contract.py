from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong import learners
from lifelong.checks.head import check_head
from lifelong.checks.scorer import example_samples
from lifelong.learners import (
    Head,
    KernelLDAHead,
    NearestMeanHead,
    RanPACHead,
    RidgeHead,
    StreamingLDAHead,
    UnlearningHead,
    load_head,
    save_head,
)
from lifelong.learners.heads.ranpac import held_out_error

MEMBERS = [
    member
    for name in learners.__all__
    if inspect.isclass(member := getattr(learners, name)) and not member.__dict__.get("_is_protocol") and hasattr(member, "logits")
]
SMALL = {"features": 40, "hidden": 16}


def small(member: type) -> Callable[[], Head]:
    """Makes a member with few features, where it has any."""
    parameters = inspect.signature(member).parameters
    return lambda: member(**{name: value for name, value in SMALL.items() if name in parameters})


def test_members_are_found() -> None:
    assert {NearestMeanHead, RanPACHead, RidgeHead, StreamingLDAHead, KernelLDAHead} <= set(MEMBERS)


# Those fitted by gradients take seconds.
BY_GRADIENTS = [pytest.param(member, marks=pytest.mark.slow) for member in MEMBERS if not hasattr(member, "unlearn")]


@pytest.mark.parametrize("member", [member for member in MEMBERS if hasattr(member, "unlearn")] + BY_GRADIENTS)
def test_every_head_keeps_the_laws(member: type) -> None:
    check_head(small(member))


def test_the_check_notices_an_unlearning_that_only_forgets_the_class() -> None:
    class Pretender(NearestMeanHead):
        def unlearn(self, vectors: np.ndarray, labels: np.ndarray) -> None:
            super().unlearn(vectors[:1], labels[:1])

    with pytest.raises(AssertionError, match="never saw"):
        check_head(Pretender)


def test_the_check_notices_a_head_that_writes_into_its_samples() -> None:
    class Careless(RidgeHead):
        def learn(self, vectors: np.ndarray, labels: np.ndarray) -> None:
            super().learn(vectors, labels)
            vectors *= 0

    with pytest.raises(AssertionError):
        check_head(Careless)


def test_ridge_golden() -> None:
    # By hand: G = diag(2, 1), r = 1, sums (2, 0) and (0, 1): W = diag(2/3, 1/2).
    head = RidgeHead(regularisation=1.0)
    head.learn(np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32), np.array([4, 4, 9]))
    np.testing.assert_allclose(head.logits(np.eye(2, dtype=np.float32)), [[2 / 3, 0], [0, 1 / 2]], atol=1e-12)
    np.testing.assert_allclose(head.logits(np.eye(2, dtype=np.float32)[:1]), [[2 / 3, 0]], atol=1e-12)


def test_discriminant_golden() -> None:
    # By hand: means 0 and 4, mean 2, variance 1 in the first column and 3 in the second, shrunk by half: diag(1.5, 2.5).
    corners = np.array([[-1, 1], [1, 1], [-1, -1], [1, -1]]) * np.sqrt([1, 3])
    rows = np.concatenate([corners, corners + np.array([4, 0])])
    head = StreamingLDAHead(shrinkage=0.5)
    head.learn(rows.astype(np.float32), np.array([0, 0, 0, 0, 1, 1, 1, 1]))
    logits = head.logits(np.array([[3, 7]], dtype=np.float32))
    # (x - 2)'S^-1 (m - 2) - (m - 2)'S^-1 (m - 2) / 2 = -+ 2 / 1.5 - 4 / 3
    np.testing.assert_allclose(logits, [[-2 / 1.5 - 4 / 3, 2 / 1.5 - 4 / 3]], atol=1e-5)


def test_held_out_error_is_that_of_the_samples() -> None:
    draw = np.random.default_rng(0)
    rows, targets = draw.normal(size=(30, 4)), np.eye(3)[draw.integers(0, 3, 30)]
    held, held_targets = draw.normal(size=(9, 4)), np.eye(3)[draw.integers(0, 3, 9)]
    weights = np.linalg.solve(rows.T @ rows + 2 * np.eye(4), rows.T @ targets)
    direct = np.sum((held @ weights - held_targets) ** 2)
    moments = held_out_error(rows.T @ rows, targets.T @ rows, held.T @ held, held_targets.T @ held, 2.0)
    assert moments + len(held) == pytest.approx(direct)


def test_ranpac_refuses_a_sample_of_the_other_part() -> None:
    vectors, _, labels = example_samples(0)
    head = RanPACHead(features=20)
    head.learn(vectors[:1], labels[:1])
    other = next(row for row in vectors[1:] if _refused(head, row[None], labels[:1]))
    assert other is not None
    assert np.array_equal(head.labels, labels[:1])


def _refused(head: UnlearningHead, vectors: np.ndarray, labels: np.ndarray) -> bool:
    try:
        head.unlearn(vectors, labels)
    except ValueError:
        return True
    head.learn(vectors, labels)
    return False


def test_another_head_refuses_the_file(tmp_path: Path) -> None:
    vectors, _, labels = example_samples(0)
    head = RidgeHead()
    head.learn(vectors, labels)
    save_head(head, tmp_path / "head.npz")
    with pytest.raises(ValueError, match="holds a RidgeHead"):
        load_head(NearestMeanHead(), tmp_path / "head.npz")


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(2, 40), gone=st.integers(1, 20), scale=st.sampled_from([1e-3, 1.0, 30.0]))
def test_learning_then_unlearning_is_the_identity(seed: int, rows: int, gone: int, scale: float) -> None:
    draw = np.random.default_rng(seed)
    vectors = (scale * draw.normal(size=(rows + gone, 5))).astype(np.float32)
    labels = draw.integers(0, 4, rows + gone)
    for make in (NearestMeanHead, StreamingLDAHead, RidgeHead, small(KernelLDAHead), small(RanPACHead)):
        head, never = make(), make()
        head.learn(vectors, labels)
        head.unlearn(vectors[rows:], labels[rows:])
        never.learn(vectors[:rows], labels[:rows])
        assert np.array_equal(head.labels, never.labels)
        expected = never.logits(vectors)
        np.testing.assert_allclose(head.logits(vectors), expected, atol=1e-5 * max(1.0, np.abs(expected).max()))
