"""Labelled texts: official splits, draws of so many a class, and vectors that are encoded once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_data import run_in_process, write_banking77, write_clinc150

from lifelong.evals.data import texts
from lifelong.evals.data.texts import OUT_OF_SCOPE, banking77, clinc150, encoded, sample_per_class


def test_splits_are_read_as_they_are_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_in_process(monkeypatch, tmp_path / "cache")
    write_clinc150(tmp_path / "clinc150", train=2, validation=1, test=1)
    write_banking77(tmp_path / "banking77", train=2, test=1)
    clinc, banking = clinc150(tmp_path), banking77(tmp_path)
    assert [len(part) for part in (clinc.train, clinc.validation, clinc.test)] == [300, 150, 150]
    assert set(clinc.outliers_test.labels.tolist()) == {OUT_OF_SCOPE}
    assert len(banking.names) == 77
    assert (len(banking.train), len(banking.test), len(banking.validation)) == (154, 77, 0)
    np.testing.assert_allclose(np.linalg.norm(clinc.train.vectors, axis=1), 1, rtol=1e-5)
    drawn = sample_per_class(clinc.train, 1, 0)
    assert drawn.labels.tolist() == list(range(150))
    assert sample_per_class(clinc.train, 1, 0).texts == drawn.texts


def test_vectors_are_encoded_once_and_kept_by_encoder_and_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "cache_directory", lambda: tmp_path / "models")
    calls: list[list[str]] = []

    def encode(rows: list[str]) -> np.ndarray:
        calls.append(list(rows))
        return np.full((len(rows), 2), len(calls), dtype=np.float32)

    first = encoded(["a", "b"], "one", encode)
    assert np.array_equal(encoded(["a", "b"], "one", encode), first)
    assert len(calls) == 1
    assert not np.array_equal(encoded(["a", "b"], "other", encode), first)
    assert len(encoded(["ab"], "one", encode)) == 1
    assert len(calls) == 3
