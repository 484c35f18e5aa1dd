from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from open_set_texts import EACH

from lifelong.evals.data.texts import TextData
from lifelong.evals.suites.perception import classifiers as _gates
from lifelong.evals.suites.perception import rejection as perception_rejection
from lifelong.evals.suites.perception.classifiers import full_split, partial_split, subset_split


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
