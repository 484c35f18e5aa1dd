"""Memories beside the cues, what is drawn of them, and other packages behind the same verbs."""

from __future__ import annotations

import numpy as np
import pytest

from lifelong.evals import Row
from lifelong.evals.data.class_stream import ClassStream, kept_bytes, run_stream
from lifelong.evals.data.texts import Texts
from lifelong.evals.suites.continual import suite as continual_suite
from lifelong.evals.suites.continual.budgets import BUDGETS
from lifelong.evals.suites.continual.growth import cost
from lifelong.evals.suites.continual.peer_libraries import PeerHead, RiverHead
from lifelong.evals.suites.continual.sampled_memories import (
    GaussianMemory,
    QuantisedMemory,
    RawMemory,
    SampledMemoryHead,
    eight_bits,
    leading,
    whole,
)


def made(classes: int, each: int, seed: int = 0, d: int = 16) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(d)[labels] + 0.1 * draw.normal(size=(len(labels), d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(map(str, range(len(labels)))), labels=labels, vectors=vectors.astype(np.float32))


def test_eight_bits_are_close() -> None:
    rows = made(4, 5).vectors
    codes, scales = eight_bits(rows)
    assert np.abs(whole(codes, scales) - rows).max() <= np.abs(rows).max() / 127
    assert codes.itemsize == 1


def test_leading_directions_golden() -> None:
    # By hand: variances 4, 1, 1 along the axes.
    directions, variances, rest = leading(np.diag([1.0, 4.0, 1.0]), 1)
    np.testing.assert_allclose(np.abs(directions[:, 0]), [0, 1, 0], atol=1e-6)
    assert (variances.tolist(), rest) == ([4.0], 1.0)


def test_raw_samples_are_as_many_as_were_asked_for_and_counted() -> None:
    train = made(4, 12)
    memory = RawMemory(per_class=3)
    for low in (0, 2):
        part = (train.labels >= low) & (train.labels < low + 2)
        memory.remember(train.vectors[part], train.labels[part])
    rows, labels = memory.recall()
    assert np.bincount(labels).tolist() == [3] * 4
    assert min(np.abs(train.vectors - row).max(1).min() for row in rows) < 0.01
    assert memory.bytes == 4 * (3 * (16 + 2) + 8)


def test_gaussians_have_the_moments_of_the_samples_and_are_counted() -> None:
    train = made(3, 400)
    memory = GaussianMemory(shared=4, own=2, draws=2000)
    for label in range(3):
        memory.remember(train.vectors[train.labels == label], train.labels[train.labels == label])
    rows, labels = memory.recall()
    for label in range(3):
        drawn, true = rows[labels == label], train.vectors[train.labels == label]
        np.testing.assert_allclose(drawn.mean(0), true.mean(0), atol=0.02)
        assert np.trace(np.cov(drawn.T)) == pytest.approx(np.trace(np.cov(true.T)), rel=0.15)
    # By hand: 3 means of 16 + 2 bytes and a number of 8, 2 directions of 16 + 4 each; 4 shared ones and the rest's variance.
    assert memory.bytes == 3 * (18 + 8 + 2 * 20) + 4 * 20 + 4


def test_every_memory_fits_its_budget() -> None:
    draw = np.random.default_rng(0)
    vectors, labels = draw.normal(size=(600, 384)).astype(np.float32) / 384**0.5, np.repeat(np.arange(150), 4)
    for budget, (_, raw, (shared, own)) in BUDGETS.items():
        memory = RawMemory(per_class=raw)
        memory.remember(np.tile(vectors, (22, 1)), np.tile(labels, 22))
        assert 0.7 < memory.bytes / 150 / 1024 / float(budget) <= 1
        # A direction takes 384 bytes and its variance 4, whatever it is.
        assert (150 * (384 + 2 + 8 + own * 388) + shared * 388 + 4) / 150 / 1024 <= float(budget)


@pytest.mark.slow
def test_all_memories_are_slept_on() -> None:
    train, test = made(8, 12), made(8, 5, seed=1)
    stream = ClassStream(groups=(np.arange(4), np.arange(4, 8)), train=train, test=test)
    for memory in (RawMemory(per_class=2), GaussianMemory(shared=4, own=1), QuantisedMemory(code_bytes=4)):
        head = SampledMemoryHead(memory)
        assert run_stream(head, stream, every_step=False)["last_accuracy"] > 0.8
        assert kept_bytes(head) == memory.bytes


def test_the_curves_are_drawn_from_rows_and_stand_alone() -> None:
    rows = [
        Row(case=f"clinc150, {size} KB a class", method=method, metric=metric, value=value, ci95=(value, value + 0.01), n=1, seeds=2)
        for size, accuracy in ((1, 0.8), (2, 0.9))
        for method in ("lifelong", "raw_replay")
        for metric, value in (("last_accuracy", accuracy), ("bytes_per_class", 1024.0 * size))
    ]
    assert set(continual_suite.plots(rows[:4])) == set()
    rows += [Row(case=f"{n} skills", method="lifelong_ridge", metric="learn_class_ms", value=5.0) for n in (100, 1000)]
    drawn = continual_suite.plots(rows)
    assert set(drawn) == {"bytes", "cost"}
    for words in ("raw samples", "kilobytes a class", "prefers-color-scheme", 'xmlns="http://www.w3.org/2000/svg"'):
        assert words in drawn["bytes"]
    assert "skills known" in drawn["cost"]


@pytest.mark.slow
def test_the_cost_of_a_class_is_measured() -> None:
    figures = cost(3, 0, repeats=2)
    assert {method for method, _ in figures} == {"lifelong_ridge", "lifelong_cues", "nearest_mean", "streaming_lda"}
    assert all(value > 0 for (_, metric), value in figures.items() if metric == "predict_ms")


def test_another_packages_head_is_lived_with() -> None:
    class Nearest:
        """As river's classifiers."""

        def __init__(self) -> None:
            self.seen: list[tuple[np.ndarray, int]] = []

        def learn_one(self, row: dict[int, float], label: int) -> None:
            self.seen.append((np.array(list(row.values())), label))

        def predict_one(self, row: dict[int, float]) -> int:
            asked = np.array(list(row.values()))
            return min(self.seen, key=lambda one: float(((one[0] - asked) ** 2).sum()))[1]

    head: PeerHead = RiverHead(Nearest())
    train, test = made(4, 6), made(4, 3, seed=1)
    stream = ClassStream(groups=(np.arange(2), np.arange(2, 4)), train=train, test=test)
    assert run_stream(head, stream, every_step=False)["last_accuracy"] == 1.0
    assert head.labels.tolist() == [0, 1, 2, 3]
