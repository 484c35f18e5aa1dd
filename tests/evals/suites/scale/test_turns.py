"""Turns are filled, searched and compared with an exact search; what is asked for is told apart from what is not."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from lifelong.evals.row_filter import RowFilter
from lifelong.evals.suites.scale import turns
from lifelong.memory import Record
from lifelong.perception import HashedEncoder


def test_every_figure_of_a_small_record_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "QUICK", (400,))
    monkeypatch.setattr(turns, "QUESTIONS", 10)
    rows = turns.turn_rows(HashedEncoder, quick=True, only=RowFilter(), apart=lambda work, *values: work(*values))
    assert {(row.case, row.method) for row in rows} == {("400 turns", turns.METHOD)}
    figures = {row.metric: row.value for row in rows}
    assert set(figures) == {
        "fill_seconds", "fill_cpu_seconds", "bytes_per_turn", "open_seconds", "first_search_seconds", "index_ready_seconds",
        "search_p50_ms", "search_p95_ms", "search_cpu_p50_ms", "search_cpu_p95_ms",
        "encode_p50_ms", "encode_p95_ms", "encode_cpu_p50_ms", "encode_cpu_p95_ms", "resident_mb",
        "nearest_recall_at_10", "hit_recall_at_5",
    }  # fmt: skip
    assert 0.8 <= figures["nearest_recall_at_10"] <= 1
    assert 0.8 <= figures["hit_recall_at_5"] <= 1
    assert figures["search_p50_ms"] <= figures["search_p95_ms"]
    assert figures["bytes_per_turn"] > turns.DIMENSIONS


def test_only_what_is_asked_for_is_measured() -> None:
    for only in (RowFilter(methods=("lifelong_hashed",)), RowFilter(cases=("episodes",))):
        assert turns.turn_rows(HashedEncoder, quick=True, only=only, apart=lambda *_: pytest.fail("nothing is wanted")) == []


def test_made_turns_differ_and_are_the_same_every_time(tmp_path: Path) -> None:
    said = [[step.text for step in chat.steps] for chat in turns.made_chats(3)]
    assert said == [[step.text for step in chat.steps] for chat in turns.made_chats(3)]
    assert len({text for chat in said for text in chat}) == 3 * turns.CHAT
    assert len({turns._word(number) for number in range(turns.WORDS)}) == turns.WORDS


def test_exact_nearest_compares_every_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "READ", 7)
    turns.fill(tmp_path / "home", 60)
    encoder = turns.WordVectors()
    texts = [step.text for chat in turns.made_chats(3) for step in chat.steps]
    questions = encoder.encode(list(islice(turns.made_questions(60), 4)))
    with Record(tmp_path / "home" / "record.sqlite3") as record:
        found = turns.exact_nearest(record, questions)
    cosines = questions @ encoder.encode(texts).T
    for row, numbers in enumerate(found):
        # What is kept in a byte an entry is right to some thousandths.
        assert np.allclose(cosines[row, np.array(numbers) - 1], np.sort(cosines[row])[::-1][: turns.NEAREST], atol=0.01)
