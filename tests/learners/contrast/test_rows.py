from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.learners import Sample
from lifelong.learners.contrast.rows import AnswerRow, JudgedSample, Unit, batches, units
from lifelong.serving import ChatPrompts

END = 2


@pytest.fixture(scope="module")
def prompts(tiny_model: Path) -> ChatPrompts:
    from transformers import AutoTokenizer

    return ChatPrompts(AutoTokenizer.from_pretrained(tiny_model))


def judged(answer: str, success: bool, *, group: str = "a", instead: str = "") -> JudgedSample:
    sample = Sample(messages=({"role": "user", "content": f"task {group}"},), answer=answer, skill="s", episode=group)
    return JudgedSample(sample=sample, success=success, group=group, instead=instead)


SAMPLES = [judged("abc", True), judged("abd", False, instead="abc"), judged("x", True, group="b"), judged("y", False, group="c")]


def test_each_kind_of_objective_sees_its_own(prompts: ChatPrompts) -> None:
    found = {kind: units(SAMPLES, kind, prompts, 512, END) for kind in ("successes", "pairs", "all")}
    assert [[row.success for row in unit] for unit in found["successes"]] == [[True], [True]]
    assert [[row.success for row in unit] for unit in found["all"]] == [[True], [False], [True], [False]]
    [(right, wrong)] = found["pairs"]
    assert (right.success, wrong.success) == (True, False)
    assert right.ids[:-2] == wrong.ids[:-2]
    assert right.ids[-2] != wrong.ids[-2]


def test_advantages_are_within_a_task(prompts: ChatPrompts) -> None:
    found = [unit[0].advantage for unit in units(SAMPLES, "all", prompts, 512, END)]
    assert found == pytest.approx([0.70701, -0.70701, 0.0, 0.0], abs=1e-4)


@pytest.mark.parametrize(("wrong", "right", "place"), [("abd", "abc", 2), ("ab", "abc", 2), ("abcd", "abc", 3), ("", "a", 0)])
def test_the_first_divergent_token_is_counted_from_the_answers_beginning(prompts: ChatPrompts, wrong: str, right: str, place: int) -> None:
    [(_, row)] = units([judged(wrong, False, instead=right)], "pairs", prompts, 512, END)
    assert row.divergence == place
    assert row.answer == len(wrong) + 1, "a token a letter, and the end"


def test_an_answer_that_fills_the_whole_length_loses_the_token_that_nothing_predicts(prompts: ChatPrompts) -> None:
    [(_, row)] = units([judged("abcdefgh", False, instead="abX")], "pairs", prompts, 4, END)
    assert (len(row.ids), row.answer, row.divergence) == (4, 3, 1)
    [(_, row)] = units([judged("abcdefgh", False, instead="X")], "pairs", prompts, 4, END)
    assert row.divergence == -1


def row(length: int, success: bool = True) -> AnswerRow:
    return AnswerRow(ids=tuple(range(length)), answer=1, success=success, weight=1.0, advantage=0.0, divergence=-1)


@given(st.lists(st.integers(2, 9), min_size=1, max_size=12), st.integers(1, 8), st.integers(1, 3))
def test_every_pass_holds_every_unit_once(lengths: list[int], size: int, epochs: int) -> None:
    all_units: list[Unit] = [(row(length), row(length, success=False)) for length in lengths]
    made = batches(all_units, size, 0, epochs, seed=1)
    assert sorted(len(one.ids) for batch in made for one in batch) == sorted(length for length in lengths for _ in range(2 * epochs))
    assert all([one.success for one in batch] == [True, False] * (len(batch) // 2) for batch in made), "pairs stay together"
    assert all(len(batch) <= max(2, size) for batch in made)


@given(st.lists(st.integers(2, 9), min_size=1, max_size=12), st.integers(1, 200))
def test_a_budget_of_tokens_is_read_and_overrun_by_one_batch_at_most(lengths: list[int], budget: int) -> None:
    made = batches([(row(length),) for length in lengths], 4, budget, 1, seed=1)
    read = [sum(len(one.ids) for one in batch) for batch in made]
    assert sum(read) >= budget > sum(read[:-1])


def test_without_units_there_are_no_batches() -> None:
    assert batches([], 4, 100, 3, seed=1) == []
