from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lifelong.numerics.sequences import first_divergence, similarity, tokens

NUMBERS = st.lists(st.integers(0, 3), max_size=6)


def test_sequences_part_at_the_first_difference_or_where_one_ends() -> None:
    assert first_divergence(["a"], ["a"]) is None
    assert first_divergence(["a"], ["a", "b"]) == 1
    assert first_divergence([7, 8, 9], [7, 9]) == 1


@given(NUMBERS, NUMBERS)
def test_what_stands_before_the_place_is_alike(left: list[int], right: list[int]) -> None:
    place = first_divergence(left, right)
    assert (place is None) == (left == right)
    if place is not None:
        assert left[:place] == right[:place]
        assert left[place : place + 1] != right[place : place + 1]


@given(NUMBERS, NUMBERS)
def test_similarity_is_a_share_and_one_for_equals(left: list[int], right: list[int]) -> None:
    assert 0.0 <= similarity(left, right) <= 1.0
    assert similarity(left, left) == 1.0
    assert (similarity(left, right) == 1.0) == (left == right)


def test_words_numbers_and_signs_are_tokens() -> None:
    assert tokens("a1 >= 'b c'") == ["a", "1", ">", "=", "'", "b", "c", "'"]
