"""Class after class on a user's own file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_data import run_in_process

from lifelong.core import SettingsError
from lifelong.evals.bench import find_suite, run_suite
from lifelong.evals.row_filter import RowFilter


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    run_in_process(monkeypatch, tmp_path / "cache")
    file = tmp_path / "own.jsonl"
    rows = [
        {"text": f"my {good} is {how} {n}", "label": good}
        for good in ("parcel", "refund", "bill")
        for how in ("late", "wrong")
        for n in range(5)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


PLAIN = ("nearest_mean", "joint_logistic", "joint_logistic_two_views", "zlib_texts_logistic")


def test_plain_methods_are_measured_on_the_file_alone(texts: Path) -> None:
    suite = find_suite("continual")
    results = run_suite(suite, quick=True, seeds=2, data=None, file=None, only=RowFilter(methods=PLAIN), texts=texts)
    accuracies = {row.method: row.value for row in results.results if row.metric == "last_accuracy"}
    assert set(accuracies) == set(PLAIN)
    assert min(accuracies.values()) > 0.8
    assert {row.case for row in results.results} == {"own texts, 3 classes in 1 groups"}
    assert list(results.data) == ["own.jsonl"]


@pytest.mark.slow
def test_ours_is_measured_beside_them(texts: Path) -> None:
    results = run_suite(find_suite("continual"), quick=True, seeds=1, data=None, file=None, texts=texts)
    ours = {row.metric: row.value for row in results.results if row.method == "lifelong"}
    assert ours["last_accuracy"] > 0.8
    assert ours["bytes_per_sample"] > 0


def test_a_suite_without_texts_says_so(texts: Path) -> None:
    with pytest.raises(SettingsError, match="does not measure on own texts"):
        run_suite(find_suite("memory"), quick=True, seeds=1, data=None, file=None, texts=texts)
