"""Run state: counters, reports, and texts that are blanked when what they quote is erased."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifelong.core import StoreError
from lifelong.memory import Record
from lifelong.orchestrator.run_state import (
    EvaluationRow,
    Fault,
    Night,
    NightState,
    SleepReport,
    blank_texts,
    count_fault,
    count_relabelling,
    relabel_count,
    report_count,
    state_words,
)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record(tmp_path / "record.sqlite3") as one:
        yield one


def report(number: int, tenant: str = "default", reason: str = "no gain") -> SleepReport:
    return SleepReport(
        tenant=tenant,
        skill="chat",
        number=number,
        adapter="",
        published=False,
        reason=reason,
        lessons=0,
        samples=0,
        replayed=0,
        loss=(),
        gate=(),
    )


def test_failures_are_counted_by_part_without_their_words(record: Record) -> None:
    for part in ("recall", "recall", "perception"):
        count_fault(record, part, ValueError("the vault word is plum"))
    assert {fault.id: fault.count for fault in record.state.find(Fault)} == {"recall": 2, "perception": 1}
    assert "plum" not in repr(record.state.find(Fault))


def test_a_record_that_cannot_be_written_costs_the_count_alone(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(record.state, "put", full)
    count_fault(record, "recall", ValueError())
    assert record.state.find(Fault) == []


def test_counters_are_each_tenants_own(record: Record) -> None:
    assert (relabel_count(record, "ann"), report_count(record, "ann")) == (0, 0)
    for _ in range(3):
        count_relabelling(record, "ann")
    record.state.put(report(4, "ann"))
    record.state.put(report(2, "ann"))
    assert (relabel_count(record, "ann"), report_count(record, "ann")) == (3, 4)
    assert (relabel_count(record, "bob"), report_count(record, "bob")) == (0, 0)


def test_reports_come_back_in_the_order_of_their_numbers(record: Record) -> None:
    for number in (10, 9, 11):
        record.state.put(report(number))
    assert [one.number for one in record.state.find(SleepReport, tenant="default")] == [9, 10, 11]


def test_what_quotes_the_erased_is_blanked_for_the_named_tenants_alone(record: Record) -> None:
    for tenant in ("ann", "bob"):
        record.state.put(
            EvaluationRow(tenant=tenant, skill="chat", night=1, tasks=2, tokens=5, each=(True, False), answers=("it is plum", "it is pear"))
        )
        record.state.put(report(1, tenant, reason="RuntimeError: plum"))
        record.state.put(Night(tenant=tenant, id="n", pid=1, host="here", started=0.0, reason="working on plum"))
    blank_texts(record, ["ann"], ["plum"])
    [row] = record.state.find(EvaluationRow, tenant="ann")
    assert row.answers == ("[erased]", "it is pear")
    assert (row.each, row.tokens) == ((True, False), 5)
    assert "plum" not in repr([*record.state.find(SleepReport, tenant="ann"), *record.state.find(Night, tenant="ann")])
    [other] = record.state.find(EvaluationRow, tenant="bob")
    assert other.answers[0] == "it is plum"


def test_words_of_the_state_itself_are_known() -> None:
    assert {"pending_sleep", "encoder", "answers", NightState.NOTHING_TO_LEARN.value} <= state_words()
