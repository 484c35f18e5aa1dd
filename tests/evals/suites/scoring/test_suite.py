"""The scores are timed on made samples, with the peer and without it."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from lifelong.evals.suites.scoring import suite as scoring_suite
from lifelong.evals.suites.scoring.suite import COMPARISONS, OUT_OF_SCOPE, Comparison, compare, made, peer_detectors
from lifelong.perception import EnergyConfidence

SAMPLES = made(300, 100, 0)


class Energy:
    """A detector of the peer's kind: larger is stranger."""

    def predict_logits(self, logits: torch.Tensor) -> torch.Tensor:
        return -logits.logsumexp(1)


class LogitLength:
    """A detector of the peer's kind that is fitted, and that ranks otherwise."""

    def fit_features(self, vectors: torch.Tensor, labels: torch.Tensor) -> None:
        assert (vectors.dtype, labels.dtype) == (torch.float32, torch.int64)
        self.mean = vectors.mean(0)

    def predict_features(self, vectors: torch.Tensor) -> torch.Tensor:
        return -(vectors @ self.mean)


def test_samples_are_unit_vectors_of_skills_and_unknown_ones_and_a_head_knows_the_skills() -> None:
    np.testing.assert_allclose(np.linalg.norm(SAMPLES.scored, axis=1), 1, rtol=1e-5)
    assert (SAMPLES.logits(SAMPLES.fit).argmax(1) == SAMPLES.fit_labels).mean() > 0.9
    energies = EnergyConfidence().score(SAMPLES.scored, SAMPLES.logits(SAMPLES.scored))
    unknown = int(OUT_OF_SCOPE * len(energies))
    assert energies[:unknown].mean() < energies[unknown:].mean()
    assert all(np.array_equal(getattr(SAMPLES, name), getattr(made(300, 100, 0), name)) for name in ("fit", "scored", "weights", "bias"))


def test_the_same_score_agrees_and_another_does_not() -> None:
    same = compare(
        Comparison(case="energy", ours=EnergyConfidence, theirs=lambda peer, _: peer.Energy()), SAMPLES, SimpleNamespace(Energy=Energy)
    )
    assert same["lifelong", "rank_correlation_with_pytorch_ood"] == pytest.approx(1)
    assert min(same[method, "cpu_seconds"] for method in ("lifelong", "pytorch_ood")) > 0
    other = compare(Comparison(case="energy", ours=EnergyConfidence, theirs=lambda *_: LogitLength()), SAMPLES, object())
    assert abs(other["lifelong", "rank_correlation_with_pytorch_ood"]) < 0.9


def test_times_are_processor_seconds_and_the_ratio_is_the_peers_by_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    took = {"score": 2.0, "detect": 6.0}

    def timed(work: Any) -> tuple[float, Any]:
        found = work()
        return (took["detect"], found) if isinstance(found, torch.Tensor) else (took["score"], found)

    monkeypatch.setattr(scoring_suite, "_seconds", timed)
    comparison = Comparison(case="energy", ours=EnergyConfidence, theirs=lambda peer, _: peer.Energy())
    found = compare(comparison, SAMPLES, SimpleNamespace(Energy=Energy))
    assert found["lifelong", "cpu_seconds"] == 2.0
    assert found["pytorch_ood", "cpu_seconds"] == 6.0
    assert found["lifelong", "times_faster_than_pytorch_ood"] == 3.0


def test_without_the_peer_ours_is_measured_alone_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(scoring_suite, "QUICK_FIT", 300)
    monkeypatch.setattr(scoring_suite, "QUICK_SCORED", 20)
    assert peer_detectors() is None
    rows = scoring_suite.run(quick=True, seeds=1, data=None)
    assert [row.case for row in rows] == [f"{one.case}, 20 embeddings" for one in COMPARISONS]
    assert {(row.method, row.metric) for row in rows} == {("lifelong", "cpu_seconds")}
    assert "pip install --no-deps pytorch-ood" in capsys.readouterr().err


def test_every_score_agrees_with_the_peer_where_it_is_installed() -> None:
    peer: Any = peer_detectors()
    if peer is None:
        pytest.skip("pytorch-ood is not installed: pip install --no-deps pytorch-ood")
    samples, compared = made(1500, 60, 0), [one for one in COMPARISONS if one.theirs is not None]
    assert len(compared) > 5
    for one in compared:
        assert compare(one, samples, peer)["lifelong", "rank_correlation_with_pytorch_ood"] > 0.999, one.case
