"""Names for groups from their own words."""

from __future__ import annotations

from lifelong.perception.discovery.group_words import group_words, words_of


def test_words_are_of_any_script_and_counted_once_a_text() -> None:
    assert words_of("Don't book a FLIGHT, flight 7 to Zürich!") == ["don't", "book", "flight", "to", "zürich"]
    assert words_of("我的包裹 где посылка") == ["我的包裹", "где", "посылка"]
    assert words_of("7 + 8 = ?") == []


def test_a_group_is_named_by_what_the_others_do_not_say() -> None:
    groups = {
        "a": [f"please book a flight to {place}" for place in ("Rome", "Oslo", "Lima")],
        "b": [f"please write the recipe of a {dish}" for dish in ("cake", "soup", "pie")],
    }
    named = group_words(groups, most=2)
    assert set(named["a"]) <= {"book", "flight", "to"}
    assert set(named["b"]) <= {"write", "the", "recipe", "of"}
    assert group_words(groups, most=2) == named


def test_one_long_text_names_no_group_and_none_names_nothing() -> None:
    lone = " ".join(f"word{letter}" for letter in "abcdefghij")
    assert group_words({"a": ["book a flight"] * 9 + [lone]})["a"] == ("book", "flight")
    assert group_words({"a": ["1", "2"], "b": ["so it is"]})["a"] == ()
    assert group_words({}) == {}
