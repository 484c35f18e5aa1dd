from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from lifelong.evals.data.texts import OUT_OF_SCOPE, TextData, Texts
from lifelong.evals.suites.perception import classifiers as _gates
from lifelong.evals.suites.perception import open_intent as perception_open_intent
from lifelong.evals.suites.perception import promise as perception_promise
from lifelong.evals.suites.perception import rejection as perception_rejection
from lifelong.evals.suites.perception.classifiers import full_split, partial_split, subset_split

CLASSES, EACH = 8, 12


def made(count: int, unknown: bool, seed: int) -> Texts:
    draw = np.random.default_rng(seed)
    labels = np.full(count, OUT_OF_SCOPE) if unknown else np.arange(count) % CLASSES
    centres = np.eye(16)[[8 + row % 8 for row in range(count)]] if unknown else np.eye(16)[labels]
    vectors = centres + 0.1 * draw.normal(size=(count, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Texts(texts=tuple(f"{seed} {row} word{labels[row]}" for row in range(count)), labels=labels, vectors=vectors.astype(np.float32))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TextData:
    monkeypatch.setenv("LIFELONG_CACHE", str(tmp_path))
    names = tuple(f"intent {number}" for number in range(CLASSES))
    parts = {name: made(CLASSES * EACH, False, seed) for seed, name in enumerate(("train", "validation", "test"))}
    outliers = {f"outliers_{name}": made(10, True, seed) for seed, name in enumerate(("train", "validation", "test"), 10)}
    return TextData(names=names, **parts, **outliers, sentences=made(30, True, 20))


@pytest.mark.parametrize("validated", [True, False])
def test_a_part_knows_nothing_of_what_is_unknown(data: TextData, validated: bool) -> None:
    from dataclasses import replace

    if not validated:
        data = replace(data, validation=data.train.subset(np.zeros(len(data.train), dtype=bool)))
    split = partial_split(data, 0.75, 3, data.sentences)
    assert set(split.train.labels) == set(split.test.labels) == set(range(6))
    assert len(split.unknown) == 2 * EACH + 10
    assert not len(split.validation_outliers)
    assert not set(split.train.texts) & {*split.validation.texts, *split.test.texts, *split.unknown.texts}
    assert not set(split.outliers.texts) & {*data.outliers_test.texts, *data.outliers_validation.texts}
    known = {int(text.split("word")[1]) for text in split.train.texts}
    assert known == {int(text.split("word")[1]) for text in split.validation.texts + split.test.texts}
    assert len(known) == 6
    other = {int(text.split("word")[1]) for text in partial_split(data, 0.75, 4, data.sentences).train.texts}
    assert known != other


@pytest.mark.slow
def test_every_method_has_every_metric(data: TextData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gates, "clinc150", lambda _: data)
    monkeypatch.setattr(perception_rejection, "clinc150", lambda _: data)
    monkeypatch.setattr(perception_rejection, "banking77", lambda _: data)
    _gates.classifier_on_clinc150.cache_clear()
    rows = perception_rejection.run(quick=True, seeds=1, data=Path("made"))
    _gates.classifier_on_clinc150.cache_clear()
    methods = {row.method for row in rows}
    assert {"lifelong", "msp", "knn1", "vim", "msp+knn1", "mlp_msp", "openmix_energy"} <= methods
    assert len(rows) == 2 * len(methods) * 5
    ours = {row.metric: row.value for row in rows if row.method == "lifelong" and row.case == "clinc150, out of scope"}
    assert ours["accuracy"] > 0.9
    assert ours["ood_auroc"] > 0.95
    assert ours["failure_aurc_x1000"] < ours["unified_aurc_x1000"] < 50
    assert len(subset_split(full_split(data), 4).test) == 4 * EACH


def test_open_intent_counts_the_unknown_as_one_class(data: TextData) -> None:
    split = subset_split(full_split(data), 2)
    known = (split.test.labels, np.zeros(len(split.test), dtype=bool))
    # All 24 known ones are named and half of the ten unknown ones are found: F1 of the open class 2 * 5 / 15.
    unknown = (np.zeros(10, dtype=np.int64), np.arange(10) < 5)
    figures = perception_open_intent._figures("x", split, known, unknown)
    assert figures["x", "open_accuracy"] == pytest.approx(29 / 34)
    assert figures["x", "open_macro_f1"] == pytest.approx((24 / 29 + 1 + 2 / 3) / 3)


def test_the_bound_of_a_promise_is_exact() -> None:
    rate, calibrated, counted, rank = 0.2, 19, 30, 16
    above = round(perception_promise._bound(rate, calibrated, counted) * counted)

    def more_than(number: int) -> float:
        # More than `number` of the counted lie above the rank-th calibration score exactly when `rank` calibration scores or more
        # are among the lowest `rank + counted - number - 1` of all.
        return float(hypergeom.sf(rank - 1, calibrated + counted, calibrated, rank + counted - number - 1))

    assert more_than(above) <= 0.05 < more_than(above - 1)
