"""Rejection: every method has every metric."""

from __future__ import annotations

from pathlib import Path

import pytest
from made.open_set_texts import EACH

from lifelong.evals.data.texts import TextData
from lifelong.evals.suites.perception import classifiers as classifiers
from lifelong.evals.suites.perception import rejection as perception_rejection
from lifelong.evals.suites.perception.classifiers import full_split, subset_split


@pytest.mark.slow
def test_every_method_has_every_metric(data: TextData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifiers, "clinc150", lambda _: data)
    monkeypatch.setattr(perception_rejection, "clinc150", lambda _: data)
    monkeypatch.setattr(perception_rejection, "banking77", lambda _: data)
    classifiers.classifier_on_clinc150.cache_clear()
    rows = perception_rejection.run(quick=True, seeds=1, data=Path("made"))
    classifiers.classifier_on_clinc150.cache_clear()
    methods = {row.method for row in rows}
    plain = {"msp", "knn1", "vim", "msp+knn1", "mlp_msp", "openmix_energy", "logistic_msp", "logistic_entropy"}
    assert {"lifelong", *plain, *(f"{name}_two_views" for name in plain)} <= methods
    assert len(rows) == 2 * len(methods) * 5
    ours = {row.metric: row.value for row in rows if row.method == "lifelong" and row.case == "clinc150, out of scope"}
    assert ours["accuracy"] > 0.9
    assert ours["ood_auroc"] > 0.95
    assert ours["failure_aurc_x1000"] < ours["unified_aurc_x1000"] < 50
    assert len(subset_split(full_split(data), 4).test) == 4 * EACH
