"""Figures of a run, computed from its summary in one place."""

import json

import pytest
from made.summary import fake_summary

from lifelong.runs.summary import summarise_metrics


def test_metrics_of_a_summary() -> None:
    metrics = summarise_metrics(fake_summary())
    assert metrics["average_accuracy"] == pytest.approx((0.66 + 0.56 + 0.72) / 3)
    assert metrics["backward_transfer"] == pytest.approx((0.0 - 0.02) / 2)
    assert metrics["forward_transfer"] == pytest.approx((0.02 + 0.02) / 2)
    assert metrics["forgetting_max"] == pytest.approx(0.02)
    assert metrics["chance_auroc"] == 1.0
    assert metrics["answer_chance_auroc"] == 0.5
    assert metrics["forgetting"]["navigation"] is None
    assert metrics["success_after"] == pytest.approx({"database": 0.66, "graph": 0.58, "navigation": 0.72})
    assert metrics["tokens_per_solved"][0] == pytest.approx(3 * 50 * 190 / (2 + 0 + 11))
    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_two_nights_on_one_environment_and_none_on_another() -> None:
    summary = {
        "environments": ["a", "b"],
        "nights": [{"night": 1, "environment": "a"}, {"night": 2, "environment": "a"}],
        "evaluations": [
            {"night": night, "environment": name, "successes": 10 * night, "tasks": 40, "tokens": 1} for night in range(3) for name in "ab"
        ],
    }
    metrics = summarise_metrics(summary)
    assert metrics["learned"] == [2, None]
    assert metrics["success_before"] == {"a": 0.0, "b": None}
    assert metrics["success_after"] == {"a": 0.5, "b": None}
    assert metrics["backward_transfer"] is None
    assert metrics["tokens_per_solved"][0] is None
