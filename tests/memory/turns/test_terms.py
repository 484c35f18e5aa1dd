from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.memory.turns.terms import LONGEST, _folded, terms, words


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("It runs at 3 GB/s", "GB/s", True),
        ("We have 7 GBs of logs", "GB/s", False),
        ("Use the pre-edit hook", "pre-edit", True),
        ("I don't eat fish", "don't", True),
        ("We deploy with ship.sh", "ship.sh", True),
        ("The train leaves at 7:42", "7:42", True),
        ("Je suis végétarien", "vegetarien", True),
        ("Mein Hund heißt Rübe", "heisst rube", True),
        ("She was running", "runs", True),
        ("我住在北京", "北京", True),
        ("我住在南京", "北京", False),
        ("我住在Bern附近", "bern", True),
        ("東京タワーに行った", "タワー", True),
    ],
)
def test_a_text_is_found_by_its_words_in_any_script(text: str, query: str, found: bool) -> None:
    assert bool(set(terms(query)) & set(terms(text))) is found


def test_a_compound_is_sought_as_a_whole_and_by_its_parts() -> None:
    assert terms("GB/s") == ["gb/s", "gb"]
    assert terms("foo_bar") == ["foo_bar", "foo", "bar"]


def test_voiced_kana_stay_words_of_their_own() -> None:
    assert terms("ガギ") != terms("カキ")


@given(st.text())
def test_case_and_composition_change_nothing(text: str) -> None:
    import unicodedata

    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


@given(st.text(), st.text())
def test_texts_side_by_side_have_the_words_of_both(one: str, other: str) -> None:
    assert words(f"{one}\n{other}") == words(one) + words(other)


@pytest.mark.parametrize("bad", ["a" * 10**6, "a-" * 500_000, "我" * 10**6, "\u0301" * 10**6, "'" * 10**6, "a.b" * 300_000])
def test_the_worst_text_of_a_million_characters_costs_little(bad: str) -> None:
    started = time.process_time()
    assert len(terms(bad)) <= 2 * LONGEST
    assert time.process_time() - started < 2


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_plain_text_is_read_by_the_short_way_as_by_the_long_one(text: str) -> None:
    with_accent = _folded(text + "é")
    assert _folded(text) == with_accent[:-1]
