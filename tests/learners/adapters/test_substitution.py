from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifelong.learners import Sample, substitute, vocabulary

PAYMENTS = Sample(
    messages=(
        {"role": "system", "content": "Answer with one SQLite statement."},
        {
            "role": "user",
            "content": "Table payments(payment_id INT, paid_on TEXT, method TEXT)\nHow many payments have the method 'Credit Card' "
            "and a payment ID above 4711?",
        },
    ),
    answer="SELECT COUNT(*) FROM payments WHERE method = 'Credit Card' AND payment_id > 4711;",
    skill="database",
    episode="one",
    exchangeable=frozenset({"names", "numbers", "quoted"}),
)
TRIPS = Sample(
    messages=({"role": "user", "content": "Table trips(trip_id INT, city TEXT)\nRemove trips to 'Lima'."},),
    answer="DELETE FROM trips WHERE city = 'Lima' AND trip_id = 1;",
    skill="database",
    episode="two",
    exchangeable=frozenset({"names", "numbers", "quoted"}),
)
WORDS = vocabulary([PAYMENTS, TRIPS])


def test_the_vocabulary_holds_what_is_copied_and_nothing_else() -> None:
    assert WORDS.names == ("city", "method", "payment_id", "payments", "trip_id", "trips")
    assert WORDS.quoted == ("Credit Card", "Lima")


def prompt_of(sample: Sample) -> str:
    return "\n".join(message["content"] for message in sample.messages)


@given(st.integers(0, 2**32))
def test_what_was_copied_is_still_copied(seed: int) -> None:
    changed = substitute(PAYMENTS, WORDS, random.Random(seed))
    prompt, answer = prompt_of(changed), changed.answer
    words = answer.replace("(", " ").replace(")", " ").replace(";", " ").split()
    table, column, key, number = words[words.index("FROM") + 1], words[words.index("WHERE") + 1], words[-3], words[-1]
    quoted = answer.split("'")[1]
    assert f"Table {table}(" in prompt
    assert f"{column} TEXT" in prompt
    assert f"{key} INT" in prompt
    assert f"'{quoted}'" in prompt
    assert f"above {number}?" in prompt
    assert len({table, column, key}) == 3


def test_the_spoken_form_follows_the_written_one() -> None:
    for seed in range(50):
        changed = substitute(PAYMENTS, WORDS, random.Random(seed), share=1.0)
        key = changed.answer.split(" AND ")[1].split()[0]
        if key != "payment_id":
            assert f"a {key.replace('_', ' ')} above" in prompt_of(changed)
            return
    raise AssertionError("no seed exchanged payment_id")


def test_it_changes_something_and_never_its_input() -> None:
    before = prompt_of(PAYMENTS)
    assert any(substitute(PAYMENTS, WORDS, random.Random(seed)) != PAYMENTS for seed in range(5))
    assert prompt_of(PAYMENTS) == before


def test_chosen_answers_stay() -> None:
    chosen = Sample(messages=({"role": "user", "content": "a red ball 12 left"},), answer="left 12", skill="s", episode="e", composed=False)
    assert substitute(chosen, WORDS, random.Random(0), share=1.0) is chosen


def test_free_text_is_never_exchanged() -> None:
    free = replace(PAYMENTS, exchangeable=frozenset())
    assert all(substitute(free, WORDS, random.Random(seed), share=1.0) is free for seed in range(20))
    assert vocabulary([free]).names == ()


def test_only_what_is_declared_is_exchanged() -> None:
    numbers = replace(PAYMENTS, exchangeable=frozenset({"numbers"}))
    for seed in range(20):
        changed = substitute(numbers, WORDS, random.Random(seed), share=1.0)
        assert changed.answer.startswith("SELECT COUNT(*) FROM payments WHERE method = 'Credit Card' AND payment_id > ")
