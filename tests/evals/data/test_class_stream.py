from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lifelong.core import DataMissing
from lifelong.evals.data.class_stream import average_values, class_stream, forgetting_values, kept_bytes, run_stream, stream_forgetting
from lifelong.evals.data.seeded import mean_of
from lifelong.evals.data.texts import TextData, Texts
from lifelong.evals.suites.continual import suite as continual_suite
from lifelong.evals.suites.unlearning import suite as unlearning_suite
from lifelong.evals.suites.unlearning.suite import erased, requested
from lifelong.learners import CueHead, NearestMeanHead, RidgeHead


def made(classes: int, each: int, seed: int) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    vectors = np.eye(16)[labels] + 0.1 * draw.normal(size=(len(labels), 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(map(str, range(len(labels)))), labels=labels, vectors=vectors.astype(np.float32))


def data() -> TextData:
    train, test = made(8, 12, 0), made(8, 5, 1)
    none = train.subset(np.zeros(len(train), dtype=bool))
    outliers = dict.fromkeys(("outliers_train", "outliers_validation", "outliers_test", "sentences"), none)
    return TextData(names=tuple("abcdefgh"), train=train, validation=none, test=test, **outliers)


def test_forgetting_golden() -> None:
    # By hand: group 0 falls from 0.9 to 0.6, group 1 rises from 0.5 to 0.7; the last group has had no time to fall.
    table = np.array([[0.9, np.nan, np.nan], [0.8, 0.5, np.nan], [0.6, 0.7, 1.0]])
    assert stream_forgetting(table) == pytest.approx(((0.9 - 0.6) + (0.5 - 0.7)) / 2)
    assert stream_forgetting(table[:1, :1]) == 0


def test_values_of_samples_have_the_figures_as_their_means() -> None:
    # Three groups of two, four and two samples; accuracies by step and group.
    nan = np.nan
    places = [np.array([0, 1]), np.array([2, 3, 4, 5]), np.array([6, 7])]
    hits = np.array(
        [[1, 1, nan, nan, nan, nan, nan, nan], [1, 0, 1, 1, 1, 0, nan, nan], [0, 0, 1, 1, 0, 0, 1, 1]],
        dtype=float,
    )
    table = np.array([[1.0, nan, nan], [0.5, 0.75, nan], [0.0, 0.5, 1.0]])
    assert average_values(hits).mean() == pytest.approx((1.0 + 4 / 6 + 4 / 8) / 3)
    assert forgetting_values(hits, places).mean() == pytest.approx(stream_forgetting(table))
    unseen = np.column_stack([hits, np.full(3, nan)])
    assert np.isnan(average_values(unseen)[-1])
    assert np.nanmean(average_values(unseen)) == pytest.approx((1.0 + 4 / 6 + 4 / 8) / 3)


def test_every_class_comes_once_and_orders_differ() -> None:
    streams = [class_stream(data(), 4, seed) for seed in (0, 0, 1)]
    for stream in streams:
        assert np.array_equal(np.sort(np.concatenate(stream.groups)), np.arange(8))
    assert all(np.array_equal(a, b) for a, b in zip(streams[0].groups, streams[1].groups, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(streams[0].groups, streams[2].groups, strict=True))
    part = class_stream(data(), 4, 0, groups=2)
    assert set(part.test.labels) == set(np.concatenate(part.groups))


def test_no_order_is_one_that_settings_were_looked_at_with() -> None:
    looked_at = {tuple(np.random.default_rng(1993 + seed).permutation(8)) for seed in range(5)}
    for seed in range(5):
        groups = class_stream(data(), 4, seed).groups
        assert not any(all(set(order[2 * n : 2 * n + 2]) == set(group) for n, group in enumerate(groups)) for order in looked_at)


def test_a_stream_is_run_to_its_end() -> None:
    stream = class_stream(data(), 4, 0)
    figures = run_stream(NearestMeanHead(), stream)
    assert mean_of(figures["last_accuracy"]) == mean_of(figures["average_accuracy"]) == 1.0
    assert mean_of(figures["forgetting"]) == 0
    assert "forgetting" not in run_stream(RidgeHead(), stream, every_step=False)


def test_bytes_golden() -> None:
    stream = class_stream(data(), 4, 0)
    heads = NearestMeanHead(), RidgeHead(), CueHead()
    for head in heads:
        head.learn(stream.train.vectors, stream.train.labels)
    # By hand: 8 means of 16 float16; 8 labels, counts and sums and 16 * 17 / 2 second moments of four bytes.
    assert kept_bytes(heads[0]) == 8 * 16 * 2
    assert kept_bytes(heads[1]) == 4 * (8 + 8 + 8 * 16 + 136)
    assert kept_bytes(heads[2]) == heads[2].memory.bytes


def test_requests_are_of_the_size_asked_for() -> None:
    labels = np.repeat(np.arange(5), 30)
    assert requested("10", labels, 0).sum() == 10
    gone = requested("a whole class", labels, 0)
    assert gone.sum() == 30
    assert len(set(labels[gone])) == 1


def test_erasure_is_measured_against_retraining() -> None:
    train, test = made(8, 12, 0), made(8, 5, 1)
    figures = erased("lifelong_ridge", RidgeHead, train, requested("10", train.labels, 0), test.vectors)
    assert figures["lifelong_ridge", "largest_logit_difference_x1e9"] < 1e4
    assert figures["lifelong_ridge", "logit_change_by_erasure"] > 1e-4
    assert ("ridge_retrained", "unlearn_ms") in figures


@pytest.mark.parametrize("suite", [continual_suite, unlearning_suite])
def test_missing_data_is_named(suite: object) -> None:
    with pytest.raises(DataMissing, match="LIFELONG_DATA"):
        suite.run(quick=True, seeds=1, data=None)  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.parametrize("suite", [continual_suite, unlearning_suite])
@pytest.mark.skipif("LIFELONG_DATA" not in os.environ, reason="LIFELONG_DATA names no data directory")
def test_a_quick_run_shows_ours_and_the_baselines(suite: object) -> None:
    rows = suite.run(quick=True, seeds=1, data=Path(os.environ["LIFELONG_DATA"]))  # type: ignore[attr-defined]
    methods = {row.method for row in rows}
    assert any(method.startswith("lifelong") for method in methods)
    assert any(not method.startswith("lifelong") for method in methods)
    assert all(np.isfinite(row.value) for row in rows)
