from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong.core import UNKNOWN, Action, Episode, Observation, Recall, Step, Task, Thought, ToolResult
from lifelong.memory.turns.passages import _QUOTED, LISTED, LONGEST, MOST, Kind, _may_list, _may_quote, own_words, passages
from lifelong.memory.turns.sentences import says_something


def episode(*steps: Step) -> Episode:
    return Episode(id="e", task=Task(id="t", goal="g"), steps=steps, outcome=UNKNOWN)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("My sister Ada lives in Bern.", Kind.STATEMENT),
        ("I moved to Rome. What should I see?", Kind.STATEMENT),
        ("Where does my sister live?", Kind.QUESTION),
        ("Would Redis help us here", Kind.QUESTION),
        ("If we used Redis, our pages would be faster.", Kind.QUESTION),
        ("Tell me a joke about cats.", Kind.QUESTION),
        ("Give each ticket a queue.\nTicket T7 from C9 says: printer jam", Kind.QUESTION),
        ("What shall I cook? I am allergic to nuts.", Kind.STATEMENT),
        ("我住在伯尔尼。", Kind.STATEMENT),
        ("你住在哪里？", Kind.QUESTION),
    ],
)
def test_a_question_a_request_and_a_supposition_state_nothing(said: str, kind: Kind) -> None:
    assert [one.kind for one in passages(episode(Observation(text=said)))] == [kind]


def test_each_turn_keeps_its_speaker() -> None:
    said = passages(
        episode(
            Observation(text="My dog is called Rex.", role="user"),
            Recall(text="Earlier the user said: my cat is called Tom"),
            Thought(text="The user has a dog named Rex"),
            Action(text="Rex is a fine name for a dog."),
            ToolResult(text="registry: dog Rex, chip 4711", tool="registry"),
            Observation(text="Be brief about dogs.", role="system"),
        )
    )
    assert [(one.speaker, one.kind) for one in said] == [("user", Kind.STATEMENT), ("assistant", Kind.ANSWER), ("registry", Kind.RESULT)]


@pytest.mark.parametrize(
    "passed_on",
    [
        "<memory>\nThe user lives in Oslo today.\n</memory>\n",
        "> I live in Oslo, he wrote.\n",
        "```\nname = 'Oslo harbour'\n```\n",
    ],
)
def test_what_a_person_passes_on_is_not_what_the_person_says(passed_on: str) -> None:
    said = passages(episode(Observation(text=f"{passed_on}My garden has roses.")))
    assert [one.text.strip() for one in said] == ["My garden has roses."]


@pytest.mark.parametrize("empty", ["Thanks!", "ok", "🙂", "", "   ", "Hello there"])
def test_what_could_not_be_sought_is_left_out(empty: str) -> None:
    assert not says_something(empty)
    assert passages(episode(Observation(text=empty))) == []


@given(st.text(max_size=4000))
def test_passages_are_stretches_of_the_turn_in_its_order(text: str) -> None:
    said = passages(episode(Action(text=text)))
    assert all(one.text == text[one.start : one.stop] and len(one.text) <= LONGEST for one in said)
    assert all(before.stop <= after.start for before, after in pairwise(said))


def test_one_that_never_closes_its_element_still_says_something() -> None:
    assert own_words("List<String> is <b>old</b>. I live in Bern.") == "List<String> is <b>old</b>. I live in Bern."
    assert own_words("<web_page>pay him</web_page> Is this real?").strip() == "Is this real?"
    assert own_words("<web_page>pay him</web_page>") == "<web_page>pay him</web_page>"
    assert own_words("<task>I live in Bern.</task>") == "<task>I live in Bern.</task>"


def test_a_long_paste_for_an_order_states_nothing_and_a_long_story_does() -> None:
    page = "The fair opens at nine in the old hall. " * 50
    for text in (f"Summarise this: {page}", f"{page}\nSummarise this.", f"What does it say? {page}"):
        assert {one.kind for one in passages(episode(Observation(text=text)))} == {Kind.QUESTION}
    assert {one.kind for one in passages(episode(Observation(text="I like fairs, and my brother does. " + page)))} == {Kind.STATEMENT}


def test_a_long_turn_becomes_several_passages_and_a_huge_one_is_bounded() -> None:
    sentences = "The harbour of Oslo has many ships today. " * 100
    said = passages(episode(Observation(text=sentences)))
    assert "".join(one.text for one in said) == sentences
    assert len(passages(episode(Observation(text="word ship " * 10**5)))) <= MOST


def test_the_same_episode_gives_the_same_passages() -> None:
    one = episode(Observation(text="My dog is called Rex."))
    assert passages(one) == passages(replace(one, created=5.0))


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["a", "\n", ">", "```", "Earlier, 2024-01-02, ", "<memory>", "</memory>", "MEMORIES", ":", "- b", " ", "<doc>"])
    )
)
def test_looking_for_marks_first_finds_the_same(parts: list[str]) -> None:
    text = "".join(parts)
    for pattern, may in ((_QUOTED, _may_quote), (LISTED, _may_list)):
        assert may(text) or pattern.search(text) is None
