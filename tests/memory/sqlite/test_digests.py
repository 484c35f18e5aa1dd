"""Digests of messages: what clients change in passing changes nothing, anything else does."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifelong.checks.cue_memory import example_episode
from lifelong.core import Action, Episode, Observation
from lifelong.memory.sqlite.digests import SHORTEST, message_digest, normalise, quoted_digests, split_history, without_text_digest


def test_golden_and_fits_sqlites_integers() -> None:
    digest = message_digest("The vault word is plum.")
    assert digest == message_digest("  the  VAULT\nword is plum.")
    assert digest != message_digest("The vault word is pear.")
    assert digest is not None
    assert -(2**63) <= digest < 2**63


def test_what_is_short_is_everybodys() -> None:
    assert message_digest(None) is None
    assert message_digest("x" * (SHORTEST - 1)) is None
    assert message_digest(" " * 20 + "x" * (SHORTEST - 1)) is None
    assert message_digest("x" * SHORTEST) is not None


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text) or normalise(text).casefold() != normalise(text)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=SHORTEST))
def test_any_text_has_a_digest_of_its_normal_form(text: str) -> None:
    assert message_digest(text) == message_digest(normalise(text)) or len(normalise(text)) < SHORTEST


def test_an_episode_begins_with_its_own_request() -> None:
    plain = example_episode(3)
    asked = plain.task.text
    earlier = (Observation(text="Which colour is the door?"), Action(text="The door is crimson."))
    longer = replace(plain, steps=(*earlier, Observation(text=asked), Action(text="Forty-two rows.")))
    assert split_history(longer) == (earlier, longer.steps[2:])
    assert split_history(plain) == ((), plain.steps)
    assert quoted_digests(longer) == {message_digest(step.text) for step in earlier}
    assert quoted_digests(plain) == set()


def test_a_request_that_is_repeated_counts_from_its_last_time() -> None:
    plain = example_episode(3)
    again = replace(plain, steps=(*plain.steps, *plain.steps))
    history, own = split_history(again)
    assert history == own == plain.steps


def test_ids_that_were_digests_of_what_was_said_are_drawn_anew() -> None:
    episode = example_episode(1)
    named = replace(episode, task=replace(episode.task, id="0123456789abcdef" * 2)).to_json()
    after = Episode.from_json(without_text_digest(named))
    assert after.task.id.startswith("drawn-")
    assert replace(after, task=replace(after.task, id=episode.task.id)) == episode
    for kept in (episode.to_json(), "{", "[]", '{"task": 3}'):
        assert without_text_digest(kept) == kept
