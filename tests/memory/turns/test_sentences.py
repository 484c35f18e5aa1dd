from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong.memory.turns.sentences import SENTENCE, asks, excerpt, requests, says_something, stated


@pytest.mark.parametrize(
    "sentence",
    [
        "Would a message queue help us",
        "Hey, would a message queue help us",
        "I wonder whether a message queue would help us.",
        "I'm wondering if we need a second boiler.",
        "Let's say we settled in Porto.",
        "Suppose the oven were broken.",
        "Maybe we should paint the hall green.",
        "We could move the shop to Porto.",
        "What if the ferry is late",
        "Imagine my boat were yellow.",
        "I wish my garden were larger.",
        "Wo wohnt meine Schwester",
        "Angenommen, ich wohnte in Ulm.",
        "Πού μένει η Άννα;",
        "أين تسكن أختي؟",
        "So what is the plan",
        "Call me back at five.",
    ],
)
def test_what_asks_or_supposes_states_nothing(sentence: str) -> None:
    assert asks(sentence)
    assert stated(sentence) == ""


@pytest.mark.parametrize(
    "sentence",
    [
        "We queue messages in a file.",
        "Will is my brother.",
        "May was the wettest month here.",
        "Update: the ferry leaves at nine.",
        "Correction, my flat is on the second floor.",
        "Change of plan: the wedding is in Porto.",
        "No, I moved to Ulm in spring.",
        "I could not sleep.",
        "Call me Kim.",
        "I would like to be called Kim.",
        "You are talking to the owner.",
        "The script ends with a semicolon;",
        "أختي تسكن في القاهرة.",
        "גר אני בחיפה.",
    ],
)
def test_what_states_is_no_question(sentence: str) -> None:
    assert not asks(sentence)
    assert stated(sentence) == sentence


def test_an_order_makes_what_follows_its_material_and_a_label_orders_nothing() -> None:
    assert requests("Shorten this: the meeting was moved.")
    assert requests("Please shorten this")
    assert not requests("Maybe we should paint the hall green.")


def test_names_addresses_and_numbers_are_not_cut() -> None:
    assert [one.strip() for one in SENTENCE.findall("We run ship.sh at 3.5 GB/s. It works!")] == [
        "We run ship.sh at 3.5 GB/s.",
        "It works!",
    ]


@given(st.text(max_size=500))
def test_sentences_are_the_whole_text(text: str) -> None:
    assert "".join(SENTENCE.findall(text)) == text


def test_one_word_can_answer_and_a_courtesy_cannot() -> None:
    assert says_something("Rex.", 1)
    assert not says_something("Perfect, thanks!", 1)


def test_an_excerpt_holds_what_is_sought_wherever_it_stands() -> None:
    text = "It rained all day. " * 60 + "The spare key lies under the blue pot. " + "Then we went home. " * 60
    short = excerpt(text, {"spare", "key"}, 200)
    assert "under the blue pot" in short
    assert len(short) < 260
    assert excerpt("x" * 1000, set(), 100).startswith("x" * 100)
    assert excerpt("  short  ", {"a"}, 100) == "short"


@pytest.mark.parametrize("unit", ["a. ", ".", "?", "\n", "a", "a.b", "α", ";α"])
def test_the_worst_text_costs_little(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.process_time()
    SENTENCE.findall(text)
    asks(text)
    assert time.process_time() - started < 5
