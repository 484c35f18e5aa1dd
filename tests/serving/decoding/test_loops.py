"""Replies that find no end are given up, where nobody limited their length."""

from __future__ import annotations

import random
from collections.abc import Collection

from hypothesis import given
from hypothesis import strategies as st

from lifelong.serving.decoding.decode import Writing
from lifelong.serving.decoding.loops import LOOP, NOTHING_NEW, PERIOD, SEQUENCE, Novelty, number_tokens, repeats


@given(st.lists(st.integers(0, 50), min_size=1, max_size=PERIOD), st.lists(st.integers(0, 50), max_size=20))
def test_a_loop_is_found_whatever_stands_before_it(period: list[int], before: list[int]) -> None:
    looping = before + period * LOOP
    assert repeats(looping[: len(before) + LOOP])
    assert not repeats(looping[: LOOP - 1])
    assert not repeats([*looping[: len(before) + LOOP - 1], 51])


def test_a_reply_that_only_repeats_itself_ends_where_nobody_limited_it() -> None:
    free, limited = Writing(prompt=[5], limit=4000, unlimited=True), Writing(prompt=[5], limit=4000)
    for writing in (free, limited):
        for place in range(400):
            if writing.going:
                writing.take((20, 22, 22)[place % 3], -0.1, ends=False)
    assert free.looping
    assert len(free.tokens) == LOOP
    assert not free.ended
    assert len(limited.tokens) == 400, "a limit that somebody set is kept"


def written(tokens: list[int], *, unlimited: bool = True, alike: Collection[int] = ()) -> Writing:
    writing = Writing(prompt=[5], limit=100_000, unlimited=unlimited, novelty=Novelty(alike))
    for token in tokens:
        if writing.going:
            writing.take(token, -0.1, ends=False)
    return writing


def test_a_list_of_the_same_few_values_ends_though_it_has_no_period() -> None:
    rng = random.Random(0)
    values = [[60 + value, 70 + value, 9] for value in range(5)]
    endless = [token for _ in range(2000) for token in rng.choice(values)]
    writing = written(endless)
    assert writing.looping
    assert NOTHING_NEW < len(writing.tokens) < 3 * NOTHING_NEW
    assert not written(endless, unlimited=False).looping


def test_what_says_something_new_goes_on() -> None:
    # A count: its tokens are ten digits and a comma, and no number comes twice.
    count = [int(digit) if digit != "," else 10 for number in range(2000) for digit in f"{number},"]
    assert len(count) > 6 * NOTHING_NEW
    assert not written(count).looping
    assert written(count, alike=range(10)).looping, "where numbers are alike, a count is nothing new"
    # A board of noughts and crosses is shorter than what is given up.
    rng = random.Random(1)
    assert not written([rng.choice([1, 2, 3]) for _ in range(NOTHING_NEW)]).looping


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 7))
def test_novelty_is_the_same_however_the_tokens_come(tokens: list[int], part: int) -> None:
    whole, parts = Novelty(), Novelty()
    found = 0
    for end in range(0, len(tokens) + part, part):
        found = parts.stale(tokens[:end])
    seen: set[tuple[int, ...]] = set()
    expected = 0
    for end in range(1, len(tokens) + 1):
        last = tuple(tokens[max(0, end - SEQUENCE) : end])
        expected = expected + 1 if last in seen else 0
        seen.add(last)
    assert whole.stale(tokens) == found == expected


def test_numbers_are_digits_with_or_without_the_blank_before_them() -> None:
    vocabulary = {"7": 1, "Ġ12": 2, "▁3": 3, "a1": 4, "Ġ": 5, "٤": 6, "1.": 7, "": 8}
    assert number_tokens(vocabulary) == {1, 2, 3, 6}
