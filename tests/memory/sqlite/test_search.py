"""Finding who holds a text, however it was written down."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Episode
from lifelong.memory import Record
from lifelong.memory.sqlite.search import MOST

VECTOR = np.array([1, 0, 0], dtype=np.float32)


def holding(number: int, text: str, **values: str) -> Episode:
    plain = example_episode(number, **values)
    return replace(plain, task=replace(plain.task, context=text))


@pytest.mark.parametrize("text", ['say "plum"', "line\nbreak", "back\\slash", "Ünïcödé", "tab\there"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_text_is_found_in_every_spelling(record: Record, text: str, form: str) -> None:
    record.episodes.record(holding(0, unicodedata.normalize(form, text)), VECTOR)
    record.episodes.record(holding(1, "something else"), VECTOR)
    for asked in ("NFC", "NFD"):
        assert [episode.id for episode in record.find_text(unicodedata.normalize(asked, text))] == ["default-0"]


def test_ids_and_all_tenants_are_searched_oldest_first(record: Record) -> None:
    for number, tenant in enumerate(("b", "a", "b")):
        record.episodes.record(holding(number, "the word plum", tenant=tenant), VECTOR)
    assert [episode.id for episode in record.find_text("plum")] == ["b-0", "a-1", "b-2"]
    assert [episode.id for episode in record.find_text("a-1")] == ["a-1"]
    assert record.find_text("never said") == []


def test_no_sign_is_a_wildcard(record: Record) -> None:
    record.episodes.record(holding(0, "100 of 100"), VECTOR)
    assert record.find_text("1%0") == []
    assert record.find_text("1_0") == []


def test_what_everybody_says_is_cut_off(record: Record) -> None:
    record.episodes.record_many((holding(number, "plum"), VECTOR) for number in range(MOST + 5))
    assert len(record.find_text("plum")) == MOST
