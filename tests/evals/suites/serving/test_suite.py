"""The ratios of the serving suite are those of its own figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifelong.evals.suites.serving import load, suite
from lifelong.evals.suites.serving.load import Burst, Timing
from lifelong.memory import Record


def test_a_server_that_answers_nothing_has_no_times() -> None:
    burst = Burst(timings=(), failed=5, seconds=0.1)
    rows = {row.metric: row.value for row in suite.rate_rows("case", {suite.UPSTREAM: burst})}
    assert rows["failed_share"] == 1
    assert rows["answer_p50_ms"] != rows["answer_p50_ms"], "nothing was answered, so there is no time"


def test_what_is_added_is_the_difference_to_the_upstream_alone() -> None:
    def burst(seconds: float) -> Burst:
        return Burst(timings=(Timing(seconds=seconds, first=seconds / 2), Timing(seconds=seconds)), failed=0, seconds=1.0)

    rows = suite.rate_rows("case", {suite.UPSTREAM: burst(0.02), suite.RECALL: burst(0.03)})
    found = {(row.method, row.metric): row.value for row in rows}
    assert found[suite.RECALL, "added_answer_p50_ms"] == pytest.approx(10)
    assert found[suite.RECALL, "added_first_word_p95_ms"] == pytest.approx(5)
    assert (suite.UPSTREAM, "added_answer_p50_ms") not in found


def test_both_arms_begin_with_the_same_record(tmp_path: Path) -> None:
    suite.fill(tmp_path, 30)
    counts = []
    for name in (suite.CONTROL, suite.RECALL):
        with Record(tmp_path / name / "record.sqlite3") as record:
            counts.append(record.episodes.count(tenant=load.TENANT))
    assert counts == [30, 30]
