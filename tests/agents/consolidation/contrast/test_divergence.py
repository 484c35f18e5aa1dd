from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lifelong.agents.consolidation.contrast.divergence import divergences
from lifelong.agents.consolidation.contrast.groups import TriedAnswer
from lifelong.numerics.sequences import tokens

WORDS = st.lists(st.sampled_from(["SELECT", "a", "b", "FROM", "t", "1"]), max_size=6)


def test_a_failure_is_compared_with_the_nearest_success() -> None:
    near = TriedAnswer(answer="SELECT name FROM people WHERE age > 3", success=True)
    far = TriedAnswer(answer="SELECT COUNT(*) FROM orders", success=True)
    wrong = TriedAnswer(answer="SELECT name FROM people WHERE height > 3", success=False)
    [found] = divergences([far, wrong, near])
    assert (found.failure, found.success, found.place) == (wrong, near, 5)


def test_where_one_is_the_beginning_of_the_other_they_part_at_its_end() -> None:
    right, short = TriedAnswer(answer="a b c", success=True), TriedAnswer(answer="a b", success=False)
    assert divergences([right, short])[0].place == 2
    assert divergences([TriedAnswer(answer="a b", success=True), TriedAnswer(answer="a b c", success=False)])[0].place == 2


def test_nothing_without_a_success_a_failure_or_a_difference() -> None:
    right, wrong = TriedAnswer(answer="a", success=True), TriedAnswer(answer="a", success=False)
    unjudged = TriedAnswer(answer="b", success=None)
    assert all(divergences(group) == [] for group in ([right], [wrong], [right, wrong], [right, unjudged], []))


@given(WORDS, WORDS)
def test_the_tokens_before_the_place_are_alike_and_those_at_it_are_not(left: list[str], right: list[str]) -> None:
    wrong, good = TriedAnswer(answer=" ".join(left), success=False), TriedAnswer(answer=" ".join(right), success=True)
    for found in divergences([wrong, good]):
        one, other = tokens(wrong.answer), tokens(good.answer)
        assert one[: found.place] == other[: found.place]
        assert one[found.place : found.place + 1] != other[found.place : found.place + 1]
