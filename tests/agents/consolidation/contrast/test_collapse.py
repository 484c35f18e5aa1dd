from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.agents.consolidation.contrast.collapse import collapse, loops, shape_of

HONEST = [f"SELECT name_{place} FROM people_{place} WHERE age > {place}" for place in range(10)]


def test_silence_one_answer_for_all_and_repetition_are_named() -> None:
    assert collapse(HONEST, ["", " ", "", "", *HONEST[4:]]) == (
        "40% of the answers are empty, 0% were before; 40% of the answers are the same for different tasks, 10% were before"
    )
    assert "the same" in collapse(HONEST, ["SELECT 1"] * 10)
    assert "repeating" in collapse(HONEST, [f"{place} {'ab ' * 20}" for place in range(10)])


def test_what_was_so_before_or_is_so_of_few_is_no_collapse() -> None:
    assert collapse(["SELECT 1"] * 10, ["SELECT 1"] * 10) == ""
    assert collapse(HONEST, HONEST[::-1]) == ""
    assert collapse(HONEST, [*HONEST[:8], "", ""]) == "", "a fifth is within the bound"
    assert collapse(HONEST[:7], [""] * 7) == "", "too few to tell"


def test_shares_are_counted() -> None:
    shape = shape_of(["a", "a", "", "x" * 30])
    assert (shape.empty, shape.same, shape.looping) == (0.25, 0.5, 0.25)
    with pytest.raises(ValueError, match="at least one"):
        shape_of([])


@given(st.text(max_size=4), st.integers(24, 40))
def test_any_short_text_that_is_repeated_loops(text: str, copies: int) -> None:
    assert loops(text * copies) == bool((text * copies).rstrip()) or not text.strip() or text != text.strip()


@given(st.lists(st.text(max_size=30), min_size=8, max_size=12))
def test_answers_have_not_collapsed_against_themselves(answers: list[str]) -> None:
    assert collapse(answers, answers) == ""
