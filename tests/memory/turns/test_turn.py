from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifelong.memory.turns.turn import ANSWERS, NUMBER, QUESTION, TIME, Postings


def test_flags_are_separate_bits() -> None:
    assert len({ANSWERS, QUESTION, TIME, NUMBER, QUESTION | TIME, QUESTION | NUMBER, TIME | NUMBER, QUESTION | TIME | NUMBER}) == 8


@given(st.dictionaries(st.integers(0, 40), st.integers(1, 5)), st.lists(st.integers(0, 41)))
def test_postings_are_as_a_dictionary(standing: dict[int, int], asked: list[int]) -> None:
    numbers = sorted(standing)
    postings = Postings(turns=np.array(numbers, dtype=np.int64), counts=np.array([standing[one] for one in numbers], dtype=np.int64))
    assert postings.of(np.array(asked, dtype=np.int64)).tolist() == [standing.get(number, 0) for number in asked]
    assert [number in postings for number in asked] == [number in standing for number in asked]
    assert len(postings) == len(standing)
